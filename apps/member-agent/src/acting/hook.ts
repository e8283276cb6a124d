import { spawn } from 'node:child_process';
import {
  DECLINE_REASONS,
  OUTCOMES,
  type Bilingual,
  type DeclineReason,
  type OutcomeKind,
  type ReasonPayload,
  type Rung,
} from '@app/member-sdk';
import { request } from 'undici';

/** What the exchange's hook is given: JSON in an HTTP body or on a command's standard input. */
export interface HookRequest {
  /** The same for every call about one recommendation: a hook that honours it acts once. */
  idempotency_key: string;
  recommendation_id: string;
  member: string;
  access_key: string;
  /** First 16 hex digits of the key's token: what alliance staff call the key. */
  short: string;
  rung: Rung;
  probability: number;
  policy_version: string;
  issued_at: string;
  deadline: string;
  supersedes: string | null;
  reasons: ReasonPayload[];
  explanation: Bilingual;
  customer_notice: Bilingual;
}

/** One outcome in a hook's answer. */
export interface HookOutcome {
  outcome: OutcomeKind;
  reason?: DeclineReason;
  note?: string;
  /** For follow-ups: seconds after the call at which it is to be reported; 0 unless given. */
  afterSeconds?: number;
}

/**
 * What a call came to. `answered`: the hook did or declined it. `undone`: certainly nothing happened, so it may be
 * called again. `uncertain`: it may have acted.
 */
export type HookResult =
  | { kind: 'answered'; outcomes: [HookOutcome, ...HookOutcome[]] }
  | { kind: 'undone'; message: string }
  | { kind: 'uncertain'; message: string };

export interface HookConfig {
  /** Where to POST, or what to run; one of the two. */
  url?: string | undefined;
  command?: readonly string[] | undefined;
  /** Value of the Authorization header, for `url`. */
  authorization?: string | undefined;
  timeoutMs: number;
  /** The hook honours the idempotency key: it may be called again where a result is unknown. */
  idempotent: boolean;
}

/** Largest answer read of a hook, characters. */
const MAX_ANSWER = 64 * 1024;
/** How long a command's output may come after its end, real milliseconds. */
const LINGER_MS = 1_000;
/** Failures of a connection that was never made. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  'ENOENT',
  'EACCES',
]);

/** Calls the exchange's own hook. Never throws: every failure is a result. */
export function callHook(config: HookConfig, body: HookRequest): Promise<HookResult> {
  return config.url === undefined ? run(config, body) : post(config, config.url, body);
}

async function post(config: HookConfig, url: string, body: HookRequest): Promise<HookResult> {
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': body.idempotency_key,
        ...(config.authorization === undefined ? {} : { authorization: config.authorization }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(config.timeoutMs),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 200 && answer.statusCode < 300) return readAnswer(text);
    const message = `The hook answered HTTP ${answer.statusCode}: ${text.slice(0, 200)}`;
    return { kind: answer.statusCode < 500 ? 'undone' : 'uncertain', message };
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return { kind: 'uncertain', message: late(config) };
    return failure(error as NodeJS.ErrnoException);
  }
}

function run(config: HookConfig, body: HookRequest): Promise<HookResult> {
  const [program, ...args] = config.command!;
  return new Promise((done) => {
    // A hook gets nothing of the agent's environment but the path on which programs are found. It leads a group of its
    // own: what it started ends with it, and a Ctrl-C meant for the agent does not cut a call short.
    const env = { PATH: process.env['PATH'] ?? '' };
    const child = spawn(program!, args, { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    let out = '';
    let err = '';
    let timedOut = false;
    const finish = (result: HookResult) => {
      clearTimeout(timer);
      clearTimeout(lingering);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      done(result);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup(child.pid);
    }, config.timeoutMs);
    let lingering: NodeJS.Timeout | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out = (out + text).slice(0, MAX_ANSWER)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err = (err + text).slice(-200)));
    child.stdin.on('error', () => {}).end(JSON.stringify(body));
    child.on('error', (error) => finish(failure(error)));
    const conclude = (code: number | null, signal: NodeJS.Signals | null) => {
      if (timedOut) finish({ kind: 'uncertain', message: late(config) });
      else if (code === 0) finish(readAnswer(out));
      else
        finish({ kind: 'uncertain', message: `The hook ended with ${signal ?? `exit code ${code}`}: ${err.trim()}` });
    };
    child.on('close', conclude);
    // A program left in the background may hold the pipes open for ever.
    child.on('exit', (code, signal) => (lingering = setTimeout(() => conclude(code, signal), LINGER_MS)));
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

function late({ timeoutMs }: HookConfig): string {
  return `The hook did not answer within ${timeoutMs / 1000} s; it may have acted. Look into it, or raise hook.timeoutSeconds.`;
}

function failure(error: NodeJS.ErrnoException): HookResult {
  const message = `The hook could not be called: ${error.code ?? error.message}`;
  return { kind: NOT_REACHED.has(error.code ?? '') ? 'undone' : 'uncertain', message };
}

/** An empty answer means done. */
function readAnswer(text: string): HookResult {
  if (text.trim() === '') return { kind: 'answered', outcomes: [{ outcome: 'executed' }] };
  try {
    const { followUps, ...first } = JSON.parse(text) as HookOutcome & { followUps?: HookOutcome[] };
    const outcomes = [{ ...first, afterSeconds: 0 }, ...(followUps ?? [])].map(readOutcome);
    if (first.outcome === 'executed' || first.outcome === 'declined')
      return { kind: 'answered', outcomes: outcomes as [HookOutcome, ...HookOutcome[]] };
  } catch {
    // Said below.
  }
  const message = `The hook's answer is not {"outcome": "executed" | "declined", …}: ${text.slice(0, 200)}`;
  return { kind: 'uncertain', message };
}

/** @throws {TypeError} */
function readOutcome(raw: HookOutcome): HookOutcome {
  const { outcome, reason, note, afterSeconds } = raw;
  const fits =
    OUTCOMES.includes(outcome) &&
    (reason === undefined || reason === null || DECLINE_REASONS.includes(reason)) &&
    (note === undefined || note === null || typeof note === 'string') &&
    (afterSeconds === undefined || (Number.isFinite(afterSeconds) && afterSeconds >= 0));
  if (!fits) throw new TypeError('not an outcome');
  const declined = outcome === 'declined' ? { reason: reason ?? ('other' as const) } : reason ? { reason } : {};
  return { outcome, ...declined, ...(note ? { note } : {}), afterSeconds: afterSeconds ?? 0 };
}
