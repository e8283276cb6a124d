import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeClockFile } from '@app/infrastructure/clock';
import { rungRank, RUNGS, type Rung, type TruthRecord } from '@app/protocol';
import { generatePopulation, readTruth, writePopulation } from '@app/simulation';
import { HubApi } from '../api/hub-api.js';
import { fetchReport, formatReport } from '../api/report.js';
import { writeLocalHub } from '../commands/start.js';
import { Exchange } from '../live/exchange.js';
import { Feed } from '../live/feed.js';
import { liveThrough } from '../live/population.js';
import { REGULATOR_NAME, STAFF_NAME } from '../stack/identities.js';
import { Stack } from '../stack/stack.js';
import { SimulatedHooks, type HookCall } from './simulated-hooks.js';
import { formatSummary, shortfalls, type DemoSummary } from './summary.js';

/** The population of the demonstration: small, with enough lending for every rung to be seen. */
const POPULATION = { owners: 330, days: 12, seed: 20260528, mix: { operator: 0.1, lend_pair: 0.03, farm: 0.02 } };
const STEP_HOURS = 24;
const DAY_MS = 86_400_000;
/** The first standard is in force since 2026-05-28; nothing is lived through before. */
const EARLIEST = Date.parse('2026-06-01T00:00:00Z');

/** First day of the population, ms: it ends a day ago, so that time can go on from there with the real clock. */
function firstDay(now: number): number {
  return Math.max(EARLIEST, Math.floor(now / DAY_MS) * DAY_MS - (POPULATION.days + 1) * DAY_MS);
}
const SEOUL_MS = 9 * 3_600_000;

export interface DemoOptions {
  /** How many hold a key of the blinding; one unless given. */
  blinders?: number;
  /** Folder of this run. */
  folder: string;
  jsonFile?: string;
  say: (line: string) => void;
}

/** The main job, end to end: see `npm run demo -- --help`. */
export class Demo {
  private readonly stack: Stack;
  private readonly clockFile: string;
  private readonly start: number;
  private hooks: SimulatedHooks | null = null;
  private exchanges: Exchange[] = [];

  constructor(private readonly options: DemoOptions) {
    const { folder } = options;
    this.clockFile = join(folder, 'clock.json');
    this.start = firstDay(Date.now());
    writeClockFile(this.clockFile, this.start);
    this.stack = new Stack({
      folder,
      postgresFolder: join(folder, 'postgres'),
      databaseUrl: undefined,
      hubPort: 0,
      blinderPort: 0,
      blinders: options.blinders ?? 1,
      clockFile: this.clockFile,
      logToConsole: false,
      onStep: (what) => options.say(`  ${what}`),
    });
  }

  /** @returns what fell short of what a demonstration must show; nothing when all is well */
  async run(): Promise<string[]> {
    const began = performance.now();
    const { say, folder } = this.options;
    say('1. A population of five exchanges, with its truth');
    const dir = join(folder, 'population');
    const population = { ...POPULATION, start: new Date(this.start).toISOString().slice(0, 10) };
    const made = await writePopulation(dir, population);
    const members = generatePopulation(population).members;
    const truth = await readAllTruth(dir);
    say(
      `  ${made.keys} keys, ${made.lent} of them lent, ${made.usage} hourly observations over ${POPULATION.days} days`,
    );
    const feed = await Feed.cut(dir, members, STEP_HOURS, join(folder, 'feed'));

    say('2. The hub');
    await this.stack.start();
    const { hubUrl, identities } = this.stack;
    const staff = await HubApi.open(hubUrl, `staff:${STAFF_NAME}`, identities.staffKeyFile);
    say(`  hub ${this.stack.hubUrl}, blinder ${this.stack.blinderUrls.join(', ')}`);

    say('3. Five exchanges join, each with its own agent');
    await this.joinAll(members, truth, staff);

    say(
      `4. ${POPULATION.days} days, lived through: agents blind and send, the hub correlates, exchanges act and report back`,
    );
    await liveThrough(dir, feed, this.exchanges, staff, this.clockFile, ({ step, steps, at }) =>
      say(
        `  day ${String(step).padStart(2)} of ${steps} (${at.slice(0, 10)}): ${this.hooks!.calls.length} recommendations acted on`,
      ),
    );

    say('5. What came of it');
    const regulator = await HubApi.open(hubUrl, `regulator:${REGULATOR_NAME}`, identities.regulatorKeyFile);
    // The month that most of the days lie in.
    const period = new Date(this.start + (POPULATION.days / 2) * DAY_MS + SEOUL_MS).toISOString().slice(0, 7);
    const report = await fetchReport(regulator, this.stack.hubUrl, period);
    const summary: DemoSummary = {
      ...(await countsOf(staff)),
      seconds: Math.round((performance.now() - began) / 100) / 10,
      members: members.length,
      keys: made.keys,
      keys_lent: made.lent,
      report: { period, cells: report.cells, suppressed: report.suppressed },
    };
    say('');
    say(formatSummary(summary));
    say(`\nOne recommendation, as an exchange received it:\n${example(this.hooks!.calls)}`);
    say(`\n${formatReport(report)}`);
    if (this.options.jsonFile) writeFileSync(this.options.jsonFile, `${JSON.stringify(summary, null, 2)}\n`);
    await staff.close();
    await regulator.close();
    return shortfalls(summary);
  }

  /**
   * Where everything is, one line per door, for whoever wants to look around. Simulated time goes over into the real
   * one: observations of the hours to come are then what they are anywhere.
   */
  doors(): string[] {
    writeClockFile(this.clockFile, Date.now());
    const credentials = join(this.options.folder, 'credentials.json');
    writeLocalHub(credentials, this.stack);
    return [
      `hub: ${this.stack.hubUrl}`,
      `graphql: ${this.stack.hubUrl}/graphql`,
      `token endpoint: ${this.stack.hubUrl}/oauth/token`,
      ...this.stack.blinderUrls.map((url) => `blinder: ${url}`),
      `credentials: ${credentials}`,
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.exchanges.map((exchange) => exchange.stop()));
    await this.stack.stop();
    await this.hooks?.stop();
  }

  private async joinAll(
    members: readonly string[],
    truth: ReadonlyMap<string, TruthRecord>,
    staff: HubApi,
  ): Promise<void> {
    this.hooks = new SimulatedHooks(truth);
    await this.hooks.start();
    mkdirSync(join(this.options.folder, 'exchanges'), { recursive: true });
    this.exchanges = members.map(
      (name, i) =>
        new Exchange(this.stack, {
          name,
          receive: i < 3 ? 'push' : 'poll',
          input: i === members.length - 1 ? 'nginx' : 'usage',
          hookUrl: `${this.hooks!.url}/${name}`,
        }),
    );
    for (const exchange of this.exchanges) await exchange.join(staff);
    for (const exchange of this.exchanges) {
      await exchange.start();
      const { receive, input } = exchange.options;
      const feeds = input === 'nginx' ? 'a gateway’s access log (nginx)' : 'hourly summaries';
      this.options.say(`  ${exchange.name.padEnd(8)} feeds ${feeds}, receives by ${receive}`);
    }
  }
}

async function readAllTruth(dir: string): Promise<Map<string, TruthRecord>> {
  const truth = new Map<string, TruthRecord>();
  for await (const record of readTruth(dir)) truth.set(`${record.member}/${record.access_key}`, record);
  return truth;
}

async function countsOf(
  staff: HubApi,
): Promise<Pick<DemoSummary, 'observations' | 'accepted' | 'rejected' | 'recommendations' | 'by_rung'>> {
  type Intake = { observations: number; accepted: number; rejected: number };
  type Flow = { rung: string } & DemoSummary['recommendations'];
  const { intake, recommendationFlow: flow } = await staff.query<{ intake: Intake[]; recommendationFlow: Flow[] }>(
    `{ intake { observations accepted rejected }
       recommendationFlow { rung issued delivered acknowledged executed declined } }`,
  );
  const total = <T>(rows: readonly T[], of: (row: T) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  return {
    observations: total(intake, (r) => r.observations),
    accepted: total(intake, (r) => r.accepted),
    rejected: total(intake, (r) => r.rejected),
    recommendations: {
      issued: total(flow, (r) => r.issued),
      delivered: total(flow, (r) => r.delivered),
      acknowledged: total(flow, (r) => r.acknowledged),
      executed: total(flow, (r) => r.executed),
      declined: total(flow, (r) => r.declined),
    },
    by_rung: Object.fromEntries(
      RUNGS.map((rung) => [rung, flow.find((r) => r.rung.toLowerCase() === rung)?.issued ?? 0]),
    ) as Record<Rung, number>,
  };
}

/** The highest recommendation that was acted on, in full. */
function example(calls: readonly HookCall[]): string {
  const [call] = [...calls].sort((a, b) => rungRank(b.rung) - rungRank(a.rung) || b.probability - a.probability);
  if (!call) return '  (none)';
  const indented = (text: string) =>
    text
      .split('\n')
      .map((line) => `  ${line}`)
      .join('\n');
  return [
    `  ${call.member}, recommendation ${call.recommendation_id}: ${call.rung.toUpperCase()}`,
    indented(call.explanation.en),
    '',
    indented(call.explanation.ko),
    '',
    '  For the customer:',
    indented(call.customer_notice.en),
    '',
    indented(call.customer_notice.ko),
  ].join('\n');
}
