import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { FakeClock } from '@app/infrastructure/clock';
import { Database } from '@app/infrastructure/database';
import { Jobs, type QueueBackend } from '@app/infrastructure/queue';
import { rungRank } from '@app/protocol';
import { Recommendations } from '@app/recommendations';
import { Batches, Erasures, SubmitSignals } from '@app/signals';
import { EventReceiver } from '../../../test/support/event-receiver.js';
import { LENDING_MEMBERS, lendingRows, lentKeys, ordinaryKeys } from '../../../test/support/lending.js';
import { addMember, ISSUER, partsOf, privateJwk, type Member } from '../../../test/support/parts.js';
import { redisInstalled, startRedis, type RedisServer } from '../../../test/support/redis.js';
import { batchId, FIRST_HOUR, observation, submission } from '../../../test/support/signals.js';
import { standingRows, type StandingRows } from '../../../test/support/standing-rows.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { token } from '../../../test/support/tokens.js';
import { PROCESSORS, WorkerModule } from './worker.module.js';

const DAYS = 8;
const NOW = (FIRST_HOUR + DAYS * 24) * 3_600_000;
const BATCHES_OF_A_MEMBER = 4;
type Wake = Jobs['wake'];

/** What becomes of each wake that the worker makes, the sweep's too. */
const FATES: Record<string, (wake: Wake) => Wake> = {
  'each wake arrives': (wake) => wake,
  'two wakes of three are lost': (wake) => {
    let count = 0;
    return async (kind, payload, once) => {
      if (count++ % 3 === 2) await wake(kind, payload, once);
    };
  },
  'each wake comes twice, at once': (wake) => async (kind, payload) => {
    await Promise.all([wake(kind, payload), wake(kind, payload)]);
  },
};

if (!redisInstalled) process.stderr.write('redis-server is not installed: the jobs on Redis are not tested.\n');

describe.each(['postgres', 'redis'] as const)('jobs on %s', (kind) => {
  const testIt = kind === 'redis' && !redisInstalled ? it.skip : it;
  let redis: RedisServer | undefined;
  let runs = 0;
  const ends: { fate: string; end: StandingRows; risen: string[] }[] = [];

  beforeAll(async () => {
    if (kind === 'redis' && redisInstalled) redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  testIt.each(Object.keys(FATES))(
    'lead to the same tables where %s',
    async (fate) => {
      const run = await Run.start((url) =>
        kind === 'redis' ? { kind, url: redis!.url(runs++), prefix: 'bongsu-test' } : { kind, url },
      );
      try {
        await run.submitAll();
        await run.work(FATES[fate]!);
        await run.settled();
        await run.withdrawOne();
        await run.eraseOne();
        await run.reportOutcome();
        await run.settled();
        await run.checkBackend();
        const risen = await run.checkRecommendations();
        ends.push({ fate, end: await standingRows(run.db), risen });
        for (const { end, risen } of ends) expect({ end, risen }).toEqual({ end: ends[0]!.end, risen: ends[0]!.risen });
        expect(ends[0]!.end.observations.length).toBeGreaterThan(100);
      } finally {
        await run.stop();
      }
    },
    60_000,
  );
});

describe('a worker', () => {
  const register = (processors: typeof PROCESSORS) => () =>
    WorkerModule.register(
      { production: false, pushAllowPrivate: [], issuer: ISSUER, sweepMs: 200 },
      { databaseUrl: 'postgres://x', queue: { kind: 'postgres', url: 'postgres://x' }, signingKey: privateJwk() },
      new FakeClock(NOW),
      processors,
    );

  it('does not start with a job that nobody does', () => {
    expect(register(PROCESSORS.slice(1))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        where: 'fold',
        message: expect.stringContaining('0 processors'),
      }),
    );
  });

  it('does not start with a job that two do', () => {
    expect(register([...PROCESSORS, PROCESSORS[2]!])).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        where: 'deliver',
        message: expect.stringContaining('2 processors'),
      }),
    );
  });
});

/** A worker on a database of its own, fed through the hub's services, whose own wakes are all lost. */
class Run {
  private worker: TestingModule | undefined;

  private constructor(
    readonly db: TestDatabase,
    private readonly hub: TestingModule,
    private readonly members: Member[],
    private readonly receiver: EventReceiver,
    private readonly backend: QueueBackend,
    private readonly signingKey: string,
  ) {}

  static async start(backend: (url: string) => QueueBackend): Promise<Run> {
    const db = await createTestDatabase();
    const receiver = await EventReceiver.start();
    // The first push fails: what it carried has to come again.
    receiver.answer = () => ({ status: receiver.received.length === 1 ? 503 : 202 });
    const members: Member[] = [];
    for (const name of LENDING_MEMBERS) members.push(await addMember(db, name, { url: receiver.url }));
    const signingKey = privateJwk();
    const hub = await partsOf(db, 'hub', new FakeClock(NOW), { signingKey });
    return new Run(db, hub, members, receiver, backend(db.url), signingKey);
  }

  async submitAll(): Promise<void> {
    for (const member of this.members) {
      const rows = lendingRows(member.name, DAYS);
      const size = Math.ceil(rows.observations.length / BATCHES_OF_A_MEMBER);
      for (let n = 0; n < BATCHES_OF_A_MEMBER; n++)
        await this.hub.get(SubmitSignals).submit(
          member,
          submission(n + 1, {
            ...(n === 0 ? rows : {}),
            observations: rows.observations.slice(n * size, (n + 1) * size),
          }),
        );
    }
    const wrong = { observations: [observation('upbit own 1', 'the operator', 30)] };
    await this.hub.get(SubmitSignals).submit(this.members[0]!, submission(99, wrong));
  }

  /** Starts the worker. Its clock runs on, so that retries come due. */
  async work(fate: (wake: Wake) => Wake): Promise<void> {
    const started = Date.now();
    const clock = new FakeClock(NOW);
    clock.now = () => NOW + (Date.now() - started) * 20;
    this.worker = await Test.createTestingModule({
      imports: [
        WorkerModule.register(
          { production: false, pushAllowPrivate: [], issuer: ISSUER, sweepMs: 200 },
          { databaseUrl: this.db.url, queue: this.backend, signingKey: this.signingKey },
          clock,
        ),
      ],
    }).compile();
    const jobs = this.worker.get(Jobs, { strict: false });
    jobs.wake = fate(jobs.wake.bind(jobs));
    await this.worker.init();
  }

  /** Waits until the tables say that nothing is left to do. */
  async settled(): Promise<void> {
    const until = Date.now() + 40_000;
    for (;;) {
      const [left] = await this.db.asOwner<{ n: number }>(
        `SELECT ((SELECT count(*) FROM batches WHERE state IN ('stored', 'withdrawing')) + (SELECT count(*) FROM touched)
           + (SELECT count(*) FROM erasures WHERE state = 'requested') + (SELECT count(*) FROM retention WHERE swept_day < 0)
           + (SELECT count(*) FROM to_assess) + (SELECT count(*) FROM outcomes WHERE NOT applied)
           + (SELECT count(*) FROM deliveries WHERE state = 'pending'))::int AS n`,
      );
      if (left!.n === 0) return;
      if (Date.now() > until) throw new Error(`${left!.n} still wait`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async withdrawOne(): Promise<void> {
    await this.hub.get(Batches).withdraw(this.members[0]!, batchId(99), 'a test');
  }

  async eraseOne(): Promise<void> {
    const key = token(`key ${ordinaryKeys(this.members[1]!.name)[0]!}`);
    await this.hub.get(Erasures).request(this.members[1]!, 'key', key, 'a test');
  }

  async reportOutcome(): Promise<void> {
    const [member] = this.members;
    const [first] = await this.hub.get(Recommendations).list(member!, 0, 1);
    const outcome = { outcome: 'executed', reason: null, note: null, at: new Date(NOW) } as const;
    await this.hub.get(Recommendations).reportOutcome(member!, first!.recommendation.id, outcome);
  }

  /** The jobs were where they were meant to be, and nowhere else. */
  async checkBackend(): Promise<void> {
    const sequences = await this.db.asOwner(
      `SELECT 1 FROM pg_sequences WHERE schemaname = 'bullmq' AND last_value > 0`,
    );
    expect(sequences.length > 0).toBe(this.backend.kind === 'postgres');
    if (this.backend.kind === 'postgres') return;
    const redis = new Redis(this.backend.url);
    try {
      expect(await redis.keys('bongsu-test:fold:*')).not.toEqual([]);
    } finally {
      redis.disconnect();
    }
  }

  /** Nothing lost, nothing doubled. @returns the keys that hold a rung, with it */
  async checkRecommendations(): Promise<string[]> {
    const states = await this.db.asOwner<{ key: string; rung: number }>(
      `SELECT encode(t.token, 'hex') AS key, s.rung FROM key_states s JOIN tokens t ON t.id = s.key_id WHERE s.rung > 0 ORDER BY 1`,
    );
    expect(states.length).toBeGreaterThanOrEqual(this.members.flatMap((m) => lentKeys(m.name)).length);
    const issued = await this.db.asOwner<{ key: string; rung: number; jti: string; delivery: string }>(
      `SELECT encode(r.key_token, 'hex') AS key, r.rung, d.jti, d.state AS delivery
       FROM recommendations r LEFT JOIN deliveries d ON d.recommendation_id = r.id ORDER BY r.cursor`,
    );
    // One for each rise of a key: none twice to the same rung, and the last is to the rung it holds.
    expect(new Set(issued.map((r) => `${r.key} ${r.rung}`)).size).toBe(issued.length);
    for (const { key, rung } of states)
      expect(Math.max(...issued.filter((r) => r.key === key).map((r) => r.rung))).toBeGreaterThanOrEqual(rung);
    expect(issued.every((r) => r.delivery === 'acknowledged' && r.rung <= rungRank('expire'))).toBe(true);
    expect(new Set(this.receiver.jtis)).toEqual(new Set(issued.map((r) => r.jti)));
    return states.map(({ key, rung }) => `${key} ${rung}`);
  }

  async stop(): Promise<void> {
    if (this.worker) {
      const database = this.worker.get(Database, { strict: false });
      await this.worker.close();
      await database.close();
    }
    await this.hub.close();
    await this.receiver.stop();
    await this.db.close();
  }
}
