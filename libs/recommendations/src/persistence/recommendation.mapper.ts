import { RUNGS } from '@app/protocol';
import type { Recommendation } from '../domain/recommendation.js';
import type { RecommendationEntity } from './recommendation.entity.js';

export function toRecommendation(e: RecommendationEntity): Recommendation {
  return {
    id: e.id,
    cursor: Number(e.cursor),
    memberId: e.memberId,
    keyToken: e.keyToken,
    rung: RUNGS[e.rung - 1] ?? 'monitor',
    probability: e.probability,
    policyVersion: e.policyVersion,
    reasons: e.reasons,
    explanation: e.explanation,
    customerNotice: e.customerNotice,
    issuedAt: e.issuedAt,
    deadline: e.deadline,
    supersedes: e.supersedes,
    state: e.state,
    deliveredAt: e.deliveredAt,
    acknowledgedAt: e.acknowledgedAt,
    executedAt: e.executedAt,
    declinedAt: e.declinedAt,
  };
}
