import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeClockFile } from '@app/infrastructure/clock';
import { BongsuError, POPULATION_MEMBERS, type RungOrNone } from '@app/protocol';
import type { KeyResult } from '@app/simulation';
import { HubApi } from '../api/hub-api.js';
import { Exchange } from '../live/exchange.js';
import type { Feed } from '../live/feed.js';
import { liveThrough, type Progress } from '../live/population.js';
import { STAFF_NAME } from '../stack/identities.js';
import { Stack } from '../stack/stack.js';

/** A day's new values of a member in an evaluation: no limit that matters. */
const QUOTA = 50_000_000;
const PAGE = 1000;

/** What one population came to. */
export interface Evaluated {
  results: KeyResult[];
  observations: number;
  rejected: number;
}

/**
 * A population through the real path: five agents, the blinder, the hub's doors, PostgreSQL, the worker. Exchanges act
 * on nothing, so nothing but the population decides.
 */
export class RealPath {
  private readonly stack: Stack;
  private readonly clockFile: string;
  private exchanges: Exchange[] = [];

  constructor(
    private readonly dir: string,
    private readonly feed: Feed,
    folder: string,
  ) {
    this.clockFile = join(folder, 'clock.json');
    writeClockFile(this.clockFile, feed.start);
    this.stack = new Stack({
      folder,
      postgresFolder: join(folder, 'postgres'),
      databaseUrl: undefined,
      hubPort: 0,
      blinderPort: 0,
      clockFile: this.clockFile,
      blinderQuota: QUOTA,
      logToConsole: false,
    });
  }

  async run(onProgress: (progress: Progress) => void): Promise<Evaluated> {
    await this.stack.start();
    const { hubUrl, identities } = this.stack;
    const staff = await HubApi.open(hubUrl, `staff:${STAFF_NAME}`, identities.staffKeyFile);
    this.exchanges = POPULATION_MEMBERS.map(
      (name) => new Exchange(this.stack, { name, receive: 'poll', input: 'usage' }),
    );
    for (const exchange of this.exchanges) await exchange.join(staff);
    await Promise.all(this.exchanges.map((exchange) => exchange.start()));
    await liveThrough(this.dir, this.feed, this.exchanges, staff, this.clockFile, onProgress);
    const results = await this.resultsOf(staff);
    const { intake } = await staff.query<{ intake: { observations: number; rejected: number }[] }>(
      '{ intake { observations rejected } }',
    );
    await staff.close();
    return {
      results,
      observations: intake.reduce((sum, row) => sum + row.observations, 0),
      rejected: intake.reduce((sum, row) => sum + row.rejected, 0),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.exchanges.map((exchange) => exchange.stop()));
    await this.stack.stop();
  }

  /** The hub names keys by short tokens; each agent knows its own. */
  private async resultsOf(staff: HubApi): Promise<KeyResult[]> {
    const accessKeys = new Map<string, string>();
    for (const exchange of this.exchanges) {
      const file = join(exchange.folder, 'resolved.json');
      await exchange.run(['resolve', '--all', '--json', file]);
      const own = JSON.parse(readFileSync(file, 'utf8')) as { short: string; access_key: string }[];
      for (const { short, access_key } of own) accessKeys.set(`${exchange.name}/${short}`, access_key);
    }
    return (await allStandings(staff)).map(({ member, keyShort, probability, reasons, history }) => {
      const access_key = accessKeys.get(`${member}/${keyShort}`);
      if (access_key === undefined) throw new BongsuError('NOT_FOUND', `${member} cannot resolve the key ${keyShort}.`);
      return {
        member,
        access_key,
        probability,
        reasons,
        history: history.map(({ at, rung }) => ({ at, rung: rung.toLowerCase() as RungOrNone })),
      };
    });
  }
}

interface Standing {
  member: string;
  keyShort: string;
  probability: number;
  reasons: string[];
  history: { at: string; rung: string }[];
}

async function allStandings(staff: HubApi): Promise<Standing[]> {
  const all: Standing[] = [];
  let after: string | null = null;
  for (;;) {
    type Page = {
      standings: { edges: { node: Standing }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    };
    const { standings }: Page = await staff.query<Page>(
      `query ($after: String, $first: Int) { standings(after: $after, first: $first) {
         edges { node { member keyShort probability reasons history { at rung } } } pageInfo { hasNextPage endCursor } } }`,
      { after, first: PAGE },
    );
    all.push(...standings.edges.map((edge) => edge.node));
    if (!standings.pageInfo.hasNextPage) return all;
    after = standings.pageInfo.endCursor;
  }
}
