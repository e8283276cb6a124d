import * as prom from 'prom-client';

/*
 * metric: a figure of this process that a monitoring system reads at the process's metrics door. Names follow
 *   Prometheus: `bongsu_` first, the unit last, `_total` for what only grows.
 * label: one of a few values that the code, the vocabulary or the register of members decides; never what a caller chose.
 * source: what sets gauges anew before they are read.
 */

/** Every metric of this process. One a process, as its log is: what it counts is the process. */
const registry = new prom.Registry();

/** Values of a metric's labels, by label. */
export type Labels<L extends string> = Record<L, string>;

interface Spec<L extends string> {
  name: string;
  /** What is counted, in one sentence. */
  help: string;
  labels?: readonly L[];
}

/** A count that only grows. */
export interface Counter<L extends string = never> {
  add(labels: Labels<L>, by?: number): void;
}

/** A value as it is now. */
export interface Gauge<L extends string = never> {
  set(labels: Labels<L>, value: number): void;
  /** Forgets every labelled value: what is not set again afterwards is gone. */
  clear(): void;
}

/** How long something takes, seconds. */
export interface Timer<L extends string = never> {
  observe(labels: Labels<L>, seconds: number): void;
}

/** Bounds of timers, seconds: from a small statement to a long job. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function counter<L extends string = never>({ name, help, labels = [] }: Spec<L>): Counter<L> {
  const made = new prom.Counter({ name, help, labelNames: labels, registers: [registry] });
  return { add: (values, by = 1) => made.inc(values, by) };
}

export function gauge<L extends string = never>({ name, help, labels = [] }: Spec<L>): Gauge<L> {
  const made = new prom.Gauge({ name, help, labelNames: labels, registers: [registry] });
  return { set: (values, value) => made.set(values, value), clear: () => made.reset() };
}

export function timer<L extends string = never>({ name, help, labels = [] }: Spec<L>): Timer<L> {
  const made = new prom.Histogram({ name, help, labelNames: labels, registers: [registry], buckets: SECONDS });
  return { observe: (values, seconds) => made.observe(values, seconds) };
}

/** Runs `work` and observes how long it took, also where it fails. */
export async function timed<T>(into: Timer, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  try {
    return await work();
  } finally {
    into.observe({}, (performance.now() - from) / 1000);
  }
}

/** A source that takes longer is not waited for, ms: its gauges then show the last reading. */
const LONGEST_MS = 4000;

const SOURCES_OK = gauge({
  name: 'bongsu_metrics_sources_failed',
  help: 'Sources of gauges whose last reading failed or came too late; their gauges show an older one.',
});

class Source {
  private readAt = -Infinity;
  private reading: Promise<void> | null = null;
  failed = false;

  constructor(
    private readonly read: () => Promise<void> | void,
    private readonly keptMs: number,
  ) {}

  async refresh(): Promise<void> {
    if (performance.now() - this.readAt < this.keptMs) return;
    this.reading ??= this.once().finally(() => (this.reading = null));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.failed = true;
        resolve();
      }, LONGEST_MS);
    });
    await Promise.race([this.reading, late]);
    clearTimeout(timer);
  }

  private async once(): Promise<void> {
    try {
      await this.read();
      this.failed = false;
    } catch {
      this.failed = true;
    }
    this.readAt = performance.now();
  }
}

const sources = new Set<Source>();

/**
 * Registers what sets gauges before a reading, and is waited for four seconds at most.
 * @param keptMs how long a reading is good for, ms: however many read the door, it is asked this often at most
 * @returns a function that takes it away again
 */
export function gaugesFrom(read: () => Promise<void> | void, keptMs = 0): () => void {
  const source = new Source(read, keptMs);
  sources.add(source);
  return () => void sources.delete(source);
}

/** Every metric in Prometheus's text format, its gauges read anew. */
export async function readMetrics(): Promise<{ contentType: string; text: string }> {
  await Promise.all([...sources].map((source) => source.refresh()));
  SOURCES_OK.set({}, [...sources].filter((source) => source.failed).length);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

let processMetrics = false;

/** Adds memory, CPU, event loop and garbage collection of this process, once. */
export function addProcessMetrics(): void {
  if (processMetrics) return;
  processMetrics = true;
  prom.collectDefaultMetrics({ register: registry });
}
