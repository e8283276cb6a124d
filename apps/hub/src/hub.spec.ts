import { FakeClock } from '@app/infrastructure/clock';
import { MAX_BATCH_BYTES, RUNGS } from '@app/protocol';
import { verifyCompact } from '../../../test/support/event-receiver.js';
import {
  askToken,
  assertionOf,
  dpopHeaders,
  eventsTokenOf,
  graphql,
  inSeconds,
  post,
  proofOf,
  signedBy,
  tokenOf,
  type HubCaller,
} from '../../../test/support/http-client.js';
import { privateJwk, publicJwk } from '../../../test/support/parts.js';
import { issueRecommendation } from '../../../test/support/recommendations.js';
import { batchId, compactOf, FIRST_HOUR, observation } from '../../../test/support/signals.js';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { tokenText } from '../../../test/support/tokens.js';
import { startHub, type RunningHub } from './start-hub.js';

const NOW = (FIRST_HOUR + 240) * 3_600_000;
const decoded = (jws: string) =>
  JSON.parse(Buffer.from(jws.split('.')[1]!, 'base64url').toString()) as {
    iss: string;
    sub: string;
    aud: string;
    iat: number;
    jti: string;
  };
const caller = (clientId: string): HubCaller => ({ clientId, jwk: privateJwk() });
const upbit = caller('member:upbit');
const bithumb = caller('member:bithumb');
const staff = caller('staff:kim');
const author = caller('staff:lee');
const regulator = caller('regulator:park');

const SUBMIT = `mutation ($input: SubmitSignalsInput!) { submitSignals(input: $input) {
  batchId sequence receivedAt accepted rejected state foldedAt rejections { section index code message } notes { code } } }`;
const RECOMMENDATIONS = `query ($after: String, $first: Int) { recommendations(after: $after, first: $first) {
  edges { cursor node { id key rung state issuedAt deadline deliveredAt acknowledgedAt executedAt policyVersion probability
    reasons { code nats textKo textEn } explanationKo explanationEn customerNoticeKo customerNoticeEn supersedes outcome outcomeReason } }
  pageInfo { hasNextPage endCursor } } }`;
const REPORT_OUTCOME = `mutation ($input: ReportOutcomeInput!) { reportOutcome(input: $input) { id state outcome outcomeReason executedAt } }`;
const ADD_MEMBER = `mutation ($input: AddMemberInput!) { addMember(input: $input) { id name state deliveryMethod endpointUrl } }`;

describe('the hub over HTTP', () => {
  let db: TestDatabase;
  let hub: RunningHub;
  const clock = new FakeClock(NOW);
  const ids: Record<string, number> = {};
  const token = (who: HubCaller) => tokenOf(hub.url, who);
  const call = async (who: HubCaller, query: string, variables: object = {}) =>
    graphql(hub.url, await token(who), query, variables);
  const config = () => ({
    host: '127.0.0.1',
    port: 0,
    issuer: undefined,
    production: false,
    pushAllowPrivate: [],
  });
  const secrets = (signingKey: string) => ({
    databaseUrl: db.url,
    queue: { kind: 'postgres', url: db.url } as const,
    signingKey,
  });
  const key = privateJwk();
  /** What the hub signs with, and the same with the next one. */
  const signing = { key, both: JSON.stringify({ keys: [key, privateJwk()].map((jwk) => JSON.parse(jwk) as object) }) };
  const batch = (n: number, more: object = {}) => ({
    batchId: batchId(n),
    sequence: n,
    epoch: 1,
    purpose: 'KEY_LENDING_DETECTION',
    legalBasis: 'CONTRACT_TERMS',
    compact: Buffer.from(compactOf({ observations: [observation('a', '1', n)] })).toString('base64'),
    ...more,
  });

  beforeAll(async () => {
    db = await createTestDatabase();
    const people = [
      { name: 'kim', roles: ['staff_operator'], jwk: publicJwk(staff.jwk) },
      { name: 'lee', roles: ['staff_author'], jwk: publicJwk(author.jwk) },
      { name: 'park', roles: ['regulator'], jwk: publicJwk(regulator.jwk) },
    ];
    hub = await startHub({ ...config(), people }, secrets(signing.key), clock);
    for (const who of [upbit, bithumb]) {
      const name = who.clientId.split(':')[1]!;
      const input = { name, jwk: JSON.stringify(publicJwk(who.jwk)), deliveryMethod: 'POLL' };
      const { data, errors } = await call(staff, ADD_MEMBER, { input });
      expect(errors).toEqual([]);
      ids[name] = data.addMember.id;
    }
  });
  afterAll(async () => {
    await hub?.stop();
    await db?.close();
  });

  describe('the token endpoint', () => {
    it('says where it is and with which keys it signs', async () => {
      const metadata = (await (await fetch(`${hub.url}/.well-known/oauth-authorization-server`)).json()) as object;
      expect(metadata).toMatchObject({
        issuer: hub.url,
        token_endpoint: `${hub.url}/oauth/token`,
        jwks_uri: `${hub.url}/.well-known/jwks.json`,
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
      });
      const response = await askToken(hub.url, assertionOf(upbit, hub.url));
      expect(response.headers.get('cache-control')).toBe('no-store');
      const body = (await response.json()) as { access_token: string };
      expect(body).toMatchObject({ token_type: 'DPoP', expires_in: 600, scope: 'graphql' });
      const { keys } = (await (await fetch(`${hub.url}/.well-known/jwks.json`)).json()) as { keys: never[] };
      const { header, claims } = verifyCompact(body.access_token, keys);
      expect(header['typ']).toBe('at+jwt');
      // In the system's time, whatever the hub's clock says.
      const { iat, exp } = claims as { iat: number; exp: number };
      expect(Math.abs(iat - inSeconds())).toBeLessThan(60);
      expect(exp - iat).toBe(600);
      expect(claims).toMatchObject({ iss: hub.url, sub: 'member:upbit', aud: `${hub.url}/graphql` });
    });

    it('takes an assertion once', async () => {
      const assertion = assertionOf(upbit, `${hub.url}/oauth/token`);
      expect((await askToken(hub.url, assertion)).status).toBe(200);
      const again = await askToken(hub.url, assertion);
      expect(again.status).toBe(401);
      expect(await again.json()).toMatchObject({ error: 'invalid_client' });
    });

    it.each<[string, () => string, Record<string, string>, number, string]>([
      ['another’s key', () => assertionOf({ ...upbit, jwk: bithumb.jwk }, hub.url), {}, 401, 'invalid_client'],
      ['another audience', () => assertionOf(upbit, 'https://other.example'), {}, 401, 'invalid_client'],
      [
        'an old assertion',
        () => assertionOf(upbit, hub.url, { iat: inSeconds() - 400, exp: inSeconds() - 100 }),
        {},
        401,
        'invalid_client',
      ],
      ['a stranger', () => assertionOf(caller('member:nobody'), hub.url), {}, 401, 'invalid_client'],
      ['another grant', () => assertionOf(upbit, hub.url), { grant_type: 'password' }, 400, 'unsupported_grant_type'],
      ['scopes of both doors', () => assertionOf(upbit, hub.url), { scope: 'graphql ssf.read' }, 400, 'invalid_scope'],
    ])('refuses %s', async (_what, assertion, change, status, error) => {
      const response = await askToken(hub.url, assertion(), change);
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ error });
    });

    it('refuses to hand out a token for the API without a proof', async () => {
      const response = await askToken(hub.url, assertionOf(upbit, hub.url), {}, null);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: 'invalid_dpop_proof' });
    });

    it('is all there is of the authorization server', async () => {
      for (const path of ['/auth', '/oauth/auth', '/me', '/reg', '/session/end', '/.well-known/openid-configuration'])
        expect((await fetch(`${hub.url}${path}`)).status).toBe(404);
      expect((await fetch(`${hub.url}/oauth/token`)).status).toBe(404);
    });

    it('answers in the same form where there is no form', async () => {
      const response = await fetch(`${hub.url}/oauth/token`, { method: 'POST' });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: expect.any(String) });
    });
  });

  describe('a caller without a right', () => {
    const DENIALS = `SELECT count(*)::int AS n FROM audit_log WHERE action = 'access.denied'`;
    const denials = async () => (await db.asOwner<{ n: number }>(DENIALS))[0]!.n;

    it('is told UNAUTHENTICATED with 401 at the API, always in the same words, and put on the audit', async () => {
      const good = await token(upbit);
      const used = dpopHeaders(hub.url, good);
      const proof = (jwk: string, change: object = {}, method = 'POST', url = `${hub.url}/graphql`) => ({
        dpop: proofOf(jwk, { method, url, token: good }, change),
      });
      expect((await graphql(hub.url, good, '{ lastSequence }', {}, used)).errors).toEqual([]);
      const before = await denials();
      const refused: [bearer: string | null, headers: Record<string, string>][] = [
        [null, {}],
        ['x.y.z', {}],
        [`${good.slice(0, -2)}AA`, {}],
        [await eventsTokenOf(hub.url, upbit), {}],
        [good, used],
        [good, { authorization: `Bearer ${good}` }],
        [good, { dpop: '' }],
        [good, proof(bithumb.jwk)],
        [good, proof(upbit.jwk, { iat: inSeconds() - 65 })],
        [good, proof(upbit.jwk, {}, 'GET')],
        [good, proof(upbit.jwk, {}, 'POST', `${hub.url}/ssf/poll`)],
      ];
      for (const [bearer, headers] of refused) {
        const answer = await graphql(hub.url, bearer, '{ lastSequence }', {}, headers);
        expect(answer.status).toBe(401);
        expect(answer.headers.get('www-authenticate')).toBe('DPoP algs="ES256 EdDSA"');
        expect(answer.errors).toEqual([
          expect.objectContaining({
            message: 'A valid access token is needed.',
            extensions: expect.objectContaining({ code: 'UNAUTHENTICATED' }),
          }),
        ]);
      }
      expect(await denials()).toBe(before + refused.length);
    });

    it('is told UNAUTHENTICATED with 401 at the event streams too', async () => {
      const good = await token(bithumb);
      for (const bearer of ['-', 'x.y.z', good]) {
        const polled = await post(`${hub.url}/ssf/poll`, bearer, { returnImmediately: true });
        expect(polled).toMatchObject({ status: 401, json: { code: 'UNAUTHENTICATED' } });
        expect(polled.headers.get('www-authenticate')).toBe('Bearer');
      }
    });

    it.each<[string, HubCaller, string]>([
      ['a member that asks what staff see', upbit, '{ backlog { batchesToFold } }'],
      ['a member that reads members', upbit, '{ members { name } }'],
      ['a member that suspends another', upbit, 'mutation { suspendMember(name: "bithumb", reason: "x") { name } }'],
      ['a member that reads a report', upbit, '{ report(period: "2026-06") { closed } }'],
      ['staff that submit signals', staff, '{ lastSequence }'],
      ['an author that manages members', author, 'mutation { suspendMember(name: "bithumb", reason: "x") { name } }'],
      ['a regulator that reads standings', regulator, '{ standings { edges { cursor } } }'],
      ['a regulator that reads recommendations', regulator, '{ recommendations { edges { cursor } } }'],
    ])('is told FORBIDDEN, and is on the audit: %s', async (_what, who, query) => {
      const { data, errors, headers } = await call(who, query);
      expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
      expect(Object.values(data ?? {}).every((value) => value === null)).toBe(true);
      const [field] = /\w+(?=[ (]+)/.exec(query.replace(/^(mutation )?\{ /, '')) ?? [];
      const rows = await db.asOwner('SELECT actor, action, subject FROM audit_log WHERE request_id = $1', [
        headers.get('x-request-id'),
      ]);
      const type = query.startsWith('mutation') ? 'Mutation' : 'Query';
      expect(rows).toEqual([{ actor: who.clientId, action: 'access.forbidden', subject: `${type}.${field}` }]);
    });

    it('is refused within seconds once it is suspended, with the token it holds', async () => {
      const gopax = caller('member:gopax');
      const input = { name: 'gopax', jwk: JSON.stringify(publicJwk(gopax.jwk)), deliveryMethod: 'POLL' };
      await call(staff, ADD_MEMBER, { input });
      const held = await token(gopax);
      expect((await graphql(hub.url, held, '{ lastSequence }')).errors).toEqual([]);
      await call(staff, 'mutation { suspendMember(name: "gopax", reason: "test") { state } }');
      expect((await graphql(hub.url, held, '{ lastSequence }')).status).toBe(401);
      const reinstated = await call(staff, 'mutation { reinstateMember(name: "gopax", reason: "test") { state } }');
      expect(reinstated.data).toEqual({ reinstateMember: { state: 'ACTIVE' } });
    });
  });

  describe('keys', () => {
    const ROTATE =
      'mutation ($input: RotateMemberKeyInput!) { rotateMemberKey(input: $input) { kid previousValidUntil } }';
    const RETIRE =
      'mutation ($input: RetireSigningKeyInput!) { retireSigningKey(input: $input) { kid retiredAt stolen } }';

    it('of a member are rotated by itself: the old one and the new one sign in, and what it holds goes on', async () => {
      const [old, next] = [caller('member:korbit'), caller('member:korbit')];
      const input = { name: 'korbit', jwk: JSON.stringify(publicJwk(old.jwk)), deliveryMethod: 'POLL' };
      await call(staff, ADD_MEMBER, { input });
      const held = await token(old);
      const { iss, sub, aud, iat, exp, jti } = { ...decoded(assertionOf(next, hub.url)), exp: inSeconds() + 200 };
      const proof = signedBy(next.jwk, { typ: 'bongsu-key-proof+jwt' }, { iss, sub, aud, iat, exp, jti });
      const rotate = (of: HubCaller, bearer: string) =>
        graphql(hub.url, bearer, ROTATE, { input: { jwk: JSON.stringify(publicJwk(of.jwk)), proof } });
      const { data, errors } = await rotate(next, held);
      expect(errors).toEqual([]);
      expect(data.rotateMemberKey.kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
      for (const who of [old, next]) expect((await call(who, '{ lastSequence }')).errors).toEqual([]);
      expect((await graphql(hub.url, held, '{ lastSequence }')).errors).toEqual([]);
      const again = await rotate(next, held);
      expect(again.errors[0]?.extensions).toMatchObject({ code: 'BAD_INPUT', where: 'proof' });
      const replace = 'mutation ($input: ReplaceMemberKeyInput!) { replaceMemberKey(input: $input) { name } }';
      const safe = caller('member:korbit');
      const replacing = { name: 'korbit', jwk: JSON.stringify(publicJwk(safe.jwk)), reason: 'stolen' };
      expect((await call(upbit, replace, { input: replacing })).errors[0]?.extensions.code).toBe('FORBIDDEN');
      expect((await call(staff, replace, { input: replacing })).errors).toEqual([]);
      for (const who of [old, next]) await expect(token(who)).rejects.toThrow('no token: 401');
      expect((await call(safe, '{ lastSequence }')).errors).toEqual([]);
    });

    it('of the hub are listed and retired by staff, not the only one, and those retired stay published apart', async () => {
      const { data } = await call(staff, '{ signingKeys { kid alg retiredAt stolen } }');
      expect(data.signingKeys).toEqual([{ kid: expect.any(String), alg: 'ES256', retiredAt: null, stolen: false }]);
      const input = { kid: data.signingKeys[0].kid, reason: 'yearly' };
      for (const who of [upbit, author, regulator])
        expect((await call(who, RETIRE, { input })).errors[0]?.extensions.code).toBe('FORBIDDEN');
      expect((await call(staff, RETIRE, { input })).errors[0]?.extensions.code).toBe('BAD_INPUT');
      const old = { ...publicJwk(privateJwk()), kid: 'old' };
      await db.asOwner(`INSERT INTO signing_keys VALUES ('old', 'ES256', $1, $2, $3, true)`, [
        JSON.stringify(old),
        new Date(NOW - 86_400_000),
        new Date(NOW - 1000),
      ]);
      const other = await startHub({ ...config(), people: undefined }, secrets(signing.both), clock);
      try {
        const read = async (path: string) =>
          ((await (await fetch(`${other.url}/.well-known/${path}`)).json()) as { keys: { kid: string }[] }).keys;
        expect((await read('jwks.json')).map(({ kid }) => kid)).not.toContain('old');
        const seconds = Math.floor(NOW / 1000);
        expect(await read('retired-jwks.json')).toEqual([
          {
            ...old,
            iat: seconds - 86_400,
            exp: seconds - 1,
            revoked: { revoked_at: seconds - 1, reason: 'compromised' },
          },
        ]);
        clock.at += 600_000;
        const { data, errors } = await call(staff, RETIRE, { input });
        expect(errors).toEqual([]);
        expect(data.retireSigningKey).toEqual({
          kid: input.kid,
          retiredAt: new Date(clock.at + 86_400_000).toISOString(),
          stolen: false,
        });
      } finally {
        clock.at = NOW;
        await other.stop();
      }
    });

    it('and suspensions made in one process hold in another within seconds', async () => {
      const gopax = caller('member:gopax2');
      const input = { name: 'gopax2', jwk: JSON.stringify(publicJwk(gopax.jwk)), deliveryMethod: 'POLL' };
      await call(staff, ADD_MEMBER, { input });
      const other = await startHub({ ...config(), issuer: hub.url, people: undefined }, secrets(signing.key), clock);
      try {
        const held = await token(gopax);
        const elsewhere = () => graphql(other.url, null, '{ lastSequence }', {}, dpopHeaders(hub.url, held));
        expect((await elsewhere()).errors).toEqual([]);
        const used = dpopHeaders(hub.url, held);
        const statuses = [hub.url, other.url].map(
          async (url) => (await graphql(url, null, '{ lastSequence }', {}, used)).status,
        );
        expect((await Promise.all(statuses)).sort()).toEqual([200, 401]);
        await call(staff, 'mutation { suspendMember(name: "gopax2", reason: "test") { state } }');
        const until = Date.now() + 10_000;
        while ((await elsewhere()).status !== 401) {
          if (Date.now() > until) throw new Error('the other process still lets it in');
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        expect(
          (
            await askToken(
              other.url,
              assertionOf(gopax, hub.url),
              {},
              proofOf(gopax.jwk, { method: 'POST', url: `${hub.url}/oauth/token` }),
            )
          ).status,
        ).toBe(401);
      } finally {
        await other.stop();
      }
    });
  });

  describe('signals', () => {
    it('are taken in, told of again, found, and withdrawn', async () => {
      const first = await call(upbit, SUBMIT, { input: batch(1) });
      expect(first.errors).toEqual([]);
      expect(first.data.submitSignals).toEqual({
        batchId: batchId(1),
        sequence: 1,
        receivedAt: new Date(NOW).toISOString(),
        accepted: 1,
        rejected: 0,
        state: 'STORED',
        foldedAt: null,
        rejections: [],
        notes: [],
      });
      expect((await call(upbit, SUBMIT, { input: batch(1) })).data).toEqual(first.data);
      const conflict = await call(upbit, SUBMIT, { input: batch(1, { epoch: 1, sequence: 5 }) });
      expect(conflict.errors[0]?.extensions.code).toBe('BATCH_CONFLICT');
      const read = `query ($id: ID!) { batch(id: $id) { state accepted } lastSequence }`;
      expect((await call(upbit, read, { id: batchId(1) })).data).toEqual({
        batch: { state: 'STORED', accepted: 1 },
        lastSequence: 1,
      });
      expect((await call(bithumb, read, { id: batchId(1) })).data).toEqual({ batch: null, lastSequence: 0 });
      expect((await call(upbit, read, { id: 'no uuid' })).data.batch).toBeNull();
      const withdraw = `mutation ($input: WithdrawBatchInput!) { withdrawBatch(input: $input) { state } }`;
      const gone = await call(bithumb, withdraw, { input: { batchId: batchId(1), reason: 'x' } });
      expect(gone.errors[0]?.extensions.code).toBe('NOT_FOUND');
      const taken = await call(upbit, withdraw, { input: { batchId: batchId(1), reason: 'x' } });
      expect(taken.data).toEqual({ withdrawBatch: { state: 'WITHDRAWN' } });
    });

    it('in lists keep their good rows, and say which are bad and why', async () => {
      const row = {
        key: tokenText('key a'),
        ip: tokenText('ip 1'),
        prefix: tokenText('prefix 1'),
        client: tokenText('c'),
        hour: new Date(NOW).toISOString(),
        network: 'vpn',
        requests: 1,
        orders: 0,
        rejected: 0,
        activeSlots: 1,
        burstSlots: 0,
      };
      const { compact: _none, ...envelope } = batch(2);
      const input = { ...envelope, observations: [{ ...row, requests: 1.5 }, row, { ...row, key: 'short' }] };
      const { data, errors } = await call(upbit, SUBMIT, { input });
      expect(errors).toEqual([]);
      expect(data.submitSignals).toMatchObject({
        accepted: 1,
        rejected: 2,
        rejections: [
          { section: 'OBSERVATIONS', index: 0, code: 'COUNT_OUT_OF_RANGE' },
          { section: 'OBSERVATIONS', index: 2, code: 'TOKEN_MALFORMED' },
        ],
      });
    });

    it.each<[string, object, string]>([
      ['bytes that are no batch', { compact: 'AAAA' }, 'BATCH_MALFORMED'],
      ['text that is no base64', { compact: '*' }, 'BAD_INPUT'],
      ['too many bytes', { compact: 'A'.repeat(Math.ceil((MAX_BATCH_BYTES * 4) / 3) + 8) }, 'BATCH_TOO_LARGE'],
      ['no purpose', { purpose: undefined }, 'BAD_INPUT'],
      ['another purpose', { purpose: 'MARKETING' }, 'BAD_INPUT'],
      ['no legal basis', { legalBasis: undefined }, 'BAD_INPUT'],
      ['an unknown epoch', { epoch: 7 }, 'EPOCH_UNKNOWN'],
      ['neither form', { compact: undefined }, 'BAD_INPUT'],
    ])('are refused with a code of our own: %s', async (_what, change, code) => {
      const { text, errors } = await call(upbit, SUBMIT, { input: batch(3, change) });
      expect(errors[0]?.extensions.code).toBe(code);
      expect(text).not.toMatch(/stacktrace|node_modules|SELECT|INSERT|\.ts:/);
    });
  });

  describe('recommendations', () => {
    it('are listed to their member in pages that follow one another', async () => {
      const issued: string[] = [];
      for (const rung of RUNGS)
        issued.push((await issueRecommendation(db, ids['upbit']!, { key: rung, rung, issuedAt: NOW })).id);
      const one = (await call(upbit, RECOMMENDATIONS, { first: 3 })).data.recommendations;
      expect(one.edges.map((e: { node: { id: string } }) => e.node.id)).toEqual(issued.slice(0, 3));
      expect(one.pageInfo).toEqual({ hasNextPage: true, endCursor: one.edges[2].cursor });
      const two = (await call(upbit, RECOMMENDATIONS, { after: one.pageInfo.endCursor })).data.recommendations;
      expect(two.edges.map((e: { node: { id: string } }) => e.node.id)).toEqual(issued.slice(3));
      expect(two.pageInfo.hasNextPage).toBe(false);
      expect(two.edges[0].node).toMatchObject({
        key: tokenText('key expire'),
        rung: 'EXPIRE',
        state: 'ISSUED',
        reasons: [{ code: 'N1', nats: 1.5, textKo: '이유', textEn: 'a reason' }],
        outcome: null,
      });
      expect((await call(bithumb, RECOMMENDATIONS)).data.recommendations.edges).toEqual([]);
      const single = `query ($id: ID!) { recommendation(id: $id) { rung } }`;
      expect((await call(upbit, single, { id: issued[0] })).data.recommendation).toEqual({ rung: 'MONITOR' });
      expect((await call(bithumb, single, { id: issued[0] })).data.recommendation).toBeNull();
      for (const bad of [{ first: 0 }, { first: 1001 }, { after: 'x' }])
        expect((await call(upbit, RECOMMENDATIONS, bad)).errors[0]?.extensions.code).toBe('BAD_INPUT');
    });

    it('take outcomes: the same again is fine, a contradiction is not, another’s are not there', async () => {
      const { id } = await issueRecommendation(db, ids['upbit']!, { key: 'outcome', issuedAt: NOW });
      const at = new Date(NOW).toISOString();
      const report = (who: HubCaller, input: object) =>
        call(who, REPORT_OUTCOME, { input: { recommendationId: id, at, ...input } });
      expect((await report(bithumb, { outcome: 'EXECUTED' })).errors[0]?.extensions.code).toBe('NOT_FOUND');
      expect((await report(upbit, { outcome: 'DECLINED' })).errors[0]?.extensions.code).toBe('OUTCOME_INVALID');
      const done = { id, state: 'EXECUTED', outcome: 'EXECUTED', outcomeReason: null, executedAt: at };
      for (let i = 0; i < 2; i++)
        expect((await report(upbit, { outcome: 'EXECUTED' })).data).toEqual({ reportOutcome: done });
      const against = await report(upbit, { outcome: 'DECLINED', reason: 'CORPORATE' });
      expect(against.errors[0]?.extensions.code).toBe('OUTCOME_CONFLICT');
      expect(await db.asOwner('SELECT outcome FROM outcomes WHERE recommendation_id = $1', [id])).toEqual([
        { outcome: 'executed' },
      ]);
    });
  });

  describe('polling for events', () => {
    const poll = async (who: HubCaller, body: unknown) => {
      const { status, json } = await post(`${hub.url}/ssf/poll`, await eventsTokenOf(hub.url, who), body);
      return { status, json: json as unknown as { sets: Record<string, string>; moreAvailable: boolean } };
    };
    const stateOf = async (jti: string) => {
      const [row] = await db.asOwner<Record<string, unknown>>(
        `SELECT d.state, r.state AS recommendation, d.last_error FROM deliveries d JOIN recommendations r ON r.id = d.recommendation_id
         WHERE jti = $1`,
        [jti],
      );
      return row;
    };

    beforeEach(() => db.asOwner(`UPDATE deliveries SET state = 'acknowledged' WHERE state = 'pending'`));

    it('hands over until acknowledged', async () => {
      const { jti, id } = await issueRecommendation(db, ids['bithumb']!, { key: 'p', issuedAt: NOW });
      const first = await poll(bithumb, { returnImmediately: true });
      expect(first.status).toBe(200);
      expect(Object.keys(first.json.sets)).toEqual([jti]);
      const { keys } = (await (await fetch(`${hub.url}/.well-known/jwks.json`)).json()) as { keys: never[] };
      const { header, claims } = verifyCompact(first.json.sets[jti]!, keys);
      expect(header['typ']).toBe('secevent+jwt');
      expect(claims).toMatchObject({ iss: hub.url, aud: 'member:bithumb', jti, txn: id });
      expect(await stateOf(jti)).toMatchObject({ state: 'pending', recommendation: 'delivered' });
      expect(Object.keys((await poll(bithumb, { returnImmediately: true })).json.sets)).toEqual([jti]);
      expect((await poll(bithumb, { returnImmediately: true, ack: [jti] })).json).toEqual({
        sets: {},
        moreAvailable: false,
      });
      expect(await stateOf(jti)).toMatchObject({ state: 'acknowledged', recommendation: 'acknowledged' });
      expect((await poll(bithumb, { returnImmediately: true, ack: [jti, jti] })).json.sets).toEqual({});
    });

    it('answers in portions, and acknowledges without asking for more', async () => {
      const jtis: string[] = [];
      for (const key of ['p1', 'p2', 'p3'])
        jtis.push((await issueRecommendation(db, ids['bithumb']!, { key, issuedAt: NOW })).jti);
      const two = (await poll(bithumb, { maxEvents: 2, returnImmediately: true })).json;
      expect([Object.keys(two.sets), two.moreAvailable]).toEqual([jtis.slice(0, 2), true]);
      const none = (await poll(bithumb, { maxEvents: 0, ack: jtis.slice(0, 2) })).json;
      expect(none).toEqual({ sets: {}, moreAvailable: true });
      expect(Object.keys((await poll(bithumb, {})).json.sets)).toEqual(jtis.slice(2));
    });

    it('puts aside what the receiver refuses', async () => {
      const { jti } = await issueRecommendation(db, ids['bithumb']!, { key: 'refused', issuedAt: NOW });
      const setErrs = { [jti]: { err: 'invalid_key', description: 'unknown kid' } };
      expect((await poll(bithumb, { returnImmediately: true, setErrs })).json.sets).toEqual({});
      expect(await stateOf(jti)).toMatchObject({ state: 'dead', last_error: expect.stringContaining('invalid_key') });
    });

    it('lets nobody acknowledge or refuse another’s event, and minds no unknown one', async () => {
      const { jti } = await issueRecommendation(db, ids['bithumb']!, { key: 'mine', issuedAt: NOW });
      const setErrs = { [jti]: { err: 'x' } };
      for (const body of [{ ack: [jti] }, { setErrs }, { ack: ['no such jti', batchId(9)] }])
        expect((await poll(upbit, { returnImmediately: true, ...body })).json).toEqual({
          sets: {},
          moreAvailable: false,
        });
      expect(await stateOf(jti)).toMatchObject({ state: 'pending', recommendation: 'issued' });
    });

    it('waits for the first event, and answers when it comes', async () => {
      let done = false;
      const waiting = poll(bithumb, { returnImmediately: false }).finally(() => (done = true));
      await new Promise((resolve) => setTimeout(resolve, 800));
      expect(done).toBe(false);
      const { jti } = await issueRecommendation(db, ids['bithumb']!, { key: 'late', issuedAt: NOW });
      expect(Object.keys((await waiting).json.sets)).toEqual([jti]);
    });

    it('holds four waiting polls of one member open, and answers more at once', async () => {
      let answered = 0;
      const waiting = Array.from({ length: 6 }, () => poll(upbit, {}).finally(() => answered++));
      while (answered < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 800));
      expect(answered).toBe(2);
      const { jti } = await issueRecommendation(db, ids['upbit']!, { key: 'awaited', issuedAt: NOW });
      const sets = (await Promise.all(waiting)).map(({ json }) => Object.keys(json.sets as object));
      expect(sets.filter(([first]) => first === jti)).toHaveLength(4);
      await poll(upbit, { returnImmediately: true, ack: [jti] });
    });

    it.each<[string, unknown]>([
      ['maxEvents below zero', { maxEvents: -1 }],
      ['ack that is no list', { ack: 'jti' }],
      ['setErrs without err', { setErrs: { a: {} } }],
      ['a description that is no text', { setErrs: { [batchId(9)]: { err: 'x', description: { toString: 1 } } } }],
      ['no JSON', '{'],
    ])('refuses %s with 400', async (_what, body) => {
      expect(await poll(bithumb, body)).toMatchObject({ status: 400, json: { code: 'BAD_INPUT' } });
    });
  });

  it('tells the standard in force, with its schema, to everyone', async () => {
    for (const who of [upbit, staff, regulator]) {
      const query = '{ currentStandard { version effectiveFrom textKo textEn policy policySchema contentHash } }';
      const { data } = await call(who, query);
      expect(data.currentStandard).toMatchObject({
        version: '1.0.0',
        contentHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        policy: { version: '1.0.0' },
        policySchema: { $schema: expect.stringContaining('2020-12') },
      });
      expect(data.currentStandard.textKo).toMatch(/[가-힣]/);
    }
  });

  it('tells staff what is under way, and shows them keys in short form only', async () => {
    const { data, errors } = await call(
      staff,
      `{ backlog { batchesToFold keysToAssess outcomesToApply deliveriesPending } standings { edges { node { keyShort } } }
         intake { member accepted rejected } recommendationFlow { rung issued } members { name state } }`,
    );
    expect(errors).toEqual([]);
    expect(data.members.map((m: { name: string }) => m.name)).toEqual(expect.arrayContaining(['bithumb', 'upbit']));
    expect(data.recommendationFlow.map((f: { rung: string }) => f.rung)).toEqual(RUNGS.map((r) => r.toUpperCase()));
    expect(data.intake).toContainEqual(expect.objectContaining({ member: 'upbit', rejected: 2 }));
  });

  it('gives regulators a signed report, and refuses what is no month', async () => {
    const { data, errors } = await call(
      regulator,
      '{ report(period: "2026-06") { period closed body signature } reports }',
    );
    expect(errors).toEqual([]);
    expect(data.report).toMatchObject({ period: '2026-06', closed: false, body: { suppressBelow: 5 } });
    const { keys } = (await (await fetch(`${hub.url}/.well-known/jwks.json`)).json()) as { keys: never[] };
    expect(verifyCompact(data.report.signature, keys).claims).toEqual(data.report.body);
    const bad = await call(regulator, '{ report(period: "June") { closed } }');
    expect(bad.errors[0]?.extensions.code).toBe('BAD_INPUT');
  });

  describe('what would wear it out or take too much', () => {
    it('is refused: an operation of thousands of fields, before anything is looked up', async () => {
      const aliases = Array.from({ length: 3000 }, (_, i) => `a${i}: lastSequence`).join(' ');
      const before = await db.asOwner('SELECT count(*) FROM audit_log');
      const { errors } = await graphql(hub.url, 'x.y.z', `{ ${aliases} }`);
      expect(errors[0]?.extensions.code).toBe('BAD_INPUT');
      expect(await db.asOwner('SELECT count(*) FROM audit_log')).toEqual(before);
    });

    it('is recorded once: a refused token on many fields', async () => {
      const denials = () =>
        db.asOwner<{ n: number }>(`SELECT count(*)::int AS n FROM audit_log WHERE action = 'access.denied'`);
      const [before] = await denials();
      await graphql(
        hub.url,
        'x.y.z',
        '{ a: reports b: reports c: currentStandard { version } d: batch(id: "x") { batchId } }',
      );
      expect((await denials())[0]!.n).toBe(before!.n + 1);
    });

    it('is told BAD_INPUT, not INTERNAL: a value that no column holds', async () => {
      const nul = await call(upbit, 'query ($id: ID!) { batch(id: $id) { batchId } }', { id: 'a\u0000b' });
      expect(nul.errors[0]?.extensions.code).toBe('BAD_INPUT');
      const far = await call(staff, '{ standings(after: "9007199254740991") { pageInfo { hasNextPage } } }');
      expect(far.errors[0]?.extensions.code).toBe('BAD_INPUT');
    });
  });

  it('keeps its inner life to itself', async () => {
    const wrong = await call(upbit, '{ lastSequence nothingSuch }');
    expect(wrong.errors[0]?.extensions.code).toBeDefined();
    expect(wrong.text).not.toMatch(/stacktrace|node_modules/);
    const nowhere = await fetch(`${hub.url}/nowhere`);
    expect(nowhere.status).toBe(404);
    expect(nowhere.headers.get('x-powered-by')).toBeNull();
    expect((await fetch(`${hub.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${hub.url}/health/ready`)).status).toBe(200);
  });
});
