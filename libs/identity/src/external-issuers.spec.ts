import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { calculateJwkThumbprint } from 'jose';
import { SystemClock } from '@app/infrastructure/clock';
import type { Principal } from '@app/infrastructure/database';
import { inSeconds, proofOf, signedBy } from '../../../test/support/http-client.js';
import { privateJwk, publicJwk } from '../../../test/support/parts.js';
import type { ClientKind } from './domain/client-id.js';
import { GRAPHQL_DOOR, SSF_DOOR, type Door } from './domain/doors.js';
import type { PeopleMapping } from './domain/external-issuer.js';
import { createFakeIdentity } from './fake-identity.js';

const HUB = 'https://hub.example';
const STAFF: Principal = { kind: 'staff', name: 'operator' };
const PEOPLE: PeopleMapping = {
  kind: 'people',
  as: 'regulator',
  nameClaim: 'name',
  rolesClaim: 'roles',
  roles: { inspector: ['regulator'] },
  amr: ['hwk'],
};

/** An authorization server of somebody else: its key set on the loopback, and its tokens made by hand. */
class OtherIssuer {
  asked = 0;
  answer: () => { status?: number; body: string } | 'hang' = () => ({ body: JSON.stringify({ keys: this.published }) });
  private readonly server: Server;
  readonly key = privateJwk();
  published = [{ ...publicJwk(this.key), kid: 'k1', alg: 'ES256' }];

  private constructor() {
    this.server = createServer((_request, response) => {
      this.asked++;
      const answer = this.answer();
      if (answer !== 'hang') response.writeHead(answer.status ?? 200).end(answer.body);
    });
  }

  static async start(): Promise<OtherIssuer> {
    const issuer = new OtherIssuer();
    await new Promise<void>((resolve) => issuer.server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async token(holder: string, change: object = {}, header: object = {}, key = this.key): Promise<string> {
    const now = inSeconds();
    const claims = {
      iss: this.url,
      sub: 'member:upbit',
      client_id: 'member:upbit',
      aud: `${HUB}/graphql`,
      iat: now,
      exp: now + 300,
      jti: String(Math.random()),
      scope: 'graphql',
      cnf: { jkt: await calculateJwkThumbprint(publicJwk(holder)) },
    };
    return signedBy(key, { typ: 'at+jwt', kid: 'k1', ...header }, { ...claims, ...change });
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe('tokens of other issuers', () => {
  const running: OtherIssuer[] = [];
  afterAll(() => running.forEach((issuer) => issuer.stop()));
  const holder = privateJwk();

  const setUp = async (kinds: ClientKind[] = ['member', 'staff']) => {
    const [clients, people] = [await OtherIssuer.start(), await OtherIssuer.start()];
    running.push(clients, people);
    const identity = createFakeIdentity(new SystemClock(), HUB, false, [
      { name: 'as', issuer: clients.url, jwksUri: `${clients.url}/jwks`, tokens: { kind: 'clients', as: kinds } },
      { name: 'fss', issuer: people.url, jwksUri: `${people.url}/jwks`, tokens: PEOPLE },
    ]);
    const delivery = { method: 'poll' as const };
    await identity.members.add(STAFF, { name: 'upbit', jwk: publicJwk(privateJwk()), delivery });
    const jwk = publicJwk(privateJwk());
    await identity.people.bootstrap([{ name: 'kim', roles: ['auditor', 'staff_author'], jwk }]);
    identity.auditRows.entries.length = 0;
    const verify = (token: string, door: Door = GRAPHQL_DOOR) =>
      identity.accessTokens.verify(door, {
        authorization: `${door.scheme} ${token}`,
        proof: proofOf(holder, { method: 'POST', url: `${HUB}/graphql`, token }),
        method: 'POST',
      });
    const person = (change: object = {}, header: object = {}, key = people.key) =>
      people.token(
        holder,
        { sub: '42', client_id: 'console', name: 'kim', roles: ['inspector'], amr: ['hwk'], ...change },
        header,
        key,
      );
    return { ...identity, clients, people, person, verify };
  };

  it('are taken for clients of our register, with the roles that they have there', async () => {
    const { clients, verify, members } = await setUp();
    expect(await verify(await clients.token(holder))).toEqual({
      principal: { kind: 'member', memberId: 1, name: 'upbit' },
      clientId: 'member:upbit',
      roles: ['member'],
      scopes: ['graphql'],
    });
    const staff = await clients.token(holder, { sub: 'staff:kim', client_id: 'staff:kim', roles: ['staff_operator'] });
    expect((await verify(staff)).roles).toEqual(['auditor', 'staff_author']);
    const events = { aud: `${HUB}/ssf`, scope: 'ssf.read', cnf: undefined };
    expect(await verify(await clients.token(holder, events), SSF_DOOR)).toMatchObject({ scopes: ['ssf.read'] });
    await members.suspend(STAFF, 'upbit', 'x');
    await expect(verify(await clients.token(holder))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(clients.asked).toBe(1);
  });

  it('are taken for clients of the kinds alone that the issuer may speak for', async () => {
    const { clients, verify } = await setUp(['member']);
    expect((await verify(await clients.token(holder))).clientId).toBe('member:upbit');
    const staff = await clients.token(holder, { sub: 'staff:kim', client_id: 'staff:kim' });
    await expect(verify(staff)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('are taken for people under a name of their own, with the roles that the map gives', async () => {
    const { person, verify } = await setUp();
    expect(await verify(await person())).toEqual({
      principal: { kind: 'regulator', name: 'fss/kim' },
      clientId: 'regulator:fss/kim',
      roles: ['regulator'],
      scopes: ['graphql'],
    });
  });

  it('open nothing when anything about them is wrong', async () => {
    const { clients, people, person, verify, keys, auditRows } = await setUp();
    const now = inSeconds();
    const own = { iss: clients.url, sub: 'member:upbit', client_id: 'member:upbit', aud: `${HUB}/graphql` };
    const wrong = [
      await clients.token(holder, { iss: 'https://unknown.example' }),
      await clients.token(holder, { iss: HUB }),
      await clients.token(holder, {}, {}, people.key),
      await clients.token(holder, {}, { kid: 'k2' }),
      await clients.token(holder, {}, { typ: 'JWT' }),
      await clients.token(holder, {}, { alg: 'HS256' }),
      await clients.token(holder, {}, { alg: 'none' }),
      await clients.token(holder, { aud: 'https://other.example/graphql' }),
      await clients.token(holder, { aud: `${HUB}/ssf` }),
      await clients.token(holder, { exp: now - 1 }),
      await clients.token(holder, { exp: now + 700 }),
      await clients.token(holder, { iat: now + 3600, exp: now + 3900 }),
      await clients.token(holder, { cnf: undefined }),
      await clients.token(privateJwk()),
      await clients.token(holder, { scope: undefined }),
      await clients.token(holder, { client_id: 'member:bithumb' }),
      await clients.token(holder, { sub: 'member:nobody', client_id: 'member:nobody' }),
      await clients.token(holder, { sub: 'kim', client_id: 'kim', name: 'kim', roles: ['inspector'], amr: ['hwk'] }),
      await keys.sign({ ...own, iat: now, exp: now + 60, jti: 'a', scope: 'graphql' }, 'at+jwt'),
      await person({ amr: ['pwd'] }),
      await person({ roles: ['regulator'] }),
      await person({ name: undefined }),
      await person({ iss: clients.url }),
    ];
    for (const token of wrong)
      await expect(verify(token)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
        message: 'A valid access token is needed.',
      });
    const events = await person({ aud: `${HUB}/ssf`, scope: 'ssf.read', cnf: undefined });
    await expect(verify(events, SSF_DOOR)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(auditRows.entries).toHaveLength(wrong.length + 1);
    expect(JSON.stringify(auditRows.entries)).not.toContain('eyJ');
  });

  it('of a registered client’s issuer do not speak for people, nor the other way round', async () => {
    const { people, verify } = await setUp();
    await expect(verify(await people.token(holder))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it.each<[string, OtherIssuer['answer']]>([
    ['an error', () => ({ status: 500, body: 'x' })],
    ['no JSON', () => ({ body: '<html>' })],
    ['more than anybody needs', () => ({ body: JSON.stringify({ keys: [], x: 'a'.repeat(70_000) }) })],
  ])(
    'are told to come again where the issuer answers with %s, and it is not asked each time',
    async (_what, answer) => {
      const { clients, verify, auditRows } = await setUp();
      clients.answer = answer;
      for (let i = 0; i < 3; i++)
        await expect(verify(await clients.token(holder))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(clients.asked).toBe(1);
      expect(auditRows.entries).toEqual([]);
    },
  );

  it('follow the issuer’s rotation of its keys', async () => {
    const { clients, verify } = await setUp();
    const next = privateJwk();
    clients.published = [...clients.published, { ...publicJwk(next), kid: 'k2', alg: 'ES256' }];
    await verify(await clients.token(holder, {}, { kid: 'k2' }, next));
    await verify(await clients.token(holder));
    expect(clients.asked).toBe(1);
  });
});
