import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { assess, rose, type Id } from '@app/correlation';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Tx } from '@app/infrastructure/database';
import { createLogger, within } from '@app/infrastructure/logging';
import { counter, timed, timer } from '@app/infrastructure/metrics';
import type { Policy } from '@app/protocol';
import { Standards } from '@app/standard';
import { AGEING_SECONDS, assessmentTime, KEYS_PER_PASS } from './domain/due.js';
import { loadBackground } from './persistence/background.js';
import { holdAssessing } from './persistence/forget.js';
import { loadNeighbourhood, loadNeighbours } from './persistence/neighbourhood-loader.js';
import { applyOutcomes, keyTokens, queueAged, resetUnknown, saveAssessments, takeKeys } from './persistence/states.js';
import { summariseTouched } from './persistence/summaries.js';
import { RungRises } from './rung-rises.js';

const PRINCIPAL = { kind: 'job', name: 'assess' } as const;

/** Ids, of requests or of recommendations, that one log line names at most. */
const IDS_A_LINE = 50;

const ASSESSED = counter({ name: 'bongsu_assess_keys_total', help: 'Keys assessed.' });
const PASS_SECONDS = timer({ name: 'bongsu_assess_pass_seconds', help: 'Time that one pass of assessment took.' });

/** Touched keys into assessments; a rise into a recommendation, in the same transaction. */
@Injectable()
export class Assess {
  private readonly logger = createLogger('assess');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly standards: Standards,
    private readonly rises: RungRises,
  ) {}

  /**
   * Assesses everything that waits, as one wave: its log lines carry the wave's id, and the first names the requests whose
   * batches woke it, the others the recommendations that came of it.
   * @param stopped asked between transactions: true leaves the rest for later
   * @returns how many keys were assessed
   */
  drain(stopped: () => boolean = () => false): Promise<number> {
    return within({ requestId: `wave-${randomUUID()}` }, async () => {
      let assessed = 0;
      while (!stopped() && (await this.prepare()));
      while (!stopped()) {
        const { keys, recommendations } = await timed(PASS_SECONDS, () =>
          this.database.transaction(PRINCIPAL, (tx) => this.pass(tx)),
        );
        if (keys === 0) break;
        assessed += keys;
        ASSESSED.add({}, keys);
        for (let i = 0; i === 0 || i < recommendations.length; i += IDS_A_LINE)
          this.logger.info({ keys, recommendations: recommendations.slice(i, i + IDS_A_LINE) }, 'keys were assessed');
      }
      return assessed;
    });
  }

  /** Queues keys whose evidence has only aged. @returns how many */
  queueAged(): Promise<number> {
    return this.database.transaction(PRINCIPAL, (tx) =>
      queueAged(tx, assessmentTime(this.clock.now()) - AGEING_SECONDS),
    );
  }

  /** Takes outcomes into keys' memories and summarises touched days. @returns whether more may wait */
  private async prepare(): Promise<boolean> {
    const { outcomes, taken, batches, requestIds } = await this.database.transaction(PRINCIPAL, async (tx) => {
      await holdAssessing(tx);
      const outcomes = await applyOutcomes(tx);
      const { taken, batches } = await summariseTouched(tx);
      return { outcomes, taken, batches, requestIds: await requestIdsOf(tx, batches) };
    });
    for (let i = 0; i === 0 || i < requestIds.length; i += IDS_A_LINE)
      if (outcomes + taken > 0)
        this.logger.info(
          { outcomes, batches: batches.length, requestIds: requestIds.slice(i, i + IDS_A_LINE) },
          'batches and outcomes woke an assessment',
        );
    return outcomes + taken > 0;
  }

  private async pass(tx: Tx): Promise<{ keys: number; recommendations: string[] }> {
    await holdAssessing(tx);
    const touched = await takeKeys(tx, KEYS_PER_PASS);
    if (touched.length === 0) return { keys: 0, recommendations: [] };
    const { policy } = await this.standards.current(tx);
    const asOf = assessmentTime(this.clock.now());
    const seeds = await this.withNeighbours(tx, touched, policy, asOf);
    const background = await loadBackground(tx, policy, asOf);
    const neighbourhood = await loadNeighbourhood(tx, seeds, background, policy, asOf);
    const before = new Map(neighbourhood.memory.map((memory) => [memory.key, memory]));
    const members = new Map(neighbourhood.facts.map((facts) => [facts.key, facts.member]));
    const assessments = assess(neighbourhood, policy, asOf);
    await saveAssessments(tx, assessments, before, members);
    const assessed = new Set(assessments.map((a) => a.key));
    await resetUnknown(
      tx,
      touched.filter((key) => !assessed.has(key)),
      asOf,
    );
    const risen = assessments.filter((a) => rose(before.get(a.key), a));
    const tokens = await keyTokens(
      tx,
      risen.map((a) => a.key),
    );
    const recommendations = await this.rises.rose(
      tx,
      risen.map((assessment) => ({
        assessment,
        memberId: members.get(assessment.key)!,
        keyToken: tokens.get(assessment.key)!,
      })),
      policy,
    );
    return { keys: touched.length, recommendations };
  }

  private async withNeighbours(tx: Tx, touched: readonly Id[], policy: Policy, asOf: number): Promise<Id[]> {
    const firstDay = Math.floor(asOf / 86_400) - policy.lookBackDays + 1;
    const neighbours = await loadNeighbours(tx, touched, firstDay, NEIGHBOURS_PER_IP);
    return [...new Set([...touched, ...neighbours])].sort((a, b) => a - b);
  }
}

/** The requests that brought batches. */
async function requestIdsOf(tx: Tx, batches: readonly string[]): Promise<string[]> {
  if (batches.length === 0) return [];
  const rows = await tx.query<{ id: string }[]>(
    'SELECT DISTINCT request_id AS id FROM batches WHERE id = ANY ($1::bigint[]) AND request_id IS NOT NULL',
    [batches],
  );
  return rows.map(({ id }) => id);
}

/**
 * An address with more keys than this does not spread a re-assessment: it is a crowd, or an operator whose keys are
 * all touched by their own use.
 */
const NEIGHBOURS_PER_IP = 60;
