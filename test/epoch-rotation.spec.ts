import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { Assess } from '@app/assessments';
import { deriveKeyPair } from '@app/blinding';
import { FakeClock, SystemClock } from '@app/infrastructure/clock';
import { encodeToken, publicPart } from '@app/protocol';
import { InlineEvaluator } from '../apps/blinder/src/evaluator.js';
import { startBlinder, type RunningBlinder } from '../apps/blinder/src/start-blinder.js';
import { ALLIANCE, signedList } from '../apps/blinder/src/testing.js';
import { BlinderApi } from '../apps/cli/src/api/blinder-api.js';
import { HubApi } from '../apps/cli/src/api/hub-api.js';
import { Rotation } from '../apps/cli/src/epochs/rotation.js';
import { startHub, type RunningHub } from '../apps/hub/src/start-hub.js';
import { Agent } from '../apps/member-agent/src/agent.js';
import type { AgentConfig } from '../apps/member-agent/src/config/agent-config.js';
import { RunLoop } from '../apps/member-agent/src/run-loop.js';
import { startWorker, type RunningWorker } from '../apps/worker/src/start-worker.js';
import { graphql, tokenOf } from './support/http-client.js';
import { partsOf, privateJwk, publicJwk } from './support/parts.js';
import { batchId, compactOf, FIRST_HOUR } from './support/signals.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';
import { until } from './support/until.js';

const MEMBERS = ['upbit', 'bithumb', 'coinone'];
const KEYS = ['lent-1', 'lent-2', 'own-1', 'own-2'];
const DAYS = 8;
const NOW = (FIRST_HOUR + DAYS * 24) * 3_600_000;
const iso = (hour: number) => new Date((FIRST_HOUR + hour) * 3_600_000).toISOString();

const homeOf = (member: string, key: string) => `203.0.113.${10 * (MEMBERS.indexOf(member) + 1) + KEYS.indexOf(key)}`;
const isLent = (key: string) => key.startsWith('lent');

/** One operator runs the lent keys of all members from one address; the others stay at home. */
function keyLines(member: string): string {
  return KEYS.map((key) => {
    const allowed = [{ ip: homeOf(member, key), added_at: iso(0), removed_at: null }];
    if (isLent(key)) allowed.push({ ip: '198.51.100.7', added_at: iso(48), removed_at: null });
    return `${JSON.stringify({
      access_key: key, owner: `CI of ${member} ${key}`, account_type: 'individual', permissions: ['read', 'trade'],
      allowed_ips: allowed, created_at: iso(-2400), expires_at: null,
    })}\n`; // prettier-ignore
  }).join('');
}

function usageLines(member: string, hour: number): string {
  if (![2, 9, 16].includes(hour % 24)) return '';
  return KEYS.map((key) => {
    const away = isLent(key) && hour >= 48;
    return `${JSON.stringify({
      hour: iso(hour), access_key: key, ip: away ? '198.51.100.7' : homeOf(member, key), network: 'hosting',
      client: away ? 'rare-bot/1' : 'python-requests/2.31', requests: 60, orders: 6, rejected: 0, active_slots: 4095,
      burst_slots: away ? 18 : 0,
    })}\n`; // prettier-ignore
  }).join('');
}

describe('a change of the blinding key under load', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-rotation-'));
  const path = (...parts: string[]) => join(folder, ...parts);
  const clock = new FakeClock(NOW);
  const notes: string[] = [];
  let db: TestDatabase;
  let hub: RunningHub;
  let worker: RunningWorker;
  const blinders: RunningBlinder[] = [];
  const agents = new Map<string, Agent>();
  const loops = new Map<string, RunLoop>();
  const jwks = new Map([...MEMBERS, 'kim'].map((name) => [name, privateJwk()]));

  const open = async (member: string, config: AgentConfig) => {
    const agent = await Agent.open(config, clock, config.inputs, (text) => notes.push(`${member}: ${text}`));
    const loop = new RunLoop(agent, (text) => notes.push(`${member}: ${text}`));
    await loop.start();
    agents.set(member, agent);
    loops.set(member, loop);
  };

  beforeAll(async () => {
    db = await createTestDatabase();
    const secrets = {
      databaseUrl: db.url,
      queue: { kind: 'postgres', url: db.url } as const,
      signingKey: privateJwk(),
    };
    const people = [{ name: 'kim', roles: ['staff_operator'], jwk: publicJwk(jwks.get('kim')!) }];
    const common = { host: '127.0.0.1', port: 0, issuer: undefined, production: false, pushAllowPrivate: [] };
    hub = await startHub({ ...common, people }, secrets, clock);
    worker = await startWorker(
      { production: false, pushAllowPrivate: [], issuer: hub.url, sweepMs: 200 },
      secrets,
      clock,
    );
    for (const name of MEMBERS)
      await db.asOwner(`INSERT INTO members (name, jwk, delivery_method, created_at) VALUES ($1, $2, 'poll', now())`, [
        name,
        JSON.stringify(publicJwk(jwks.get(name)!)),
      ]);
    const entry = (name: string) => ({ name, keys: [publicJwk(jwks.get(name)!)] });
    const list = await signedList({ members: MEMBERS.map(entry), staff: [entry('kim')] });
    const publicKeys: Uint8Array[] = [];
    for (const n of [1, 2]) {
      const seed = new Uint8Array(32).fill(n);
      mkdirSync(path(`blinder-${n}`));
      writeFileSync(path(`blinder-${n}`, 'members.jws'), list);
      writeFileSync(path(`blinder-${n}`, 'seed'), Buffer.from(seed).toString('hex'));
      publicKeys.push(deriveKeyPair(seed, Buffer.from('bongsu/v1/blinder/epoch/1')).publicKey);
      const config = {
        host: '127.0.0.1', port: 0, epoch: 1, membersFile: path(`blinder-${n}`, 'members.jws'),
        allianceKey: publicPart(ALLIANCE), production: false, dailyQuota: 100_000, keyDir: path(`blinder-${n}`, 'keys'),
        seedFile: path(`blinder-${n}`, 'seed'), stateDir: path(`blinder-${n}`, 'state'), audience: 'bongsu-blinder',
      }; // prettier-ignore
      blinders.push(
        await startBlinder(config, { seed }, {
          clock: new SystemClock(), log: pino({ level: 'silent' }),
          evaluatorFor: (secretKey) => new InlineEvaluator(secretKey),
        }), // prettier-ignore
      );
    }
    for (const member of MEMBERS) {
      mkdirSync(path(member));
      writeFileSync(path(member, 'key.jwk'), jwks.get(member)!, { mode: 0o600 });
      writeFileSync(path(member, 'keys.jsonl'), keyLines(member));
      writeFileSync(path(member, 'usage.jsonl'), '');
      await open(member, {
        file: path(member, 'agent.yaml'), member, hub: { url: hub.url, issuer: undefined },
        blinders: blinders.map(({ url }, i) => ({ url, audience: undefined, publicKeys: new Map([[1, publicKeys[i]!]]) })),
        epoch: 1, keyFile: path(member, 'key.jwk'), stateDir: path(member, 'state'), purpose: 'key_lending_detection',
        legalBasis: 'contract_terms',
        inputs: [{ kind: 'keys', path: path(member, 'keys.jsonl') }, { kind: 'usage', path: path(member, 'usage.jsonl') }],
        network: 'field', spoolBytes: 1 << 30, receive: 'poll', listen: null, pushAuthorization: null,
        acting: { mode: 'dry-run', expire: 'hold', capPerHour: 20, hook: null }, loopMs: 50,
      }); // prettier-ignore
    }
  }, 120_000);

  afterAll(async () => {
    await Promise.all([...loops.values()].map((loop) => loop.stop()));
    await Promise.all(blinders.map((blinder) => blinder.close()));
    await worker?.stop();
    await hub?.stop();
    await db?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const feed = (hour: number) => {
    for (const member of MEMBERS) appendFileSync(path(member, 'usage.jsonl'), usageLines(member, hour));
  };
  const settled = () =>
    until(
      'everything that was fed is assessed',
      async () => {
        for (const agent of agents.values()) if (!(await agent.caughtUp())) return false;
        const [row] = await db.asOwner<{ waits: boolean }>(
          `SELECT EXISTS (SELECT 1 FROM batches WHERE state = 'stored') OR EXISTS (SELECT 1 FROM touched)
           OR EXISTS (SELECT 1 FROM to_assess) OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'pending') AS waits`,
        );
        return !row!.waits;
      },
      60_000,
    );
  const tokenCounts = async () =>
    (await db.asOwner<{ n: string }>(`SELECT kind || ':' || count(*) AS n FROM tokens GROUP BY kind ORDER BY 1`)).map(
      (r) => r.n,
    );
  /** Where each key stands, by its member's own name for it. */
  const standings = async () => {
    const rows = await db.asOwner<{ id: number; member: string; token: Buffer; rung: number; p: number }>(
      `SELECT s.key_id AS id, m.name AS member, t.token, s.rung, s.probability AS p FROM key_states s
       JOIN tokens t ON t.id = s.key_id JOIN members m ON m.id = s.member_id`,
    );
    return rows
      .map(({ member, token, ...rest }) => ({
        key: `${member} ${agents.get(member)!.cache.accessKeyOf(encodeToken(token))}`,
        ...rest,
      }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  };

  it('loses and doubles nothing, and leaves every key where it stands', async () => {
    for (let hour = 0; hour < 96; hour++) feed(hour);
    await settled();
    const before = await standings();
    const counts = await tokenCounts();
    expect(before).toHaveLength(MEMBERS.length * KEYS.length);

    // Hour after hour comes in while the key is changed.
    let fed = 96;
    let done = false;
    const load = (async () => {
      while (fed < DAYS * 24) {
        feed(fed++);
        await wait(done ? 0 : 100);
      }
    })();
    writeFileSync(path('kim.jwk'), jwks.get('kim')!, { mode: 0o600 });
    const staff = await HubApi.open(hub.url, 'staff:kim', path('kim.jwk'));
    const doors = await Promise.all(blinders.map(({ url }) => BlinderApi.open(url, 'kim', path('kim.jwk'))));
    const said: string[] = [];
    const patience = { deadline: null, graceMs: 4000, everyMs: 100 };
    // Cut off after its first step, and begun again.
    await new Rotation(staff, doors, (text) => said.push(text)).announce();
    await new Rotation(staff, doors, (text) => said.push(text)).run(patience);
    done = true;
    await load;
    await settled();

    expect(said.at(-1)).toMatch(/has destroyed its key of epoch 1/);
    const epochs = await new Rotation(staff, doors, () => {}).epochs();
    expect(epochs.map(({ state, destroyed }) => `${state} ${destroyed.length}`)).toEqual(['CLOSED 2', 'ACTIVE 0']);
    for (const n of [1, 2]) expect(existsSync(path(`blinder-${n}`, 'seed'))).toBe(false);
    for (const agent of agents.values()) {
      expect(agent.epochs.status).toEqual({ current: 2, coming: null });
      expect(agent.epochs.trouble).toBeNull();
    }

    // The same ids, under the new tokens; no value has two.
    expect(await tokenCounts()).toEqual(counts);
    const after = await standings();
    expect(after.map(({ id, key }) => `${id} ${key}`)).toEqual(before.map(({ id, key }) => `${id} ${key}`));
    const lines = readFileSync(path('upbit', 'usage.jsonl'), 'utf8').trim().split('\n').length;
    const [observations] = await db.asOwner<{ n: number }>('SELECT count(*)::int AS n FROM observations');
    expect(observations!.n).toBe(lines * MEMBERS.length);
    expect(await db.asOwner('SELECT 1 FROM reenrolments')).toEqual([]);

    // Assessed from scratch, nothing moves: what was derived before the change still fits what it was derived from.
    const parts = await partsOf(db, 'worker', clock);
    await db.asOwner('INSERT INTO touched (key_id, day) SELECT DISTINCT key_id, day FROM observations');
    while ((await parts.get(Assess).drain()) > 0);
    await parts.close();
    expect(await standings()).toEqual(after);

    // Every recommendation reached its member once, and none was made twice.
    const issued = await db.asOwner<{ id: string; key_id: number; rung: number }>(
      'SELECT id, key_id, rung FROM recommendations',
    );
    expect(issued.length).toBeGreaterThan(0);
    expect(new Set(issued.map((r) => `${r.key_id} ${r.rung}`)).size).toBe(issued.length);
    await until(
      'all recommendations have arrived',
      () => [...agents.values()].reduce((sum, agent) => sum + agent.journal.cases.size, 0) === issued.length,
    );
    const received = [...agents.values()].flatMap((agent) => [...agent.journal.cases.keys()]);
    expect(received.sort()).toEqual(issued.map((r) => r.id).sort());

    // The old epoch takes nothing any more.
    const upbit = { clientId: 'member:upbit', jwk: jwks.get('upbit')! };
    const input = {
      batchId: batchId(999), sequence: 1_000_000, epoch: 1, purpose: 'KEY_LENDING_DETECTION',
      legalBasis: 'CONTRACT_TERMS', compact: Buffer.from(compactOf({})).toString('base64'),
    }; // prettier-ignore
    const { errors } = await graphql(
      hub.url,
      await tokenOf(hub.url, upbit),
      'mutation ($input: SubmitSignalsInput!) { submitSignals(input: $input) { accepted } }',
      { input },
    );
    expect(errors[0]!.extensions.code).toBe('EPOCH_CLOSED');
    await staff.close();
    for (const door of doors) await door.close();
  }, 180_000);
});
