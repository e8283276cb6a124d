import { randomUUID } from 'node:crypto';
import {
  base64url,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type JWTPayload,
} from 'jose';
import { FakeClock } from '@app/infrastructure/clock';
import type { Principal } from '@app/infrastructure/database';
import { createFakeIdentity } from './fake-identity.js';
import type { OAuthError } from './oauth-error.js';
import { ASSERTION_TYPE, type TokenRequest } from './token-issuer.service.js';

const ISSUER = 'https://hub.example';
const NOW = Date.parse('2026-06-01T00:00:00Z');
const STAFF: Principal = { kind: 'staff', name: 'operator' };

type Alg = 'ES256' | 'EdDSA';

async function keyPair(alg: Alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: await exportJWK(publicKey) };
}

async function setUp() {
  const clock = new FakeClock(NOW);
  const identity = createFakeIdentity(clock, ISSUER);
  const [upbit, bithumb, author] = await Promise.all([keyPair('ES256'), keyPair('EdDSA'), keyPair('ES256')]);
  const delivery = { method: 'poll' as const };
  await identity.members.add(STAFF, { name: 'upbit', jwk: upbit.jwk, delivery });
  await identity.members.add(STAFF, { name: 'bithumb', jwk: bithumb.jwk, delivery });
  await identity.people.bootstrap([{ name: 'kim', roles: ['staff_author', 'regulator'], jwk: author.jwk }]);
  identity.auditRows.entries.length = 0;

  /** An assertion of the member upbit, with what a case changes about it; a claim set to undefined is left out. */
  const assertion = (claims: JWTPayload = {}, key = upbit.privateKey, alg: string = 'ES256') => {
    const iat = clock.now() / 1000;
    const all = { iss: 'member:upbit', sub: 'member:upbit', aud: ISSUER, iat, exp: iat + 300, jti: randomUUID() };
    const payload = Object.fromEntries(Object.entries({ ...all, ...claims }).filter(([, v]) => v !== undefined));
    return new SignJWT(payload).setProtectedHeader({ alg }).sign(key);
  };
  const request = (client_assertion: unknown, more: TokenRequest = {}): TokenRequest => ({
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion,
    ...more,
  });
  const token = async (...args: Parameters<typeof assertion>) =>
    (await identity.tokenIssuer.grant(request(await assertion(...args)))).access_token;
  return { clock, ...identity, upbit, bithumb, author, assertion, request, token };
}

function unsigned(claims: JWTPayload): string {
  const part = (value: unknown) => base64url.encode(JSON.stringify(value));
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}

describe('a token for an assertion', () => {
  it('is an RFC 9068 access token of ten minutes', async () => {
    const { tokenIssuer, request, assertion, keys } = await setUp();
    const answer = await tokenIssuer.grant(request(await assertion()));
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'graphql ssf.read ssf.manage' });
    expect(decodeProtectedHeader(answer.access_token)).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: keys.current().kid,
    });
    expect(decodeJwt(answer.access_token)).toEqual({
      iss: ISSUER,
      sub: 'member:upbit',
      client_id: 'member:upbit',
      aud: `${ISSUER}/graphql`,
      iat: NOW / 1000,
      exp: NOW / 1000 + 600,
      jti: expect.any(String),
      roles: ['member'],
      member_id: 1,
      scope: 'graphql ssf.read ssf.manage',
    });
  });

  it('is given for the token endpoint as audience, for a list of one audience, and for an Ed25519 key', async () => {
    const { token, bithumb } = await setUp();
    await expect(token({ aud: `${ISSUER}/oauth/token` })).resolves.toBeDefined();
    await expect(token({ aud: [ISSUER] })).resolves.toBeDefined();
    const claims = { iss: 'member:bithumb', sub: 'member:bithumb' };
    await expect(token(claims, bithumb.privateKey, 'EdDSA')).resolves.toBeDefined();
  });

  it('carries a person’s roles under the kind they sign in as, never both kinds', async () => {
    const { token, author } = await setUp();
    const as = async (id: string) => decodeJwt(await token({ iss: id, sub: id }, author.privateKey));
    expect(await as('staff:kim')).toMatchObject({ roles: ['staff_author'], scope: 'graphql' });
    expect(await as('regulator:kim')).toMatchObject({ roles: ['regulator'] });
    expect(await as('regulator:kim')).not.toHaveProperty('member_id');
  });

  it('can be narrowed to scopes, not widened', async () => {
    const { tokenIssuer, request, assertion } = await setUp();
    const narrow = await tokenIssuer.grant(request(await assertion(), { scope: 'ssf.read' }));
    expect(narrow.scope).toBe('ssf.read');
    const wide = tokenIssuer.grant(request(await assertion(), { scope: 'ssf.read admin' }));
    await expect(wide).rejects.toMatchObject({ status: 400, error: 'invalid_scope' });
  });
});

describe('a refused assertion', () => {
  type World = Awaited<ReturnType<typeof setUp>>;
  const seconds = NOW / 1000;
  const cases: [name: string, reason: string, make: (world: World) => Promise<unknown> | string][] = [
    ['expired', 'expired', (w) => w.assertion({ iat: seconds - 301, exp: seconds - 1 })],
    ['expiring this very second', 'expired', (w) => w.assertion({ iat: seconds - 10, exp: seconds })],
    ['living longer than five minutes', 'claims', (w) => w.assertion({ exp: seconds + 301 })],
    ['from the future', 'claims', (w) => w.assertion({ iat: seconds + 31, exp: seconds + 60 })],
    ['without expiry', 'claims', (w) => w.assertion({ exp: undefined })],
    ['without time of issue', 'claims', (w) => w.assertion({ iat: undefined })],
    ['without id', 'claims', (w) => w.assertion({ jti: undefined })],
    ['with an empty id', 'claims', (w) => w.assertion({ jti: '' })],
    ['for another audience', 'claims', (w) => w.assertion({ aud: 'https://other.example' })],
    ['for two audiences', 'claims', (w) => w.assertion({ aud: [ISSUER, 'https://other.example'] })],
    ['issued by another than its subject', 'claims', (w) => w.assertion({ iss: 'member:bithumb' })],
    ['signed with another member’s key', 'signature', (w) => w.assertion({}, w.bithumb.privateKey, 'EdDSA')],
    ['signed with an unknown key', 'signature', async (w) => w.assertion({}, (await keyPair('ES256')).privateKey)],
    ['of an unknown member', 'unknown_client', (w) => w.assertion({ iss: 'member:x1', sub: 'member:x1' })],
    [
      'of a person as a kind that they are not',
      'unknown_client',
      (w) => w.assertion({ iss: 'member:kim', sub: 'member:kim' }),
    ],
    ['of something that is no client id', 'unknown_client', (w) => w.assertion({ iss: 'upbit', sub: 'upbit' })],
    ['without subject', 'malformed', (w) => w.assertion({ sub: undefined })],
    ['unsigned', 'signature', () => unsigned({ iss: 'member:upbit', sub: 'member:upbit', aud: ISSUER, jti: 'a' })],
    ['that is no JWT', 'malformed', () => 'not.a.jwt'],
  ];

  it.each(cases)('%s: one answer, one audit row', async (_name, reason, make) => {
    const world = await setUp();
    const attempt = world.tokenIssuer.grant(world.request(await make(world)), '192.0.2.7');
    const error = await attempt.then(
      () => null,
      (e: OAuthError) => e,
    );
    expect(error?.status).toBe(401);
    expect(error?.body).toEqual({
      error: 'invalid_client',
      error_description: 'The client could not be authenticated.',
    });
    expect(world.auditRows.entries).toMatchObject([
      { actor: 'unknown', action: 'token.denied', detail: { reason, from: '192.0.2.7' } },
    ]);
  });

  it('used a second time', async () => {
    const { tokenIssuer, request, assertion, auditRows } = await setUp();
    const once = await assertion();
    await tokenIssuer.grant(request(once));
    await expect(tokenIssuer.grant(request(once))).rejects.toMatchObject({ error: 'invalid_client' });
    expect(auditRows.entries.at(-1)?.detail).toEqual({ reason: 'replayed' });
  });

  it('signed with a shared secret made of the public key', async () => {
    const { tokenIssuer, request, upbit } = await setUp();
    const forged = await new SignJWT({ aud: ISSUER, jti: 'a', iss: 'member:upbit', sub: 'member:upbit' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt(NOW / 1000)
      .setExpirationTime(NOW / 1000 + 60)
      .sign(new TextEncoder().encode(JSON.stringify(upbit.jwk)));
    await expect(tokenIssuer.grant(request(forged))).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('of a suspended member, until it is reinstated', async () => {
    const { tokenIssuer, request, assertion, members } = await setUp();
    await members.suspend(STAFF, 'upbit', 'key lost');
    await expect(tokenIssuer.grant(request(await assertion()))).rejects.toMatchObject({ error: 'invalid_client' });
    await members.reinstate(STAFF, 'upbit', 'new key');
    await expect(tokenIssuer.grant(request(await assertion()))).resolves.toBeDefined();
  });

  it('whose client_id field names another client', async () => {
    const { tokenIssuer, request, assertion } = await setUp();
    const attempt = tokenIssuer.grant(request(await assertion(), { client_id: 'member:bithumb' }));
    await expect(attempt).rejects.toMatchObject({ error: 'invalid_client' });
  });

  it('leaves no trace of used ids longer than they could be used', async () => {
    const { clock, token, used } = await setUp();
    await token();
    clock.at += 301_000;
    await token();
    expect(used.size).toBe(1);
  });
});

describe('a malformed token request', () => {
  it.each<[string, TokenRequest, string]>([
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['no grant', { grant_type: undefined }, 'unsupported_grant_type'],
    ['another kind of assertion', { client_assertion_type: 'saml' }, 'invalid_request'],
    ['no assertion', { client_assertion: undefined }, 'invalid_request'],
    ['two assertions', { client_assertion: ['a', 'b'] }, 'invalid_request'],
    ['an assertion without end', { client_assertion: 'a'.repeat(8193) }, 'invalid_request'],
    ['two scopes', { scope: ['a', 'b'] }, 'invalid_request'],
  ])('%s is said plainly', async (_name, change, error) => {
    const { tokenIssuer, request, assertion } = await setUp();
    const attempt = tokenIssuer.grant({ ...request(await assertion()), ...change });
    await expect(attempt).rejects.toMatchObject({ status: 400, error });
  });
});

describe('an access token', () => {
  it('says who calls', async () => {
    const { accessTokens, token, author } = await setUp();
    expect(await accessTokens.verify(await token())).toEqual({
      principal: { kind: 'member', memberId: 1, name: 'upbit' },
      clientId: 'member:upbit',
      roles: ['member'],
      scopes: ['graphql', 'ssf.read', 'ssf.manage'],
    });
    const staff = await token({ iss: 'staff:kim', sub: 'staff:kim' }, author.privateKey);
    expect(await accessTokens.verify(staff)).toMatchObject({ principal: { kind: 'staff', name: 'kim' } });
  });

  it('counts until its tenth minute by the injected clock', async () => {
    const { accessTokens, token, clock } = await setUp();
    const bearer = await token();
    clock.at += 599_000;
    await expect(accessTokens.verify(bearer)).resolves.toBeDefined();
    clock.at += 1_000;
    await expect(accessTokens.verify(bearer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('of a suspended member no longer counts', async () => {
    const { accessTokens, token, members } = await setUp();
    const bearer = await token();
    await accessTokens.verify(bearer);
    await members.suspend(STAFF, 'upbit', 'key lost');
    await expect(accessTokens.verify(bearer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('loses a role that its holder has lost', async () => {
    const { accessTokens, token, people, author } = await setUp();
    await people.bootstrap([{ name: 'kim', roles: ['staff_author', 'auditor'], jwk: author.jwk }]);
    const bearer = await token({ iss: 'staff:kim', sub: 'staff:kim' }, author.privateKey);
    await people.bootstrap([{ name: 'kim', roles: ['auditor', 'staff_approver'], jwk: author.jwk }]);
    expect((await accessTokens.verify(bearer)).roles).toEqual(['auditor']);
  });

  it('is refused, with one answer, when anything about it is wrong', async () => {
    const { accessTokens, token, assertion, keys, auditRows } = await setUp();
    const good = decodeJwt(await token());
    const [header, payload] = (await token()).split('.');
    const resigned = (claims: JWTPayload, typ = 'at+jwt') => keys.sign({ ...good, ...claims }, typ);
    const wrong = [
      'x',
      'a'.repeat(9000),
      await assertion(),
      unsigned(good),
      `${header}.${payload}.${'A'.repeat(86)}`,
      await resigned({}, 'secevent+jwt'),
      await resigned({}, 'JWT'),
      await resigned({ aud: ISSUER }),
      await resigned({ iss: 'https://other.example' }),
      await resigned({ member_id: 2 }),
      await resigned({ sub: 'member:bithumb', member_id: 2 }),
      await resigned({ sub: 'member:nobody', client_id: 'member:nobody' }),
      await resigned({ sub: 'gate:identity', client_id: 'gate:identity' }),
    ];
    for (const bearer of wrong)
      await expect(accessTokens.verify(bearer)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
        message: 'A valid access token is needed.',
      });
    expect(auditRows.entries.filter((e) => e.action === 'access.denied')).toHaveLength(wrong.length);
    expect(JSON.stringify(auditRows.entries)).not.toContain('eyJ');
  });

  it('that is missing is no attempt', async () => {
    const { accessTokens, auditRows } = await setUp();
    await expect(accessTokens.verify(undefined)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(auditRows.entries).toEqual([]);
  });
});
