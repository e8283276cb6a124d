import { Args, Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import type { Principal } from '@app/infrastructure/database';
import { type Report, Reports } from '@app/reports';
import { Allow, By } from '../auth/allow.decorator.js';
import { JsonScalar } from '../graphql/scalars.js';

@ObjectType('Report', {
  description: 'Aggregates of one month. Small counts, and those that would give them away, are null.',
})
export class ReportModel {
  @Field({ description: 'YYYY-MM, Asia/Seoul.' }) period: string;
  @Field({ description: 'False while the month runs: figures may still rise.' }) closed: boolean;
  @Field(() => JsonScalar) body: Report;
  @Field({ description: 'JWS over the body, by a key of /.well-known/jwks.json.' }) signature: string;
}

@Resolver()
export class ReportsResolver {
  constructor(private readonly service: Reports) {}

  @Allow('reports.read')
  @Query(() => ReportModel)
  async report(@By() by: Principal, @Args('period') period: string): Promise<ReportModel> {
    const { report, signature } = await this.service.report(by, period);
    return { period: report.period, closed: report.closed, body: report, signature };
  }

  @Allow('reports.read')
  @Query(() => [String], { description: 'Months that are closed, newest first.' })
  reports(@By() by: Principal): Promise<string[]> {
    return this.service.periods(by);
  }
}
