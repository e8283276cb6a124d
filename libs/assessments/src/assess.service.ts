import { Injectable } from '@nestjs/common';
import { assess, rose, type Id } from '@app/correlation';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Tx } from '@app/infrastructure/database';
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

/** Touched keys into assessments; a rise into a recommendation, in the same transaction. */
@Injectable()
export class Assess {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly standards: Standards,
    private readonly rises: RungRises,
  ) {}

  /** Assesses everything that waits. @returns how many keys were assessed */
  async drain(): Promise<number> {
    let assessed = 0;
    while (await this.database.transaction(PRINCIPAL, (tx) => this.prepare(tx)));
    for (;;) {
      const count = await this.database.transaction(PRINCIPAL, (tx) => this.pass(tx));
      assessed += count;
      if (count === 0) return assessed;
    }
  }

  /** Queues keys whose evidence has only aged. @returns how many */
  queueAged(): Promise<number> {
    return this.database.transaction(PRINCIPAL, (tx) =>
      queueAged(tx, assessmentTime(this.clock.now()) - AGEING_SECONDS),
    );
  }

  /** Takes outcomes into keys' memories and summarises touched days. @returns whether more may wait */
  private async prepare(tx: Tx): Promise<boolean> {
    await holdAssessing(tx);
    return (await applyOutcomes(tx)) + (await summariseTouched(tx)) > 0;
  }

  private async pass(tx: Tx): Promise<number> {
    await holdAssessing(tx);
    const touched = await takeKeys(tx, KEYS_PER_PASS);
    if (touched.length === 0) return 0;
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
    await this.rises.rose(
      tx,
      risen.map((assessment) => ({
        assessment,
        memberId: members.get(assessment.key)!,
        keyToken: tokens.get(assessment.key)!,
      })),
      policy,
    );
    return touched.length;
  }

  private async withNeighbours(tx: Tx, touched: readonly Id[], policy: Policy, asOf: number): Promise<Id[]> {
    const firstDay = Math.floor(asOf / 86_400) - policy.lookBackDays + 1;
    const neighbours = await loadNeighbours(tx, touched, firstDay, NEIGHBOURS_PER_IP);
    return [...new Set([...touched, ...neighbours])].sort((a, b) => a - b);
  }
}

/**
 * An address with more keys than this does not spread a re-assessment: it is a crowd, or an operator whose keys are
 * all touched by their own use.
 */
const NEIGHBOURS_PER_IP = 60;
