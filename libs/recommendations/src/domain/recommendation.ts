import type { Bilingual, OutcomeKind, DeclineReason, ReasonPayload, Rung } from '@app/protocol';

/*
 * issued: stored, waiting to be handed over. delivered: handed over in a poll's answer. acknowledged: the receiver has
 * journalled it. executed, declined: what the member did. superseded: the key rose to a higher rung before that.
 * withdrawn: what it was about was erased before that.
 */
export const RECOMMENDATION_STATES = [
  'issued',
  'delivered',
  'acknowledged',
  'executed',
  'declined',
  'superseded',
  'withdrawn',
] as const;
export type RecommendationState = (typeof RECOMMENDATION_STATES)[number];

/**
 * From which states each state is reached. A superseded or withdrawn one may still be acted on: the member may be on its
 * way.
 */
export const TRANSITIONS: Record<RecommendationState, readonly RecommendationState[]> = {
  issued: [],
  delivered: ['issued'],
  acknowledged: ['issued', 'delivered'],
  executed: ['issued', 'delivered', 'acknowledged', 'superseded', 'withdrawn'],
  declined: ['issued', 'delivered', 'acknowledged', 'superseded', 'withdrawn'],
  superseded: ['issued', 'delivered', 'acknowledged'],
  withdrawn: ['issued', 'delivered', 'acknowledged'],
};

export interface Outcome {
  outcome: OutcomeKind;
  reason: DeclineReason | null;
  note: string | null;
  at: Date;
}

/** An assessment that rose to a rung, addressed to the member that holds the key. */
export interface Recommendation {
  id: string;
  /** Monotonic; commits in this order. */
  cursor: number;
  memberId: number;
  keyToken: Buffer;
  rung: Rung;
  probability: number;
  policyVersion: string;
  reasons: ReasonPayload[];
  explanation: Bilingual;
  customerNotice: Bilingual;
  issuedAt: Date;
  deadline: Date;
  supersedes: string | null;
  state: RecommendationState;
  deliveredAt: Date | null;
  acknowledgedAt: Date | null;
  executedAt: Date | null;
  declinedAt: Date | null;
}
