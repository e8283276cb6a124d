import { Module } from '@nestjs/common';
import { AuditModule } from '@app/audit';
import { RecommendationFlow } from './flow.service.js';
import { PollDelivery } from './poll-delivery.service.js';
import { Recommendations } from './recommendations.service.js';

/** What members reach. Needs `Database`, `Clock`, `Jobs`, `SigningKeys` and `HubIssuer` from the app. */
@Module({
  imports: [AuditModule],
  providers: [Recommendations, RecommendationFlow, PollDelivery],
  exports: [Recommendations, RecommendationFlow, PollDelivery],
})
export class RecommendationsModule {}
