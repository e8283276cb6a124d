/**
 * The SDK from nothing to a reported outcome, against a hub and a blinder in memory: `node tools/try-sdk.mjs` compiles
 * and runs it in an empty folder that has the packed SDK only. Against real doors, take their URLs and the blinder's
 * pinned key instead of the fakes'.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  BlinderClient,
  encodeColumns,
  encodeToken,
  EventVerifier,
  FakeBlinder,
  FakeHub,
  HubClient,
  MemberKey,
  MemoryTokenCache,
  RECOMMENDATION_EVENT,
  Tokenizer,
  toColumns,
  type Observation,
  type RecommendationPayload,
} from '@bongsu/member-sdk';

const [hubDoor, blinderDoor] = [await FakeHub.start(), await FakeBlinder.start()];
const key = await MemberKey.fromJwk(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
);
const hub = new HubClient({ url: hubDoor.url, member: 'upbit', key });
const publicKeys = new Map([[1, blinderDoor.publicKey]]);
const blinder = new BlinderClient({ url: blinderDoor.url, publicKeys, member: 'upbit', key });

// Blind: raw values become tokens, which the blinder never sees and the hub cannot undo.
const tokenizer = new Tokenizer({ member: 'upbit', epoch: 1, blinders: [blinder], cache: new MemoryTokenCache() });
const raw = { key: 'ACCESS-KEY-1', ip: '203.0.113.9', client: 'python-requests/2.32' } as const;
await tokenizer.tokenize([
  { kind: 'key', value: raw.key },
  { kind: 'ip', value: raw.ip },
  { kind: 'prefix', value: raw.ip },
  { kind: 'client', value: raw.client },
]);
const tokenOf = (kind: 'key' | 'ip' | 'prefix' | 'client', value: string) => tokenizer.lookup(kind, value)!;

// Submit: one hour of one key; counts are per hour, slots twelve bits of five minutes.
const observation: Observation = {
  key: tokenOf('key', raw.key),
  ip: tokenOf('ip', raw.ip),
  prefix: tokenOf('prefix', raw.ip),
  client: tokenOf('client', raw.client),
  hour: Math.floor(Date.now() / 3_600_000) - 1,
  network: 'hosting',
  lists: [],
  requests: 40,
  orders: 12,
  rejected: 0,
  activeSlots: 0b0111,
  burstSlots: 0b0010,
};
const receipt = await hub.submitSignals({
  batchId: randomUUID(),
  sequence: (await hub.lastSequence()) + 1,
  epoch: 1,
  purpose: 'key_lending_detection',
  legalBasis: 'contract_terms',
  compact: encodeColumns(toColumns({ observations: [observation], allowEntries: [], keyFacts: [] })),
});
console.log(`accepted ${receipt.accepted}, rejected ${receipt.rejected}`);

// Receive and verify: here the hub in memory recommends; a real one does when evidence rises.
hubDoor.events.set('jti-1', await hubDoor.recommend('upbit', observation.key, randomUUID(), { jti: 'jti-1' }));
const verifier = new EventVerifier(() => hub.jwks(), hub.issuer, 'member:upbit');
const { sets } = await hub.poll([]);
for (const [jti, set] of Object.entries(sets)) {
  const claims = await verifier.verify(set);
  const recommendation = claims.events[RECOMMENDATION_EVENT] as RecommendationPayload;
  const mine = claims.sub_id.id === encodeToken(observation.key);
  console.log(`recommended ${recommendation.rung} for ${mine ? 'the own key' : 'an unknown key'}`);

  // Keep it durably first, then acknowledge by the next poll; act; report what was done.
  await hub.poll([jti]);
  const id = recommendation.recommendation_id;
  await hub.reportOutcome({ recommendationId: id, outcome: 'executed', at: new Date().toISOString() });
  console.log(`reported: ${hubDoor.outcomes.map((outcome) => outcome.outcome).join()}`);
}

await Promise.all([hub.close(), blinder.close(), hubDoor.stop(), blinderDoor.stop()]);
