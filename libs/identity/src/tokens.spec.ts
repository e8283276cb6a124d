import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base64url, calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import { SystemClock } from '@app/infrastructure/clock';
import type { Principal } from '@app/infrastructure/database';
import { within } from '@app/infrastructure/logging';
import {
  askToken,
  assertionOf,
  inSeconds,
  proofOf,
  signedBy,
  type HubCaller,
} from '../../../test/support/http-client.js';
import { privateJwk, publicJwk } from '../../../test/support/parts.js';
import type { Credentials } from './access-tokens.service.js';
import { GRAPHQL_DOOR, SSF_DOOR, type Door } from './domain/doors.js';
import { createFakeIdentity } from './fake-identity.js';

const ISSUER = 'https://hub.example/bongsu';
const TOKEN_URL = `${ISSUER}/oauth/token`;
const STAFF: Principal = { kind: 'staff', name: 'operator' };
const FROM = '192.0.2.7';

const caller = (clientId: string, jwk = privateJwk()): HubCaller => ({ clientId, jwk });
const ed25519 = () => JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
const inContext = <T>(work: () => T): T => within({ requestId: 'r', from: FROM }, work);

type World = Awaited<ReturnType<typeof setUp>>;
const servers: Server[] = [];
afterAll(() =>
  servers.forEach((server) => {
    server.closeAllConnections();
    server.close();
  }),
);

/** The authorization server behind a plain HTTP server, at another address than its issuer's, and its resource doors. */
async function setUp() {
  const identity = createFakeIdentity(new SystemClock(), ISSUER);
  const { authorizationServer, accessTokens, members, people, auditRows } = identity;
  const [upbit, bithumb] = [caller('member:upbit'), caller('member:bithumb', ed25519())];
  const author = caller('staff:kim');
  const delivery = { method: 'poll' as const };
  await members.add(STAFF, { name: 'upbit', jwk: publicJwk(upbit.jwk), delivery });
  await members.add(STAFF, { name: 'bithumb', jwk: publicJwk(bithumb.jwk), delivery });
  await people.bootstrap([{ name: 'kim', roles: ['staff_author', 'regulator'], jwk: publicJwk(author.jwk) }]);
  auditRows.entries.length = 0;
  const server = createServer((request, response) =>
    inContext(() => void authorizationServer.token(request, response)),
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const ask = async (assertion: string, form: Record<string, string> = {}, proof?: string | null) => {
    const made = form['scope']?.startsWith('ssf') ? null : proofOf(upbit.jwk, { method: 'POST', url: TOKEN_URL });
    const response = await askToken(at, assertion, form, proof === undefined ? made : proof);
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, string>,
    };
  };
  /** A token for the API, bound to the key of whoever asks. */
  const token = async (who: HubCaller = upbit, claims: object = {}) => {
    const proof = proofOf(who.jwk, { method: 'POST', url: TOKEN_URL });
    return (await ask(assertionOf(who, ISSUER, claims), {}, proof)).body['access_token']!;
  };
  const eventsToken = async (who: HubCaller = upbit, scope = 'ssf.read') =>
    (await ask(assertionOf(who, ISSUER), { scope })).body['access_token']!;
  const url = `${ISSUER}/graphql`;
  /** What a request to the API shows. */
  const shown = (bearer: string, who: HubCaller = upbit, change: object = {}, header: object = {}): Credentials => ({
    authorization: `DPoP ${bearer}`,
    proof: proofOf(who.jwk, { method: 'POST', url, token: bearer }, change, header),
    method: 'POST',
  });
  const verify = (credentials: Credentials, door: Door = GRAPHQL_DOOR) =>
    inContext(() => accessTokens.verify(door, credentials));
  const verifyBearer = (bearer: string) =>
    verify({ authorization: `Bearer ${bearer}`, proof: undefined, method: 'POST' }, SSF_DOOR);
  return { ...identity, at, upbit, bithumb, author, ask, token, eventsToken, shown, verify, verifyBearer };
}

function unsigned(claims: JWTPayload): string {
  const part = (value: unknown) => base64url.encode(JSON.stringify(value));
  return `${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims)}.`;
}

describe('a token for an assertion', () => {
  it('is an RFC 9068 access token of ten minutes, bound to the key that the request proves', async () => {
    const { ask, upbit, keys } = await setUp();
    const before = inSeconds();
    const { status, headers, body } = await ask(assertionOf(upbit, ISSUER));
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('set-cookie')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(body).toEqual({ access_token: expect.any(String), token_type: 'DPoP', expires_in: 600, scope: 'graphql' });
    const { kid } = await keys.current();
    expect(decodeProtectedHeader(body['access_token']!)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid });
    const claims = decodeJwt(body['access_token']!);
    expect(claims).toEqual({
      iss: ISSUER,
      sub: 'member:upbit',
      client_id: 'member:upbit',
      aud: `${ISSUER}/graphql`,
      iat: expect.any(Number),
      exp: claims.iat! + 600,
      jti: expect.any(String),
      roles: ['member'],
      member_id: 1,
      scope: 'graphql',
      cnf: { jkt: await calculateJwkThumbprint(publicJwk(upbit.jwk)) },
    });
    expect(claims.iat).toBeGreaterThanOrEqual(before);
  });

  it('for event streams is a plain bearer token with its own audience', async () => {
    const { ask, upbit } = await setUp();
    const { body } = await ask(assertionOf(upbit, ISSUER), { scope: 'ssf.read ssf.manage' });
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'ssf.read ssf.manage' });
    const claims = decodeJwt(body['access_token']!);
    expect(claims).toMatchObject({ aud: `${ISSUER}/ssf`, scope: 'ssf.read ssf.manage', member_id: 1 });
    expect(claims).not.toHaveProperty('cnf');
  });

  it('is given for the token endpoint as audience, for a list of one, for an Ed25519 key, and whatever a key is called', async () => {
    const { ask, upbit, bithumb } = await setUp();
    const status = async (assertion: string, form: Record<string, string> = {}) => (await ask(assertion, form)).status;
    expect(await status(assertionOf(upbit, TOKEN_URL))).toBe(200);
    expect(await status(assertionOf(upbit, ISSUER, { aud: [ISSUER] }))).toBe(200);
    expect(await status(assertionOf(bithumb, ISSUER))).toBe(200);
    expect(await status(assertionOf(upbit, ISSUER), { client_id: 'member:upbit' })).toBe(200);
    expect(await status(assertionOf(upbit, ISSUER), { resource: `${ISSUER}/graphql` })).toBe(200);
    const claims = decodeJwt(assertionOf(upbit, ISSUER));
    expect(await status(signedBy(upbit.jwk, { typ: 'JWT', kid: 'upbit-1' }, claims))).toBe(200);
  });

  it('carries a person’s roles under the kind they sign in as, never both kinds', async () => {
    const { token, author } = await setUp();
    const as = async (clientId: string) => decodeJwt(await token({ ...author, clientId }));
    expect(await as('staff:kim')).toMatchObject({ roles: ['staff_author'], scope: 'graphql' });
    expect(await as('regulator:kim')).toMatchObject({ roles: ['regulator'] });
    expect(await as('regulator:kim')).not.toHaveProperty('member_id');
  });
});

describe('a refused assertion', () => {
  const from = (change: (now: number) => object) => (w: World) => assertionOf(w.upbit, ISSUER, change(inSeconds()));
  const cases: [name: string, make: (world: World) => string][] = [
    ['expired', from((now) => ({ iat: now - 301, exp: now - 1 }))],
    ['expiring this very second', from((now) => ({ iat: now - 10, exp: now }))],
    ['living longer than five minutes', from((now) => ({ exp: now + 302 }))],
    ['living longer than five minutes from a later time', from((now) => ({ iat: now + 29, exp: now + 400 }))],
    ['from the future', from((now) => ({ iat: now + 35, exp: now + 60 }))],
    ['not valid yet', from((now) => ({ nbf: now + 60 }))],
    ['without expiry', from(() => ({ exp: undefined }))],
    ['without time of issue', from(() => ({ iat: undefined }))],
    ['with a time of issue that is no number', from(() => ({ iat: 'now' }))],
    ['without id', from(() => ({ jti: undefined }))],
    ['with an empty id', from(() => ({ jti: '' }))],
    ['with an id without end', from(() => ({ jti: 'a'.repeat(201) }))],
    ['with an id that is no text', from(() => ({ jti: { a: 1 } }))],
    ['for another audience', from(() => ({ aud: 'https://other.example' }))],
    ['for the address that it reached', (w) => assertionOf(w.upbit, w.at)],
    ['for two audiences', from(() => ({ aud: [ISSUER, 'https://other.example'] }))],
    ['issued by another than its subject', from(() => ({ iss: 'member:bithumb' }))],
    ['signed with another member’s key', (w) => assertionOf({ ...w.upbit, jwk: w.bithumb.jwk }, ISSUER)],
    ['signed with an unknown key', (w) => assertionOf({ ...w.upbit, jwk: privateJwk() }, ISSUER)],
    ['of an unknown member', (w) => assertionOf({ ...w.upbit, clientId: 'member:x1' }, ISSUER)],
    ['of a person as a kind that they are not', (w) => assertionOf({ ...w.author, clientId: 'member:kim' }, ISSUER)],
    ['of something that is no client id', (w) => assertionOf({ ...w.upbit, clientId: 'upbit' }, ISSUER)],
    ['without subject', from(() => ({ sub: undefined }))],
    ['whose subject is no text', from(() => ({ sub: { a: 1 } }))],
    ['unsigned', () => unsigned({ iss: 'member:upbit', sub: 'member:upbit', aud: ISSUER, jti: 'a', exp: 9e9 })],
    [
      'signed with a shared secret',
      (w) => signedBy(w.upbit.jwk, { alg: 'HS256' }, decodeJwt(assertionOf(w.upbit, ISSUER))),
    ],
  ];

  it.each(cases)('%s: one answer, one audit row', async (_name, make) => {
    const world = await setUp();
    const { status, body, headers } = await world.ask(make(world));
    expect({ status, body }).toEqual({
      status: 401,
      body: { error: 'invalid_client', error_description: 'The client could not be authenticated.' },
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(world.auditRows.entries).toMatchObject([
      { actor: 'unknown', action: 'token.denied', from: FROM, detail: { reason: expect.stringMatching(/.+/) } },
    ]);
    expect(JSON.stringify(world.auditRows.entries)).not.toContain('eyJ');
  });

  it('used a second time, also at the same moment', async () => {
    const { ask, upbit, auditRows } = await setUp();
    const once = assertionOf(upbit, ISSUER);
    const proofs = () => proofOf(upbit.jwk, { method: 'POST', url: TOKEN_URL });
    const answers = await Promise.all([1, 2, 3].map(() => ask(once, {}, proofs())));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    expect((await ask(once)).body['error']).toBe('invalid_client');
    expect(auditRows.entries).toHaveLength(3);
  });

  it('of a suspended member, until it is reinstated', async () => {
    const { ask, upbit, members } = await setUp();
    await members.suspend(STAFF, 'upbit', 'key lost');
    expect((await ask(assertionOf(upbit, ISSUER))).status).toBe(401);
    await members.reinstate(STAFF, 'upbit', 'new key');
    expect((await ask(assertionOf(upbit, ISSUER))).status).toBe(200);
  });
});

describe('a request for a bound token', () => {
  const proofs: [name: string, make: (world: World) => string | null][] = [
    ['without proof', () => null],
    ['with a proof for another address', (w) => proofOf(w.upbit.jwk, { method: 'POST', url: `${w.at}/oauth/token` })],
    ['with a proof for another method', (w) => proofOf(w.upbit.jwk, { method: 'GET', url: TOKEN_URL })],
    ['with an old proof', (w) => proofOf(w.upbit.jwk, { method: 'POST', url: TOKEN_URL }, { iat: inSeconds() - 63 })],
    [
      'with a proof from the future',
      (w) => proofOf(w.upbit.jwk, { method: 'POST', url: TOKEN_URL }, { iat: inSeconds() + 65 }),
    ],
    [
      'with a proof that names another key',
      (w) => proofOf(w.upbit.jwk, { method: 'POST', url: TOKEN_URL }, {}, { jwk: publicJwk(privateJwk()) }),
    ],
    ['with a proof without id', (w) => proofOf(w.upbit.jwk, { method: 'POST', url: TOKEN_URL }, { jti: undefined })],
    ['with something that is no proof', () => 'x.y.z'],
  ];
  it.each(proofs)('%s is refused, whatever else is right', async (_name, make) => {
    const world = await setUp();
    const { status, body } = await world.ask(assertionOf(world.upbit, ISSUER), {}, make(world));
    expect({ status, error: body['error'] }).toEqual({ status: 400, error: 'invalid_dpop_proof' });
    expect(body['error_description']).toBe('A fresh DPoP proof of this request is needed (RFC 9449).');
    expect(world.auditRows.entries).toHaveLength(1);
  });

  it('is refused with a proof that was used', async () => {
    const { ask, upbit } = await setUp();
    const proof = proofOf(upbit.jwk, { method: 'POST', url: TOKEN_URL });
    expect((await ask(assertionOf(upbit, ISSUER), {}, proof)).status).toBe(200);
    expect((await ask(assertionOf(upbit, ISSUER), {}, proof)).body['error']).toBe('invalid_dpop_proof');
  });
});

describe('a malformed token request', () => {
  it.each<[string, Record<string, string>, string]>([
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['a grant of the same server that is off', { grant_type: 'authorization_code' }, 'unsupported_grant_type'],
    ['no grant', { grant_type: '' }, 'invalid_request'],
    ['another kind of assertion', { client_assertion_type: 'saml' }, 'invalid_request'],
    ['no assertion', { client_assertion: '' }, 'invalid_request'],
    ['an assertion that is no JWT', { client_assertion: 'not.a.jwt' }, 'invalid_request'],
    ['an assertion without end', { client_assertion: 'a'.repeat(70_000) }, 'invalid_request'],
    ['another client’s id', { client_id: 'member:bithumb' }, 'invalid_request'],
    ['another resource', { resource: 'https://other.example' }, 'invalid_target'],
    ['the other door’s resource', { resource: `${ISSUER}/ssf` }, 'invalid_target'],
    ['a resource that is no URL', { resource: 'x' }, 'invalid_target'],
    ['an unknown scope', { scope: 'admin' }, 'invalid_scope'],
    ['scopes of both doors', { scope: 'graphql ssf.read' }, 'invalid_scope'],
    ['a scope of another world', { scope: 'openid' }, 'invalid_scope'],
    ['a scope out of its alphabet', { scope: '"\\' }, 'invalid_scope'],
  ])('%s is said plainly', async (_name, change, error) => {
    const { ask, upbit } = await setUp();
    const { status, body } = await ask(assertionOf(upbit, ISSUER), change);
    expect({ status, error: body['error'] }).toEqual({ status: 400, error });
    expect(JSON.stringify(body)).not.toMatch(/eyJ|bithumb|other\.example|admin/);
  });

  it('without form, as JSON, or with a field twice is told in the same form', async () => {
    const { at, upbit } = await setUp();
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion: assertionOf(upbit, ISSUER),
    });
    form.append('client_assertion', 'again');
    for (const request of [{}, { body: '{}', headers: { 'content-type': 'application/json' } }, { body: form }]) {
      const response = await fetch(at, { method: 'POST', ...request });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    }
    const html = await fetch(at, { method: 'POST', headers: { accept: 'text/html' } });
    expect(html.headers.get('content-type')).toContain('application/json');
  });

  it('gives people no scope of event streams, and event streams no bound token', async () => {
    const { ask, author, upbit } = await setUp();
    expect((await ask(assertionOf(author, ISSUER), { scope: 'ssf.read' })).body['error']).toBe('invalid_scope');
    const proof = proofOf(upbit.jwk, { method: 'POST', url: TOKEN_URL });
    expect((await ask(assertionOf(upbit, ISSUER), { scope: 'ssf.read' }, proof)).body['error']).toBe('invalid_request');
  });
});

describe('an access token', () => {
  it('says who calls', async () => {
    const { verify, shown, token, author } = await setUp();
    expect(await verify(shown(await token()))).toEqual({
      principal: { kind: 'member', memberId: 1, name: 'upbit' },
      clientId: 'member:upbit',
      roles: ['member'],
      scopes: ['graphql'],
    });
    expect(await verify(shown(await token(author), author))).toMatchObject({
      principal: { kind: 'staff', name: 'kim' },
    });
  });

  it('of an Ed25519 key, and with a scheme in any case, is as good', async () => {
    const { verify, shown, token, bithumb } = await setUp();
    const credentials = shown(await token(bithumb), bithumb);
    const lower = { ...credentials, authorization: credentials.authorization!.replace('DPoP', 'dpop') };
    expect(await verify(lower)).toMatchObject({ clientId: 'member:bithumb' });
  });

  it('for event streams opens those, and only those', async () => {
    const { verifyBearer, verify, shown, eventsToken, token, keys } = await setUp();
    expect(await verifyBearer(await eventsToken())).toMatchObject({ scopes: ['ssf.read'], clientId: 'member:upbit' });
    await expect(verify(shown(await eventsToken()))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(verifyBearer(await token())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    // A bound token is not to be shown without its proof, whatever it is for.
    const bound = await keys.sign({ ...decodeJwt(await eventsToken()), cnf: { jkt: 'A'.repeat(43) } }, 'at+jwt');
    await expect(verifyBearer(bound)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('of a suspended member no longer counts', async () => {
    const { verify, verifyBearer, shown, token, eventsToken, members } = await setUp();
    const [bound, plain] = [await token(), await eventsToken()];
    await verify(shown(bound));
    await members.suspend(STAFF, 'upbit', 'key lost');
    await expect(verify(shown(bound))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(verifyBearer(plain)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('loses a role that its holder has lost', async () => {
    const { verify, shown, token, people, author } = await setUp();
    const jwk = publicJwk(author.jwk);
    await people.bootstrap([{ name: 'kim', roles: ['staff_author', 'auditor'], jwk }]);
    const bearer = await token(author);
    await people.bootstrap([{ name: 'kim', roles: ['auditor', 'staff_approver'], jwk }]);
    expect((await verify(shown(bearer, author))).roles).toEqual(['auditor']);
  });

  it('is refused, with one answer, when anything about it is wrong', async () => {
    const { verify, shown, token, upbit, keys, auditRows } = await setUp();
    const good = decodeJwt(await token());
    const [header, payload] = (await token()).split('.');
    const resigned = (claims: object, typ = 'at+jwt') => keys.sign({ ...good, ...claims }, typ);
    const now = inSeconds();
    const wrong = [
      'x',
      'a'.repeat(9000),
      assertionOf(upbit, `${ISSUER}/graphql`),
      unsigned(good),
      `${header}.${payload}.${'A'.repeat(86)}`,
      signedBy(upbit.jwk, { typ: 'at+jwt', kid: (await keys.current()).kid }, good),
      await resigned({}, 'secevent+jwt'),
      await resigned({}, 'JWT'),
      await resigned({ exp: now }),
      await resigned({ exp: now - 1 }),
      await resigned({ nbf: now + 60 }),
      await resigned({ exp: undefined }),
      await resigned({ aud: ISSUER }),
      await resigned({ aud: `${ISSUER}/ssf` }),
      await resigned({ iss: 'https://other.example' }),
      await resigned({ cnf: undefined }),
      await resigned({ cnf: {} }),
      await resigned({ cnf: { jkt: 'A'.repeat(43) } }),
      await resigned({ scope: undefined }),
      await resigned({ scope: 'ssf.read' }),
      await resigned({ member_id: 2 }),
      await resigned({ sub: 'member:bithumb', member_id: 2 }),
      await resigned({ sub: 'member:nobody', client_id: 'member:nobody' }),
      await resigned({ sub: 'gate:identity', client_id: 'gate:identity' }),
    ];
    for (const bearer of wrong)
      await expect(verify(shown(bearer))).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
        message: 'A valid access token is needed.',
      });
    expect(auditRows.entries.filter((e) => e.action === 'access.denied')).toHaveLength(wrong.length);
    expect(JSON.stringify(auditRows.entries)).not.toContain('eyJ');
  });

  it.each<[string, (w: World, bearer: string) => Credentials]>([
    ['no token', (w, bearer) => ({ ...w.shown(bearer), authorization: undefined })],
    ['no proof', (w, bearer) => ({ ...w.shown(bearer), proof: undefined })],
    ['as a bearer token', (w, bearer) => ({ ...w.shown(bearer), authorization: `Bearer ${bearer}` })],
    ['as a bearer token without proof', (w, b) => ({ authorization: `Bearer ${b}`, proof: undefined, method: 'POST' })],
    ['a proof of another key', (w, bearer) => w.shown(bearer, w.bithumb)],
    ['a proof for another method', (w, bearer) => ({ ...w.shown(bearer), method: 'GET' })],
    ['a proof for another address', (w, bearer) => w.shown(bearer, w.upbit, { htu: `${ISSUER}/other` })],
    ['a proof for no address', (w, bearer) => w.shown(bearer, w.upbit, { htu: 5 })],
    ['a proof for another token', (w, bearer) => w.shown(bearer, w.upbit, { ath: 'A'.repeat(43) })],
    ['a proof for no token', (w, bearer) => w.shown(bearer, w.upbit, { ath: undefined })],
    ['an old proof', (w, bearer) => w.shown(bearer, w.upbit, { iat: inSeconds() - 63 })],
    ['a proof from the future', (w, bearer) => w.shown(bearer, w.upbit, { iat: inSeconds() + 65 })],
    ['a proof without time', (w, bearer) => w.shown(bearer, w.upbit, { iat: undefined })],
    ['a proof without id', (w, bearer) => w.shown(bearer, w.upbit, { jti: undefined })],
    ['a proof with an empty id', (w, bearer) => w.shown(bearer, w.upbit, { jti: '' })],
    ['a proof of another type', (w, bearer) => w.shown(bearer, w.upbit, {}, { typ: 'JWT' })],
    ['a proof without key', (w, bearer) => w.shown(bearer, w.upbit, {}, { jwk: undefined })],
    ['a proof that names its private key', (w, b) => w.shown(b, w.upbit, {}, { jwk: JSON.parse(w.upbit.jwk) })],
    ['a proof that is not signed', (w, bearer) => w.shown(bearer, w.upbit, {}, { alg: 'none' })],
    ['two proofs', (w, b) => ({ ...w.shown(b), proof: `${w.shown(b).proof}, ${w.shown(b).proof}` })],
  ])('is refused with %s', async (_name, make) => {
    const world = await setUp();
    const bearer = await world.token();
    await expect(world.verify(make(world, bearer))).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'A valid access token is needed.',
    });
    expect(world.auditRows.entries).toMatchObject([{ action: 'access.denied', from: FROM }]);
    await expect(world.verify(world.shown(bearer))).resolves.toBeDefined();
  });

  it('needs a new proof each time, and takes one for its address with a query', async () => {
    const { verify, shown, token, upbit, auditRows } = await setUp();
    const credentials = shown(await token(), upbit, { htu: `${ISSUER}/graphql?query=x#y` });
    await verify(credentials);
    await expect(verify(credentials)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(auditRows.entries.at(-1)).toMatchObject({ from: FROM, detail: { reason: 'proof_replayed' } });
  });
});

describe('a flood of refusals', () => {
  it('fills neither the audit nor the way to it', async () => {
    const { verify, auditRows } = await setUp();
    for (let i = 0; i < 40; i++)
      await expect(verify({ authorization: 'DPoP x', proof: undefined, method: 'POST' })).rejects.toThrow();
    expect(auditRows.entries).toHaveLength(31);
    expect(auditRows.entries.at(-1)).toMatchObject({ from: FROM, detail: { reason: 'flood' } });
  });
});
