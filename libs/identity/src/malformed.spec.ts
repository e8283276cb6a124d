import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { SystemClock } from '@app/infrastructure/clock';
import { BongsuError } from '@app/protocol';
import { assertionOf, proofOf, signedBy, type HubCaller } from '../../../test/support/http-client.js';
import { privateJwk, publicJwk } from '../../../test/support/parts.js';
import { GRAPHQL_DOOR, SSF_DOOR } from './domain/doors.js';
import { createFakeIdentity } from './fake-identity.js';

const ISSUER = 'https://hub.example';
const TOKEN_URL = `${ISSUER}/oauth/token`;
const caller: HubCaller = { clientId: 'member:upbit', jwk: privateJwk() };
const SECRET = 'a-secret-that-came-along';

/** Anything that JSON can hold where a claim or a header member is expected. */
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>('', 0, -1, 1e308, null, [], {}, 'member:upbit', ISSUER, SECRET, '\u0000', undefined),
);
const CLAIMS = ['iss', 'sub', 'aud', 'iat', 'exp', 'nbf', 'jti', 'htm', 'htu', 'ath', 'cnf', 'scope', '__proto__'];
const HEADERS = ['alg', 'typ', 'kid', 'jwk', 'crit', 'b64', 'jku', 'x5c'];
const some = (names: string[]) =>
  fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
/** A JWS by the right key with wrong things in it, or one that was damaged after it was signed, or no JWS at all. */
const broken = (make: (claims: object, header: object) => string) =>
  fc.oneof(
    fc.tuple(some(CLAIMS), fc.option(some(HEADERS), { nil: {} })).map(([claims, header]) => make(claims, header)),
    fc.tuple(fc.nat(600), fc.string({ unit: 'binary-ascii', maxLength: 4 })).map(([at, junk]) => {
      const good = make({}, {});
      return good.slice(0, at) + junk + good.slice(at + junk.length + 1);
    }),
    fc.string({ maxLength: 300 }),
    fc.constantFrom('.', '..', 'e30.e30.', 'e30.e30.e30', 'bnVsbA.bnVsbA.', `${SECRET}.x.y`),
  );
const headerSafe = (text: string) => text.replace(/[^\x20-\x7e]/g, '?');
const assertion = broken((claims, header) => {
  const [, payload] = assertionOf(caller, ISSUER).split('.');
  const good = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
  return signedBy(caller.jwk, header, { ...good, ...claims });
});
const proof = broken((claims, header) => proofOf(caller.jwk, { method: 'POST', url: TOKEN_URL }, claims, header));

describe('whatever comes', () => {
  const identity = createFakeIdentity(new SystemClock(), ISSUER);
  const unexpected: unknown[] = [];
  let server: Server;
  let at: string;
  let token: string;

  beforeAll(async () => {
    const delivery = { method: 'poll' as const };
    const staff = { kind: 'staff' as const, name: 'operator' };
    await identity.members.add(staff, { name: 'upbit', jwk: publicJwk(caller.jwk), delivery });
    server = createServer((request, response) => {
      identity.authorizationServer.token(request, response).catch((error: unknown) => unexpected.push(error));
    });
    // Client and server share a thread: where it stalls, a connection must not be closed just as it is used again.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const answer = await ask(
      form(assertionOf(caller, ISSUER)),
      proofOf(caller.jwk, { method: 'POST', url: TOKEN_URL }),
    );
    token = (JSON.parse(answer.text) as { access_token: string }).access_token;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const form = (client_assertion: string, more: Record<string, string> = {}) =>
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion,
      ...more,
    });
  const ask = async (body: string | URLSearchParams, dpop: string | null, headers: Record<string, string> = {}) => {
    const response = await fetch(at, {
      method: 'POST',
      body,
      headers: { ...headers, ...(dpop === null ? {} : { dpop: headerSafe(dpop) }) },
    });
    return { status: response.status, text: await response.text() };
  };
  /** A refusal: no failure of the hub's own, and nothing of what came in it. */
  const refused = ({ status, text }: { status: number; text: string }) => {
    expect([400, 401]).toContain(status);
    expect(JSON.parse(text)).toMatchObject({ error: expect.any(String) });
    expect(text).not.toMatch(/eyJ|a-secret|\n {4}at |node_modules/);
  };

  it('as an assertion, the token endpoint refuses it in its form', async () => {
    const fresh = () => proofOf(caller.jwk, { method: 'POST', url: TOKEN_URL });
    await fc.assert(
      fc.asyncProperty(assertion, async (text) => {
        const answer = await ask(form(text), fresh());
        // Some changes leave an assertion as good as it was: a claim that nobody reads, a name for the key.
        if (answer.status !== 200) refused(answer);
      }),
      { numRuns: 60 },
    );
    expect(unexpected).toEqual([]);
  });

  it('as a proof, the token endpoint refuses it in its form', async () => {
    await fc.assert(
      fc.asyncProperty(proof, async (text) => {
        const answer = await ask(form(assertionOf(caller, ISSUER)), text);
        if (answer.status !== 200) refused(answer);
      }),
      { numRuns: 60 },
    );
    expect(unexpected).toEqual([]);
  });

  it('as a form, the token endpoint refuses it in its form', async () => {
    const names = [
      'grant_type',
      'client_id',
      'scope',
      'resource',
      'client_assertion_type',
      'authorization_details',
      SECRET,
    ];
    const fields = fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 50 }), {
      minKeys: 1,
    });
    const types = fc.constantFrom(
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded; charset=nonsense',
    );
    const bodies = fc.oneof(
      fields.map((more) => ({
        body: form(assertionOf(caller, ISSUER), more) as string | URLSearchParams,
        headers: {},
      })),
      fc.record({ body: fc.string(), headers: types.map((type) => ({ 'content-type': type })) }),
    );
    await fc.assert(
      fc.asyncProperty(bodies, async ({ body, headers }) => {
        const answer = await ask(body, proofOf(caller.jwk, { method: 'POST', url: TOKEN_URL }), headers);
        if (answer.status !== 200) refused(answer);
      }),
      { numRuns: 60 },
    );
    expect(unexpected).toEqual([]);
  });

  it('as headers, both doors refuse it in the same words, and nothing else', async () => {
    const url = `${ISSUER}/graphql`;
    const goodProof = () => proofOf(caller.jwk, { method: 'POST', url, token });
    const junk = fc.string({ unit: 'binary-ascii', maxLength: 200 });
    const authorization = fc.oneof(
      junk,
      junk.map((text) => `DPoP ${text}`),
      junk.map((text) => `Bearer ${text}`),
      fc.tuple(fc.nat(500), fc.base64String({ maxLength: 3 })).map(([n, s]) => `DPoP ${token.slice(0, n)}${s}`),
      fc.constant(null),
    );
    const proofs = fc.oneof(
      broken((claims, header) => proofOf(caller.jwk, { method: 'POST', url, token }, claims, header)),
      fc.constant(null),
    );
    await fc.assert(
      fc.asyncProperty(authorization, proofs, fc.constantFrom(GRAPHQL_DOOR, SSF_DOOR), async (header, dpop, door) => {
        const credentials = {
          authorization: header ?? `DPoP ${token}`,
          proof: dpop === null ? goodProof() : dpop,
          method: 'POST',
        };
        const error = await identity.accessTokens.verify(door, credentials).catch((e: unknown) => e);
        if (!(error instanceof Error)) return expect(error).toMatchObject({ clientId: 'member:upbit' });
        expect(error).toBeInstanceOf(BongsuError);
        expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'A valid access token is needed.' });
      }),
      { numRuns: 150 },
    );
  });

  it('leaves nothing secret in the audit', () => {
    expect(JSON.stringify(identity.auditRows.entries)).not.toMatch(/eyJ/);
  });
});
