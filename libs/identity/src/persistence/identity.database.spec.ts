import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Global, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AUDIT_ENTITIES, AuditLog, AuditModule } from '@app/audit';
import { Clock, FakeClock } from '@app/infrastructure/clock';
import { Database, TypeOrmDatabase, type Principal } from '@app/infrastructure/database';
import { KEYS_ENTITIES, KeysModule, SigningKeys } from '@app/keys';
import { askToken, assertionOf, proofOf } from '../../../../test/support/http-client.js';
import { settled } from '../../../../test/support/settled.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import { AccessTokens, type Credentials } from '../access-tokens.service.js';
import { AuthorizationServer } from '../authorization-server.service.js';
import { GRAPHQL_DOOR } from '../domain/doors.js';
import { IdentityModule } from '../identity.module.js';
import { MemberEndpoints } from '../member-endpoints.service.js';
import { Members } from '../members.service.js';
import { People } from '../people.service.js';
import { UsedAssertionAdapter } from './used-assertion.adapter.js';
import { UsedAssertions } from '../used-assertions.service.js';
import { IDENTITY_ENTITIES } from './entities.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const ISSUER = 'http://127.0.0.1:3000';
const STAFF: Principal = { kind: 'staff', name: 'operator' };
const AUDITOR: Principal = { kind: 'staff', name: 'auditor', roles: ['auditor'] };
const JOB: Principal = { kind: 'job', name: 'deliver' };
const GATE: Principal = { kind: 'gate', name: 'identity' };
const REGULATOR: Principal = { kind: 'regulator', name: 'fss' };
/** A principal whose settings match no policy: what a forgotten one would look like. */
const NOBODY = { kind: '', name: '' } as unknown as Principal;

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = { upbit: newKey(), bithumb: newKey(), kim: newKey(), hub: newKey() };
const publicJwk = (name: keyof typeof keys) => keys[name].publicKey.export({ format: 'jwk' });

describe('accounts on PostgreSQL', () => {
  let db: TestDatabase;
  let hub: Database;
  let worker: Database;
  let module: TestingModule;
  let server: Server;
  let at: string;
  const clock = new FakeClock(NOW);
  const ids: Record<string, number> = {};

  const connect = (role: 'bongsu_hub' | 'bongsu_worker') =>
    new TypeOrmDatabase({
      url: db.url,
      role,
      poolSize: 3,
      entities: [...KEYS_ENTITIES, ...AUDIT_ENTITIES, ...IDENTITY_ENTITIES],
    });

  beforeAll(async () => {
    db = await createTestDatabase();
    hub = connect('bongsu_hub');
    worker = connect('bongsu_worker');
    @Global()
    @Module({
      providers: [
        { provide: Database, useValue: hub },
        { provide: Clock, useValue: clock },
      ],
      exports: [Database, Clock],
    })
    class SurroundingsModule {}
    module = await Test.createTestingModule({
      imports: [
        SurroundingsModule,
        KeysModule.forRoot({ signingKey: JSON.stringify(keys.hub.privateKey.export({ format: 'jwk' })) }),
        AuditModule,
        IdentityModule.forRoot({ issuer: () => ISSUER, production: false }),
      ],
    }).compile();
    server = createServer((request, response) => void module.get(AuthorizationServer).token(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const members = module.get(Members);
    const push = { method: 'push' as const, endpointUrl: 'http://127.0.0.1:4000/events', authorization: 'Bearer one' };
    const contacts = [{ name: 'Duty desk', email: 'desk@upbit.example' }];
    ids['upbit'] = (await members.add(STAFF, { name: 'upbit', jwk: publicJwk('upbit'), delivery: push, contacts })).id;
    const poll = { method: 'poll' as const };
    ids['bithumb'] = (await members.add(STAFF, { name: 'bithumb', jwk: publicJwk('bithumb'), delivery: poll })).id;
    await module.get(People).bootstrap([{ name: 'kim', roles: ['staff_operator'], jwk: publicJwk('kim') }]);
  });

  afterAll(async () => {
    server?.closeAllConnections();
    server?.close();
    await module?.close();
    await hub?.close();
    await worker?.close();
    await db?.close();
  });

  const jwkOf = (name: 'upbit' | 'bithumb') => JSON.stringify(keys[name].privateKey.export({ format: 'jwk' }));
  const assertion = (name: 'upbit' | 'bithumb') =>
    assertionOf({ clientId: `member:${name}`, jwk: jwkOf(name) }, ISSUER);
  const ask = (name: 'upbit' | 'bithumb', client_assertion: string) =>
    askToken(at, client_assertion, {}, proofOf(jwkOf(name), { method: 'POST', url: `${ISSUER}/oauth/token` }));
  const tokenFor = async (name: 'upbit' | 'bithumb') =>
    ((await (await ask(name, assertion(name))).json()) as { access_token: string }).access_token;
  const shown = (name: 'upbit' | 'bithumb', token: string): Credentials => ({
    authorization: `DPoP ${token}`,
    proof: proofOf(jwkOf(name), { method: 'POST', url: `${ISSUER}/graphql`, token }),
    method: 'POST',
  });
  const verify = (credentials: Credentials) => module.get(AccessTokens).verify(GRAPHQL_DOOR, credentials);

  it('keeps what was handed in', async () => {
    const members = module.get(Members);
    expect(await members.byId(STAFF, ids['upbit']!)).toEqual({
      id: ids['upbit'],
      name: 'upbit',
      state: 'active',
      jwk: expect.objectContaining({ kty: 'EC', crv: 'P-256' }),
      previousKey: null,
      deliveryMethod: 'push',
      endpointUrl: 'http://127.0.0.1:4000/events',
      contacts: [{ name: 'Duty desk', email: 'desk@upbit.example' }],
      createdAt: new Date(NOW),
    });
    expect((await members.list(STAFF)).map((m) => m.name)).toEqual(['bithumb', 'upbit']);
    expect(await members.byIds(STAFF, [])).toEqual([]);
  });

  it('refuses a name and a key that are taken', async () => {
    const members = module.get(Members);
    const delivery = { method: 'poll' as const };
    const sameName = { name: 'upbit', jwk: newKey().publicKey.export({ format: 'jwk' }), delivery };
    await expect(members.add(STAFF, sameName)).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'name' });
    const sameJwk = { name: 'coinone', jwk: publicJwk('upbit'), delivery };
    await expect(members.add(STAFF, sameJwk)).rejects.toMatchObject({ code: 'BAD_INPUT', where: 'jwk' });
  });

  it('issues and verifies a token, and lets an assertion count once even when two come at the same time', async () => {
    expect(await verify(shown('upbit', await tokenFor('upbit')))).toMatchObject({ clientId: 'member:upbit' });
    const twice = assertion('bithumb');
    const answers = await Promise.all([1, 2, 3].map(() => ask('bithumb', twice)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
  });

  it('lets a proof count once, also when two processes see it at the same time', async () => {
    const credentials = shown('upbit', await tokenFor('upbit'));
    const results = await Promise.allSettled([1, 2, 3].map(() => verify(credentials)));
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
    expect(results.filter((r) => r.status === 'rejected')[0]).toMatchObject({ reason: { code: 'UNAUTHENTICATED' } });
  });

  it('forgets used assertions and proofs once they have expired, not before', async () => {
    await db.asOwner(`INSERT INTO used_assertions VALUES ('member:upbit', 'old', now() - interval '1 second')`);
    await db.asOwner(`INSERT INTO used_assertions VALUES ('member:upbit', 'new', now() + interval '1 minute')`);
    const another = new UsedAssertions(hub, new UsedAssertionAdapter());
    expect(await another.use('member:upbit', 'old', 60)).toBe(true);
    expect(await another.use('member:upbit', 'new', 60)).toBe(false);
    expect(await another.use('member:bithumb', 'new', 60)).toBe(true);
  });

  it('refuses a suspended member’s token, and takes it again after reinstatement', async () => {
    const token = await tokenFor('bithumb');
    const members = module.get(Members);
    await members.suspend(STAFF, 'bithumb', 'audit');
    await expect(verify(shown('bithumb', token))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await members.reinstate(STAFF, 'bithumb', 'audit closed');
    await expect(verify(shown('bithumb', token))).resolves.toBeDefined();
  });

  it('brings people to what the file says, and suspends who is no longer in it', async () => {
    const people = module.get(People);
    const lee = { name: 'lee', roles: ['auditor'], jwk: newKey().publicKey.export({ format: 'jwk' }) };
    const kim = { name: 'kim', roles: ['staff_operator', 'staff_author'], jwk: publicJwk('kim') };
    await people.bootstrap([kim, lee]);
    expect(await people.byName(STAFF, 'kim')).toMatchObject({ roles: kim.roles, state: 'active' });
    await people.bootstrap([kim]);
    expect((await people.list(STAFF)).map((p) => `${p.name} ${p.state}`)).toEqual(['kim active', 'lee suspended']);
    const before = await db.asOwner(`SELECT id FROM audit_log`);
    await people.bootstrap([kim]);
    expect(await db.asOwner(`SELECT id FROM audit_log`)).toHaveLength(before.length);
  });

  it('publishes the signing key once, whichever process is first', async () => {
    const own = module.get(SigningKeys);
    await Promise.all([own.register(), own.register()]);
    const jwks = await own.jwks();
    expect(jwks.keys).toEqual([expect.objectContaining({ kid: (await own.current()).kid, alg: 'ES256', use: 'sig' })]);
    expect(JSON.stringify(jwks)).not.toContain('"d"');
  });

  describe('row-level security', () => {
    const names = async (principal: Principal, database = hub) =>
      (
        await database.transaction(principal, (tx) =>
          tx.query<{ name: string }[]>('SELECT name FROM members ORDER BY name'),
        )
      ).map((row) => row.name);
    const memberOf = (name: string): Principal => ({ kind: 'member', memberId: ids[name]!, name });

    it('shows a member its own row only, and nobody none', async () => {
      expect(await names(memberOf('upbit'))).toEqual(['upbit']);
      expect(await names(memberOf('bithumb'))).toEqual(['bithumb']);
      expect(await names(NOBODY)).toEqual([]);
      expect(await names({ kind: 'job', name: 'fold' })).toEqual([]);
      expect(await names(STAFF)).toEqual(['bithumb', 'upbit']);
      expect(await names(JOB, worker)).toEqual(['bithumb', 'upbit']);
      expect(await names(NOBODY, worker)).toEqual([]);
    });

    it('answers a member that asks for another with "no such"', async () => {
      const other = module.get(Members).byId(memberOf('upbit'), ids['bithumb']!);
      await expect(other).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('lets nobody but staff change a member', async () => {
      for (const principal of [memberOf('upbit'), GATE, REGULATOR, NOBODY]) {
        const change = `UPDATE members SET state = 'suspended' WHERE name = 'upbit' RETURNING id`;
        const changed = hub.transaction(principal, (tx) => tx.query<[unknown[]]>(change));
        // A member sees its own row, and may change the key in it alone.
        if (principal.kind === 'member') await expect(changed).rejects.toThrow(/its key only/);
        else expect((await changed)[0]).toEqual([]);
        const add = `INSERT INTO members (name, jwk, created_at) VALUES ('mallory', '{}', now())`;
        await expect(hub.transaction(principal, (tx) => tx.query(add))).rejects.toThrow(/row-level security/);
      }
    });

    it('lets a member change the key of its own row, and of no other', async () => {
      const change = (name: string) =>
        hub.transaction(memberOf('upbit'), async (tx) => {
          const sql = `UPDATE members SET jwk = jwk || '{"x":"y"}' WHERE name = $1 RETURNING id`;
          const [rows] = await tx.query<[unknown[]]>(sql, [name]);
          throw new Error(`rows ${rows.length}`);
        });
      await expect(change('upbit')).rejects.toThrow('rows 1');
      await expect(change('bithumb')).rejects.toThrow('rows 0');
      for (const column of [`name = 'x1'`, `endpoint_url = 'http://x'`, `contacts = '[]'`]) {
        const sql = `UPDATE members SET ${column} WHERE name = 'upbit'`;
        await expect(hub.transaction(memberOf('upbit'), (tx) => tx.query(sql))).rejects.toThrow(
          /its key only|permission denied/,
        );
      }
    });

    it('hides people from members, regulators and nobody', async () => {
      const count = (principal: Principal) =>
        hub.transaction(principal, async (tx) => (await tx.query<unknown[]>('SELECT 1 FROM people')).length);
      expect(await count(STAFF)).toBeGreaterThan(0);
      for (const principal of [memberOf('upbit'), REGULATOR, NOBODY]) expect(await count(principal)).toBe(0);
      await expect(worker.transaction(JOB, (tx) => tx.query('SELECT 1 FROM people'))).rejects.toThrow(
        /permission denied/,
      );
    });

    it('lets jobs of the worker alone read what endpoints want', async () => {
      const endpoints = module.get(MemberEndpoints);
      expect(await worker.transaction(JOB, (tx) => endpoints.authorizationOf(tx, ids['upbit']!))).toBe('Bearer one');
      expect(await worker.transaction(JOB, (tx) => endpoints.authorizationOf(tx, ids['bithumb']!))).toBeNull();
      expect(await worker.transaction(NOBODY, (tx) => endpoints.authorizationOf(tx, ids['upbit']!))).toBeNull();
      for (const principal of [STAFF, memberOf('upbit'), GATE]) {
        const read = hub.transaction(principal, (tx) => endpoints.authorizationOf(tx, ids['upbit']!));
        await expect(read).rejects.toThrow(/permission denied/);
      }
    });

    it('keeps used assertions to the gate', async () => {
      const read = (principal: Principal) =>
        hub.transaction(principal, (tx) => tx.query<unknown[]>('SELECT 1 FROM used_assertions'));
      expect(await read(memberOf('upbit'))).toEqual([]);
      expect((await read(GATE)).length).toBeGreaterThan(0);
    });
  });

  describe('the audit', () => {
    it('tells who did what to whom and when', async () => {
      await settled(db);
      const entries = await hub.transaction(AUDITOR, (tx) => module.get(AuditLog).read(tx));
      expect(entries[0]).toMatchObject({
        at: new Date(NOW),
        actor: 'staff:operator',
        action: 'member.added',
        subject: 'member:upbit',
        before: null,
        after: { deliveryMethod: 'push', endpointUrl: 'http://127.0.0.1:4000/events', state: 'active' },
      });
      expect(entries.map((e) => e.action)).toEqual(
        expect.arrayContaining([
          'member.suspended',
          'member.reinstated',
          'person.added',
          'token.denied',
          'access.denied',
        ]),
      );
      expect(JSON.stringify(entries)).not.toContain('Bearer one');
      const rest = await hub.transaction(AUDITOR, (tx) => module.get(AuditLog).read(tx, entries[1]!.cursor));
      expect(rest).toEqual(entries.slice(2));
    });

    it('can be written by every principal and by nobody without one, and read by auditors only', async () => {
      const write = (database: Database, principal: Principal, actor: string) =>
        database.transaction(principal, (tx) =>
          module.get(AuditLog).record(tx, { actor, action: 'test.done', subject: '-' }),
        );
      const member: Principal = { kind: 'member', memberId: ids['upbit']!, name: 'upbit' };
      await write(worker, JOB, 'job:test');
      await write(hub, member, 'member:upbit');
      await expect(write(hub, member, 'member:bithumb')).rejects.toThrow(/row-level security/);
      await expect(
        hub.transaction(GATE, async (tx) => {
          await tx.query(`SELECT set_config('bongsu.principal', '', true)`);
          await module.get(AuditLog).record(tx, { actor: 'x', action: 'x', subject: 'x' });
        }),
      ).rejects.toThrow(/row-level security/);
      for (const who of [REGULATOR, STAFF, GATE])
        expect(await hub.transaction(who, (tx) => module.get(AuditLog).read(tx))).toEqual([]);
    });

    it.each(['UPDATE audit_log SET actor = 1', 'DELETE FROM audit_log', 'TRUNCATE audit_log', 'DROP TABLE audit_log'])(
      'refuses both roles: %s',
      async (statement) => {
        const denied = /permission denied|must be owner/;
        await expect(hub.transaction(STAFF, (tx) => tx.query(statement))).rejects.toThrow(denied);
        await expect(worker.transaction(JOB, (tx) => tx.query(statement))).rejects.toThrow(denied);
      },
    );

    it('falls with the change that it records', async () => {
      const attempt = hub.transaction(STAFF, async (tx) => {
        await module.get(AuditLog).record(tx, { actor: 'staff:operator', action: 'never.happened', subject: '-' });
        throw new Error('rolled back');
      });
      await expect(attempt).rejects.toThrow('rolled back');
      expect(await db.asOwner(`SELECT 1 FROM audit_log WHERE action = 'never.happened'`)).toEqual([]);
    });
  });
});
