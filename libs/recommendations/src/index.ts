/** Recommendations: their life, delivery and outcomes. */
export * from './domain/recommendation.js';
export { type Flow, RecommendationFlow } from './flow.service.js';
export { ForgetKeys } from './forget.service.js';
export { HubIssuer } from './hub-issuer.js';
export { IssueRecommendations } from './issue.service.js';
export { DELIVER } from './jobs.js';
export { OutcomeEntity } from './persistence/outcome.entity.js';
export { RecommendationEntity } from './persistence/recommendation.entity.js';
export { PollDelivery, type PollAnswer, type PollRequest } from './poll-delivery.service.js';
export { PushDelivery } from './push-delivery.service.js';
export { RecommendationsModule } from './recommendations.module.js';
export { Recommendations, type RecommendationWithOutcomes } from './recommendations.service.js';
