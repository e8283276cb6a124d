import { Injectable } from '@nestjs/common';
import { ASSESS } from '@app/assessments';
import { AuditLog, Refusals } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal, type Tx } from '@app/infrastructure/database';
import { Jobs } from '@app/infrastructure/queue';
import { BongsuError } from '@app/protocol';
import { MoreThan } from 'typeorm';
import { checkOutcome, checkOutcomeTime } from './domain/outcome-rules.js';
import { TRANSITIONS, type Outcome, type Recommendation } from './domain/recommendation.js';
import { OutcomeEntity } from './persistence/outcome.entity.js';
import { RecommendationEntity } from './persistence/recommendation.entity.js';
import { toRecommendation } from './persistence/recommendation.mapper.js';

type Member = Extract<Principal, { kind: 'member' }>;

/** A recommendation with what was reported of it. */
export interface RecommendationWithOutcomes {
  recommendation: Recommendation;
  outcomes: Outcome[];
}

/** A member's own recommendations and what it did with them. */
@Injectable()
export class Recommendations {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly audit: AuditLog,
    private readonly jobs: Jobs,
    private readonly refusals: Refusals,
  ) {}

  /** Recommendations after a cursor, in its order, one more than `first` where there are more. */
  list(member: Member, after: number, first: number): Promise<RecommendationWithOutcomes[]> {
    return this.database.transaction(member, async (tx) => {
      const found = await tx.find(RecommendationEntity, {
        where: { memberId: member.memberId, cursor: MoreThan(String(after)) },
        order: { cursor: 'ASC' },
        take: first + 1,
      });
      return withOutcomes(tx, found);
    });
  }

  async byId(member: Member, id: string): Promise<RecommendationWithOutcomes | null> {
    const found = await this.database.transaction(member, (tx) => findOwn(tx, member, id));
    if (!found) await this.refusals.missed(member, 'recommendation', id, 'recommendation');
    return found;
  }

  /**
   * Takes in what a member did or found. The same again is fine.
   * @throws {BongsuError} NOT_FOUND, OUTCOME_INVALID, OUTCOME_CONFLICT
   */
  async reportOutcome(member: Member, id: string, given: Outcome): Promise<RecommendationWithOutcomes> {
    const result = await this.database.transaction(member, async (tx) => {
      await tx.query('SELECT 1 FROM recommendations WHERE id::text = $1 FOR UPDATE', [id]);
      const found = await findOwn(tx, member, id);
      if (!found) return null;
      const { recommendation, outcomes } = found;
      const reportedAt = new Date(this.clock.now());
      checkOutcomeTime(recommendation.issuedAt, given.at, reportedAt);
      if (checkOutcome(recommendation.rung, outcomes, given) === 'known') return found;
      await tx.insert(OutcomeEntity, { recommendationId: id, memberId: member.memberId, ...given, reportedAt });
      if (given.outcome === 'executed' || given.outcome === 'declined')
        await this.settle(tx, recommendation, given, reportedAt);
      const settled = (await findOwn(tx, member, id))!;
      await this.audit.record(tx, {
        actor: principalName(member),
        action: 'recommendation.outcome',
        subject: `recommendation:${id}`,
        before: { state: recommendation.state },
        after: { state: settled.recommendation.state },
        detail: { outcome: given.outcome, reason: given.reason, at: given.at },
      });
      return settled;
    });
    if (!result) {
      await this.refusals.missed(member, 'recommendation', id, 'reportOutcome');
      throw new BongsuError('NOT_FOUND', 'There is no recommendation to you with this id.', 'recommendationId');
    }
    await this.jobs.wake(ASSESS, {}, 'assess');
    return result;
  }

  /** Whoever acted on a recommendation has had it: the marks of its delivery are completed. */
  private async settle(tx: Tx, r: Recommendation, given: Outcome, now: Date): Promise<void> {
    const state = given.outcome === 'executed' ? 'executed' : 'declined';
    if (!TRANSITIONS[state].includes(r.state)) return;
    await tx.update(
      RecommendationEntity,
      { id: r.id },
      {
        state,
        deliveredAt: r.deliveredAt ?? now,
        acknowledgedAt: r.acknowledgedAt ?? now,
        ...(state === 'executed' ? { executedAt: given.at } : { declinedAt: given.at }),
      },
    );
    await tx.query(`UPDATE deliveries SET state = 'acknowledged' WHERE recommendation_id = $1 AND state = 'pending'`, [
      r.id,
    ]);
  }
}

async function findOwn(tx: Tx, member: Member, id: string): Promise<RecommendationWithOutcomes | null> {
  const found = await tx
    .createQueryBuilder(RecommendationEntity, 'r')
    .where('r.id::text = :id AND r.memberId = :memberId', { id, memberId: member.memberId })
    .getOne();
  return found ? (await withOutcomes(tx, [found]))[0]! : null;
}

async function withOutcomes(tx: Tx, found: RecommendationEntity[]): Promise<RecommendationWithOutcomes[]> {
  const outcomes = await tx
    .createQueryBuilder(OutcomeEntity, 'o')
    .where('o.recommendationId = ANY (:ids)', { ids: found.map((r) => r.id) })
    .orderBy('o.id')
    .getMany();
  return found.map((entity) => ({
    recommendation: toRecommendation(entity),
    outcomes: outcomes.filter((o) => o.recommendationId === entity.id),
  }));
}
