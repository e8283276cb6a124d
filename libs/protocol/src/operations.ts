import { createHash } from 'node:crypto';

const RECEIPT =
  'batchId sequence receivedAt accepted rejected rejections { section index code message } state foldedAt ' +
  'notes { code message index }';
const ERASURE =
  'id kind target state requestedAt doneAt openRecommendations ' +
  'counts { keys observations allowEntries keyFacts batchRows recommendations tokens }';
const RECOMMENDATION =
  'id key rung state issuedAt deadline deliveredAt acknowledgedAt executedAt policyVersion probability ' +
  'reasons { code nats textKo textEn } explanationKo explanationEn customerNoticeKo customerNoticeEn ' +
  'supersedes outcome outcomeReason';

/**
 * The GraphQL documents that members' software sends, by the field that each asks for. The hub knows each by its
 * {@link documentIdOf} (trusted documents), so a text is never changed while released software sends it.
 */
export const OPERATIONS = {
  submitSignals: `mutation SubmitSignals($input: SubmitSignalsInput!) { submitSignals(input: $input) { ${RECEIPT} } }`,
  withdrawBatch: `mutation WithdrawBatch($input: WithdrawBatchInput!) { withdrawBatch(input: $input) { ${RECEIPT} } }`,
  eraseKey: `mutation EraseKey($input: EraseKeyInput!) { eraseKey(input: $input) { ${ERASURE} } }`,
  eraseOwner: `mutation EraseOwner($input: EraseOwnerInput!) { eraseOwner(input: $input) { ${ERASURE} } }`,
  erasure: `query Erasure($id: ID!) { erasure(id: $id) { ${ERASURE} } }`,
  batch: `query Batch($id: ID!) { batch(id: $id) { ${RECEIPT} } }`,
  lastSequence: 'query LastSequence { lastSequence }',
  recommendations:
    'query Recommendations($after: String, $first: Int) { recommendations(after: $after, first: $first) ' +
    `{ edges { cursor node { ${RECOMMENDATION} } } pageInfo { hasNextPage endCursor } } }`,
  recommendation: `query Recommendation($id: ID!) { recommendation(id: $id) { ${RECOMMENDATION} } }`,
  reportOutcome: 'mutation ReportOutcome($input: ReportOutcomeInput!) { reportOutcome(input: $input) { id } }',
  currentStandard:
    'query CurrentStandard { currentStandard { version effectiveFrom textKo textEn policy policySchema contentHash } }',
  warningLists:
    'query WarningLists($after: String, $first: Int) { warningLists(after: $after, first: $first) ' +
    '{ edges { node { name version source description entries expiresAt updatedAt endedAt } } ' +
    'pageInfo { hasNextPage endCursor } } }',
  epochs: 'query Epochs { epochs { number state publicKeys } }',
  reenroll:
    'mutation Reenroll($input: ReenrollInput!) { reenroll(input: $input) { accepted refused { index code message } pending } }',
  rotateMemberKey:
    'mutation RotateMemberKey($input: RotateMemberKeyInput!) { rotateMemberKey(input: $input) { kid previousValidUntil } }',
} as const satisfies Record<string, string>;

/** Name of one of the documents. */
export type OperationName = keyof typeof OPERATIONS;

/**
 * What names a document in its place in a request: `sha256:` and the lower-case hex digest of its exact text (GraphQL
 * over HTTP, appendix on persisted documents).
 */
export function documentIdOf(text: string): string {
  return `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}
