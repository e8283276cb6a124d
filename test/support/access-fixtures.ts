import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { assertionOf, signedBy } from './http-client.js';
import { privateJwk, publicJwk } from './parts.js';
import { issueRecommendation } from './recommendations.js';
import { batchId, compactOf, observation, submitInput } from './signals.js';
import { tokenText } from './tokens.js';
import type { TestDatabase } from './test-database.js';

/** A member whose rows an operation is about. */
export interface Owner {
  id: number;
  name: string;
}

/** What a fixture may use to make the rows that its call is about. */
export interface World {
  db: TestDatabase;
  /** ms. */
  now: number;
  /** The hub's issuer. */
  issuer: string;
  /** A number that was not given before. */
  next(): number;
}

/** A call of one door, and by what an answer shows that it is about the owner's rows. */
export interface Call {
  /** GraphQL: document and variables. */
  query?: string;
  variables?: object;
  /** A route: its body; none for GET. */
  body?: unknown;
  /** Texts that only an answer about the owner's rows has. */
  marks?: string[];
}

/** Makes a call about an owner's rows; null where nothing of it can be named, so that there is nothing to try. */
export type Fixture = (world: World, owner: Owner) => Promise<Call | null> | Call | null;

/** A query without arguments, about everybody or nobody in particular. */
const plain =
  (query: string): Fixture =>
  () => ({ query });

const route =
  (body?: unknown): Fixture =>
  () => ({ body });

async function storedBatch({ db, next }: World, owner: Owner): Promise<string> {
  const n = next();
  await db.asOwner(
    `INSERT INTO batches (member_id, batch_id, sequence, epoch, purpose, legal_basis, received_at, content_hash, payload,
       accepted, observations, rejected, rejections, state)
     VALUES ($1, $2, $3, 1, 'key_lending_detection', 'contract_terms', now(), '', $4, 0, 0, 0, '[]', 'folded')`,
    [owner.id, batchId(n), n, Buffer.from(compactOf({}))],
  );
  return batchId(n);
}

const issued = (world: World, owner: Owner) =>
  issueRecommendation(world.db, owner.id, { key: `k${world.next()}`, issuedAt: world.now });

/** A member that nothing else here depends on. */
async function someMember({ db, next }: World, state: string): Promise<string> {
  const name = `some-${next()}`;
  await db.asOwner(`INSERT INTO members (name, state, jwk, created_at) VALUES ($1, $2, $3, now())`, [
    name,
    state,
    JSON.stringify(publicJwk(privateJwk())),
  ]);
  return name;
}

/** A key of the hub that may be retired, since another is known for long. */
async function signingKey({ db, now, next }: World): Promise<string> {
  const kids = [`key-${next()}`, `key-${next()}`] as const;
  for (const kid of kids)
    await db.asOwner(`INSERT INTO signing_keys (kid, alg, public_jwk, created_at) VALUES ($1, 'ES256', $2, $3)`, [
      kid,
      JSON.stringify({ ...publicJwk(privateJwk()), kid }),
      new Date(now - 86_400_000),
    ]);
  return kids[0];
}

/** A member's next key, with its proof, where the member has no other before its present one. */
async function nextKey({ db, issuer }: World, owner: Owner): Promise<{ jwk: string; proof: string; kid: string }> {
  await db.asOwner('UPDATE members SET previous_jwk = NULL, previous_until = NULL WHERE id = $1', [owner.id]);
  const jwk = privateJwk();
  const [, payload] = assertionOf({ clientId: `member:${owner.name}`, jwk }, issuer).split('.');
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString()) as object;
  const proof = signedBy(jwk, { typ: 'bongsu-key-proof+jwt' }, claims);
  return { jwk: JSON.stringify(publicJwk(jwk)), proof, kid: await calculateJwkThumbprint(publicJwk(jwk)) };
}

/** One epoch changes at a time: what another call left behind goes. */
async function beforeAnyTurn(db: TestDatabase): Promise<void> {
  for (const table of ['reenrolments', 'reenrolled']) await db.asOwner(`DELETE FROM ${table}`);
  await db.asOwner('DELETE FROM epochs WHERE number > 1');
}

async function doneErasure({ db }: World, owner: Owner): Promise<string> {
  const id = randomUUID();
  await db.asOwner(
    `INSERT INTO erasures (id, member_id, kind, reason, requested_by, requested_at, state, stage)
     VALUES ($1, $2, 'key', 'matrix', $3, now(), 'done', 'done')`,
    [id, owner.id, `member:${owner.name}`],
  );
  return id;
}

function erasing(kind: 'Key' | 'Owner', { next }: World, owner: Owner): Call | null {
  if (owner.name !== 'upbit') return null;
  const field = kind.toLowerCase();
  return {
    query: `mutation ($input: Erase${kind}Input!) { erase${kind}(input: $input) { member } }`,
    variables: { input: { [field]: tokenText(`${field}-${next()}`), reason: 'matrix' } },
    marks: [`"member":"${owner.name}"`],
  };
}

/**
 * How to call every root field of the schema and every route. A new one gets its line here: its call, with arguments that
 * a caller who may would use, made about the rows of the member given.
 */
export const FIXTURES: Record<string, Fixture> = {
  'Query.auditLog': plain('{ auditLog(first: 5) { edges { node { action } } } }'),
  'Query.backlog': plain('{ backlog { batchesToFold } }'),
  'Query.batch': async (world, owner) => {
    const id = await storedBatch(world, owner);
    return { query: 'query ($id: ID!) { batch(id: $id) { batchId } }', variables: { id }, marks: [id] };
  },
  'Query.currentStandard': plain('{ currentStandard { version } }'),
  'Query.erasure': async (world, owner) => {
    const id = await doneErasure(world, owner);
    return { query: 'query ($id: ID!) { erasure(id: $id) { id } }', variables: { id }, marks: [id] };
  },
  'Query.erasures': async (world, owner) => {
    const id = await doneErasure(world, owner);
    return { query: '{ erasures(first: 1000) { edges { node { id } } } }', marks: [id] };
  },
  'Query.epochs': plain('{ epochs { number state publicKeys } }'),
  'Query.reenrolmentProgress': plain('{ reenrolmentProgress(epoch: 1) { member pairs } }'),
  'Query.intake': plain('{ intake { member batches } }'),
  'Query.lastSequence': async (world, owner) => {
    await storedBatch(world, owner);
    const [row] = await world.db.asOwner<{ last: string }>(
      'SELECT max(sequence) AS last FROM batches WHERE member_id = $1',
      [owner.id],
    );
    return { query: '{ lastSequence }', marks: [`"lastSequence":${row!.last}`] };
  },
  'Query.members': plain('{ members { name } }'),
  'Query.recommendation': async (world, owner) => {
    const { id } = await issued(world, owner);
    return { query: 'query ($id: ID!) { recommendation(id: $id) { id } }', variables: { id }, marks: [id] };
  },
  'Query.recommendationFlow': plain('{ recommendationFlow { rung issued } }'),
  'Query.recommendations': async (world, owner) => {
    const { id } = await issued(world, owner);
    return { query: '{ recommendations(first: 1000) { edges { node { id } } } }', marks: [id] };
  },
  'Query.report': plain('{ report(period: "2026-06") { period } }'),
  'Query.reports': plain('{ reports }'),
  'Query.signingKeys': plain('{ signingKeys { kid } }'),
  'Query.standings': plain('{ standings { edges { node { member } } } }'),
  'Query.warningLists': plain('{ warningLists { edges { node { name } } } }'),
  'Mutation.announceEpoch': async ({ db }) => {
    await beforeAnyTurn(db);
    return {
      query: 'mutation ($input: AnnounceEpochInput!) { announceEpoch(input: $input) { state } }',
      variables: { input: { number: 2, publicKeys: [tokenText('public key')] } },
    };
  },
  'Mutation.switchEpoch': async ({ db }) => {
    await beforeAnyTurn(db);
    await db.asOwner(`INSERT INTO epochs (number, state) VALUES (2, 'announced')`);
    return { query: 'mutation { switchEpoch(number: 2) { state } }' };
  },
  'Mutation.closeEpoch': async ({ db }) => {
    await beforeAnyTurn(db);
    await db.asOwner(`INSERT INTO epochs (number, state) VALUES (2, 'closing')`);
    return { query: 'mutation { closeEpoch(number: 2) { state } }' };
  },
  'Mutation.recordKeyDestruction': async ({ db, now }) => {
    await beforeAnyTurn(db);
    await db.asOwner(`INSERT INTO epochs (number, state, public_keys) VALUES (2, 'closed', $1)`, [
      [Buffer.from(tokenText('public key'), 'base64url')],
    ]);
    const destroyedAt = new Date(now).toISOString();
    const input = { number: 2, publicKey: tokenText('public key'), destroyedAt, by: 'matrix', auditSeq: 1 };
    return {
      query: 'mutation ($input: RecordDestructionInput!) { recordKeyDestruction(input: $input) { state } }',
      variables: { input },
    };
  },
  // Pairs are the caller's own: there is no way to claim for another.
  'Mutation.reenroll': async ({ db }, owner) => {
    if (owner.name !== 'upbit') return null;
    await beforeAnyTurn(db);
    await db.asOwner(`INSERT INTO epochs (number, state) VALUES (2, 'announced')`);
    return {
      query: 'mutation ($input: ReenrollInput!) { reenroll(input: $input) { accepted } }',
      variables: { input: { epoch: 2, pairs: [], complete: false } },
      marks: ['"accepted":0'],
    };
  },
  'Mutation.addMember': ({ next }) => ({
    query: 'mutation ($input: AddMemberInput!) { addMember(input: $input) { name } }',
    variables: {
      input: { name: `new-${next()}`, jwk: JSON.stringify(publicJwk(privateJwk())), deliveryMethod: 'POLL' },
    },
  }),
  // A token is about the caller's own rows, whoever else has it: there is no way to name another's.
  'Mutation.eraseKey': (world, owner) => erasing('Key', world, owner),
  'Mutation.eraseOwner': (world, owner) => erasing('Owner', world, owner),
  'Mutation.leaveMember': async (world) => ({
    query: 'mutation ($name: String!) { leaveMember(name: $name, reason: "matrix") { state } }',
    variables: { name: await someMember(world, 'active') },
  }),
  'Mutation.endWarningList': async ({ db, next }) => {
    const n = next();
    // The hub gives the next cursor after the highest: far enough apart, none is met twice.
    await db.asOwner(
      `INSERT INTO warning_lists VALUES ($1, 1, 1000 * $2::int, 's', '', '{1.1.1.1/32}', 'h', now(), now(), NULL)`,
      [`list ${n}`, n],
    );
    return {
      query: 'mutation ($input: EndWarningListInput!) { endWarningList(input: $input) { name } }',
      variables: { input: { name: `list ${n}`, reason: 'matrix' } },
    };
  },
  'Mutation.putWarningList': ({ next, now }) => ({
    query: 'mutation ($input: PutWarningListInput!) { putWarningList(input: $input) { name } }',
    variables: {
      input: {
        name: `list ${next()}`,
        source: 'matrix',
        entries: ['198.18.0.0/15'],
        allowPrivate: true,
        expiresAt: new Date(now + 86_400_000).toISOString(),
      },
    },
  }),
  'Mutation.reinstateMember': async (world) => ({
    query: 'mutation ($name: String!) { reinstateMember(name: $name, reason: "matrix") { state } }',
    variables: { name: await someMember(world, 'suspended') },
  }),
  'Mutation.replaceMemberKey': async (world) => ({
    query: 'mutation ($input: ReplaceMemberKeyInput!) { replaceMemberKey(input: $input) { name } }',
    variables: {
      input: {
        name: await someMember(world, 'active'),
        jwk: JSON.stringify(publicJwk(privateJwk())),
        reason: 'matrix',
      },
    },
  }),
  'Mutation.retireSigningKey': async (world) => ({
    query: 'mutation ($input: RetireSigningKeyInput!) { retireSigningKey(input: $input) { kid } }',
    variables: { input: { kid: await signingKey(world), reason: 'matrix' } },
  }),
  'Mutation.rotateMemberKey': async (world, owner) => {
    const { jwk, proof, kid } = await nextKey(world, owner);
    return {
      query: 'mutation ($input: RotateMemberKeyInput!) { rotateMemberKey(input: $input) { kid } }',
      variables: { input: { jwk, proof } },
      marks: [kid],
    };
  },
  'Mutation.suspendMember': async (world) => ({
    query: 'mutation ($name: String!) { suspendMember(name: $name, reason: "matrix") { state } }',
    variables: { name: await someMember(world, 'active') },
  }),
  'Mutation.reportOutcome': async (world, owner) => {
    const { id } = await issued(world, owner);
    return {
      query: 'mutation ($input: ReportOutcomeInput!) { reportOutcome(input: $input) { id } }',
      variables: { input: { recommendationId: id, outcome: 'EXECUTED', at: new Date(world.now).toISOString() } },
      marks: [id],
    };
  },
  // A batch is always the caller's own: there is no way to send one in another's name.
  'Mutation.submitSignals': ({ next }, owner) => {
    if (owner.name !== 'upbit') return null;
    const n = next();
    const input = submitInput(n, { observations: [observation('a', '1', 1)] });
    const query = 'mutation ($input: SubmitSignalsInput!) { submitSignals(input: $input) { batchId } }';
    return { query, variables: { input }, marks: [input.batchId] };
  },
  'Mutation.withdrawBatch': async (world, owner) => {
    const id = await storedBatch(world, owner);
    return {
      query: 'mutation ($input: WithdrawBatchInput!) { withdrawBatch(input: $input) { batchId } }',
      variables: { input: { batchId: id, reason: 'matrix' } },
      marks: [id],
    };
  },
  'POST /oauth/token': route({ grant_type: 'none' }),
  'GET /.well-known/oauth-authorization-server': route(),
  'GET /.well-known/jwks.json': route(),
  'GET /.well-known/retired-jwks.json': route(),
  'GET /health/live': route(),
  'GET /health/ready': route(),
  'POST /ssf/poll': async (world, owner) => {
    const [first, second] = [await issued(world, owner), await issued(world, owner)];
    return {
      body: { returnImmediately: true, ack: [first.jti], setErrs: { [randomUUID()]: { err: 'x' } } },
      marks: [second.jti],
    };
  },
};
