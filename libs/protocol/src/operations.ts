const RECEIPT =
  'batchId sequence receivedAt accepted rejected rejections { section index code message } state foldedAt ' +
  'notes { code message index }';
const RECOMMENDATION =
  'id key rung state issuedAt deadline deliveredAt acknowledgedAt executedAt policyVersion probability ' +
  'reasons { code nats textKo textEn } explanationKo explanationEn customerNoticeKo customerNoticeEn ' +
  'supersedes outcome outcomeReason';

/**
 * The GraphQL documents that a member's own software sends, by the name of what they ask for. The hub knows each by the
 * SHA-256 of its exact text, so a text is never changed while software that sends it is in use: a new one is added.
 */
export const OPERATIONS = {
  submitSignals: `mutation Submit($input: SubmitSignalsInput!) { submitSignals(input: $input) { ${RECEIPT} } }`,
  withdrawBatch: `mutation Withdraw($input: WithdrawBatchInput!) { withdrawBatch(input: $input) { ${RECEIPT} } }`,
  batch: `query Batch($id: ID!) { batch(id: $id) { ${RECEIPT} } }`,
  lastSequence: 'query { lastSequence }',
  recommendations:
    'query Recommendations($after: String, $first: Int) { recommendations(after: $after, first: $first) ' +
    `{ edges { cursor node { ${RECOMMENDATION} } } pageInfo { hasNextPage endCursor } } }`,
  recommendation: `query Recommendation($id: ID!) { recommendation(id: $id) { ${RECOMMENDATION} } }`,
  reportOutcome: 'mutation Report($input: ReportOutcomeInput!) { reportOutcome(input: $input) { id } }',
  currentStandard: 'query { currentStandard { version effectiveFrom textKo textEn policy policySchema contentHash } }',
  warningLists:
    'query WarningLists($after: String, $first: Int) { warningLists(after: $after, first: $first) ' +
    '{ edges { node { name version source description entries expiresAt updatedAt endedAt } } ' +
    'pageInfo { hasNextPage endCursor } } }',
} as const;
