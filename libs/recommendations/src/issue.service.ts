import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { RungRises, type Rise } from '@app/assessments';
import { AuditLog } from '@app/audit';
import { explain, reasonText, type Assessment } from '@app/correlation';
import { Clock } from '@app/infrastructure/clock';
import type { Tx } from '@app/infrastructure/database';
import { counter } from '@app/infrastructure/metrics';
import { rungRank, shortToken, type Policy, type Rung } from '@app/protocol';
import { TRANSITIONS } from './domain/recommendation.js';
import { RecommendationEntity } from './persistence/recommendation.entity.js';

const HOUR_MS = 3_600_000;

const ISSUED = counter({
  name: 'bongsu_recommendations_issued_total',
  help: 'Recommendations issued, by rung.',
  labels: ['rung'],
});

/** Issues a recommendation, with its row in the outbox, for each rise; a lower one still open gives way to it. */
@Injectable()
export class IssueRecommendations extends RungRises {
  constructor(
    private readonly clock: Clock,
    private readonly audit: AuditLog,
  ) {
    super();
  }

  async rose(tx: Tx, rises: readonly Rise[], policy: Policy): Promise<string[]> {
    const issued: string[] = [];
    for (const rise of rises) issued.push(await this.issue(tx, rise, policy));
    return issued;
  }

  private async issue(tx: Tx, { assessment, memberId, keyToken }: Rise, policy: Policy): Promise<string> {
    const rung = assessment.rung as Rung;
    const issuedAt = new Date(this.clock.now());
    const supersedes = await supersede(tx, assessment.key);
    const id = randomUUID();
    await tx.insert(RecommendationEntity, {
      id,
      memberId,
      keyId: assessment.key,
      keyToken,
      rung: rungRank(rung),
      probability: assessment.probability,
      policyVersion: assessment.policyVersion,
      reasons: assessment.findings.map((finding) => ({
        code: finding.code,
        nats: Math.round(finding.nats * 100) / 100,
        text: { ko: reasonText(finding, 'ko'), en: reasonText(finding, 'en') },
      })),
      explanation: {
        ko: explain(assessment, policy, 'ko', 'analyst'),
        en: explain(assessment, policy, 'en', 'analyst'),
      },
      customerNotice: {
        ko: explain(assessment, policy, 'ko', 'customer'),
        en: explain(assessment, policy, 'en', 'customer'),
      },
      evidence: snapshot(assessment),
      issuedAt,
      deadline: new Date(issuedAt.getTime() + policy.ladder.deadlineHours[rung] * HOUR_MS),
      supersedes,
      state: 'issued',
    });
    await tx.query(
      `INSERT INTO deliveries (jti, recommendation_id, member_id, state, next_attempt_at) VALUES ($1, $2, $3, 'pending', $4)`,
      [randomUUID(), id, memberId, issuedAt],
    );
    await this.audit.record(tx, {
      actor: 'job:assess',
      action: 'recommendation.issued',
      subject: `recommendation:${id}`,
      after: { state: 'issued', rung, policyVersion: assessment.policyVersion },
      detail: { key: shortToken(keyToken), memberId, supersedes },
    });
    ISSUED.add({ rung });
    return id;
  }
}

/**
 * What the recommendation rests on, kept as it was: observations go before it does. Counts, days and nats; no token and
 * no address.
 */
function snapshot({ key: _key, memory: _memory, suppressed, ...kept }: Assessment) {
  return { ...kept, suppressed: suppressed.map(({ ip: _ip, ...crowd }) => crowd) };
}

/** Lets a key's open recommendation give way. @returns its id, if there was one */
async function supersede(tx: Tx, keyId: number): Promise<string | null> {
  const [rows] = await tx.query<[{ id: string }[], number]>(
    `UPDATE recommendations SET state = 'superseded' WHERE key_id = $1 AND state = ANY ($2) RETURNING id`,
    [keyId, TRANSITIONS.superseded],
  );
  return rows.at(-1)?.id ?? null;
}
