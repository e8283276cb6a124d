import { encodeToken, RECOMMENDATION_EVENT, type RecommendationPayload, type SetClaims } from '@app/protocol';
import type { Recommendation } from './recommendation.js';

/** Header `typ` of a security event token (RFC 8417, section 2.3). */
export const SET_TYPE = 'secevent+jwt';

/**
 * The security event that carries a recommendation.
 * @param now ms since 1970
 */
export function toEvent(r: Recommendation, jti: string, issuer: string, member: string, now: number): SetClaims {
  const payload: RecommendationPayload = {
    recommendation_id: r.id,
    rung: r.rung,
    probability: Math.round(r.probability * 100) / 100,
    policy_version: r.policyVersion,
    issued_at: r.issuedAt.toISOString(),
    deadline: r.deadline.toISOString(),
    supersedes: r.supersedes,
    reasons: r.reasons,
    explanation: r.explanation,
    customer_notice: r.customerNotice,
    event_timestamp: Math.floor(r.issuedAt.getTime() / 1000),
    initiating_entity: 'policy',
  };
  return {
    iss: issuer,
    aud: `member:${member}`,
    jti,
    iat: Math.floor(now / 1000),
    txn: r.id,
    sub_id: { format: 'opaque', id: encodeToken(r.keyToken) },
    events: { [RECOMMENDATION_EVENT]: payload },
  };
}
