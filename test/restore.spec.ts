import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { FakeClock } from '@app/infrastructure/clock';
import { ensureLogin, migrateDatabase, startEmbeddedPostgres, type EmbeddedServer } from '@app/infrastructure/database';
import { startHub, type RunningHub } from '../apps/hub/src/start-hub.js';
import { startWorker, type RunningWorker } from '../apps/worker/src/start-worker.js';
import { MIGRATIONS } from '../migrations/index.js';
import { EventReceiver } from './support/event-receiver.js';
import { hotBackup } from './support/hot-backup.js';
import { LENDING_DAYS, LENDING_NOW, LendingCallers } from './support/lending-hub.js';
import { privateJwk } from './support/parts.js';
import { standingRows } from './support/standing-rows.js';
import { until } from './support/until.js';

/** PostgreSQL, hub and worker on one folder. */
class Site {
  private constructor(
    private readonly server: EmbeddedServer,
    private readonly owner: pg.Pool,
    readonly hub: RunningHub,
    private readonly worker: RunningWorker,
  ) {}

  static async start(folder: string, callers: LendingCallers, signingKey: string, clock: FakeClock): Promise<Site> {
    const server = await startEmbeddedPostgres(folder, false);
    await migrateDatabase(server.ownerUrl, MIGRATIONS);
    const databaseUrl = await ensureLogin(server.ownerUrl, randomBytes(16).toString('hex'));
    const queue = { kind: 'postgres', url: databaseUrl } as const;
    const secrets = { databaseUrl, queue, signingKey };
    const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 });
    owner.on('error', () => undefined);
    const { people } = callers;
    const hub = await startHub(
      { host: '127.0.0.1', port: 0, issuer: undefined, production: false, people, pushAllowPrivate: [] },
      secrets,
      clock,
    );
    const worker = await startWorker(
      { issuer: hub.url, sweepMs: 200, production: false, pushAllowPrivate: [] },
      secrets,
      clock,
    );
    return new Site(server, owner, hub, worker);
  }

  get ownerUrl(): string {
    return this.server.ownerUrl;
  }

  async asOwner<T>(sql: string): Promise<T[]> {
    return (await this.owner.query(sql)).rows as T[];
  }

  standing() {
    return standingRows({ asOwner: (sql: string) => this.asOwner(sql) } as never);
  }

  rungs() {
    return this.asOwner(
      `SELECT encode(t.token, 'hex') AS key, s.rung FROM key_states s JOIN tokens t ON t.id = s.key_id ORDER BY 1`,
    );
  }

  events() {
    return this.asOwner<{ jti: string; state: string; what: string }>(
      `SELECT d.jti, d.state, encode(r.key_token, 'hex') || ' ' || r.rung AS what
       FROM deliveries d JOIN recommendations r ON r.id = d.recommendation_id`,
    );
  }

  batches() {
    return this.asOwner<string>(
      `SELECT 'member:' || m.name || ' ' || b.sequence AS of FROM batches b JOIN members m ON m.id = b.member_id`,
    ).then((rows) => rows.map((row) => (row as unknown as { of: string }).of));
  }

  settled(): Promise<void> {
    return until('nothing is left to do', async () => {
      const [left] = await this.asOwner<{ n: string }>(
        `SELECT (SELECT count(*) FROM batches WHERE state <> 'folded') + (SELECT count(*) FROM touched)
           + (SELECT count(*) FROM to_assess) + (SELECT count(*) FROM deliveries WHERE state = 'pending') AS n`,
      );
      return Number(left!.n) === 0;
    });
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.hub.stop();
    await this.owner.end();
    await this.server.stop();
  }
}

describe('a backup that was made while batches came in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-restore-'));
  // Run as root, PostgreSQL gets an account of its own, which has to reach its folder.
  chmodSync(folder, 0o755);
  const callers = new LendingCallers();
  const signingKey = privateJwk();
  const clock = new FakeClock(LENDING_NOW);
  let receiver: EventReceiver;
  let site: Site | undefined;

  beforeAll(async () => {
    receiver = await EventReceiver.start();
  });
  afterAll(async () => {
    await site?.stop();
    await receiver?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('is restored elsewhere and goes on: nothing that it held is lost, nothing counts twice', async () => {
    const first = (site = await Site.start(join(folder, 'first'), callers, signingKey, clock));
    await callers.join(first.hub, { endpointUrl: receiver.url, authorization: 'Bearer x' });
    const all = callers.members.flatMap((member) => callers.batchesOf(member).map((batch) => ({ member, batch })));
    const days = (from: number, to: number) => all.filter(({ batch }) => batch.n >= from && batch.n <= to);
    const answered: string[] = [];
    const send = async (to: Site, batches: typeof all) => {
      for (const { member, batch } of batches) {
        const { data } = await callers.submit(to.hub, member, batch);
        expect(data.submitSignals.accepted).toBeGreaterThan(0);
        answered.push(`${member.clientId} ${batch.n}`);
      }
    };
    await send(first, days(1, LENDING_DAYS - 3));
    await until('events are delivered', () => receiver.received.length > 0);

    // The copy is made while these are taken in and folded.
    const under = send(first, days(LENDING_DAYS - 2, LENDING_DAYS - 1));
    let held: string[] = [];
    await hotBackup(first.ownerUrl, join(folder, 'first'), join(folder, 'second'), async () => {
      const before = answered.length;
      await until('batches come in during the backup', () => answered.length > before);
      held = [...answered];
    });
    await under;
    await send(first, days(LENDING_DAYS, LENDING_DAYS));
    await first.settled();
    const expected = { standing: await first.standing(), rungs: await first.rungs() };
    expect(expected.standing.observations.length).toBeGreaterThan(100);
    site = undefined;
    await first.stop();

    const second = (site = await Site.start(join(folder, 'second'), callers, signingKey, clock));
    const restored = await second.batches();
    expect(restored).toEqual(expect.arrayContaining(held));
    expect(restored.length).toBeLessThan(all.length);
    // Members send again whatever came after; what is there already gets its first answer.
    await send(second, all);
    await second.settled();
    expect({ standing: await second.standing(), rungs: await second.rungs() }).toEqual(expected);
    // What had not been handed over when the copy was made is handed over now, perhaps for the second time.
    const events = await second.events();
    expect(events.length).toBeGreaterThan(0);
    expect(events.every(({ state }) => state === 'acknowledged')).toBe(true);
    expect(receiver.jtis).toEqual(expect.arrayContaining(events.map(({ jti }) => jti)));
    expect(new Set(events.map(({ what }) => what)).size).toBe(events.length);
  }, 120_000);
});
