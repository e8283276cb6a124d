import {
  BongsuError,
  RECOMMENDATION_EVENT,
  RUNGS,
  type EventVerifier,
  type RecommendationPayload,
  type SetClaims,
} from '@app/member-sdk';
import type { Journal, JournalEntry } from '../acting/journal.js';

/** Takes security event tokens: verifies, journals, and only then says that they are taken. */
export class Receiver {
  constructor(
    private readonly verifier: EventVerifier,
    private readonly journal: Journal,
    private readonly now: () => number,
    private readonly trace: (about: object, text: string) => void = () => {},
  ) {}

  /**
   * @returns the token's `jti`, once it is journalled; one that came before is taken again without effect
   * @throws {BongsuError} BAD_INPUT with the RFC 8935 error in `where`
   * @throws {DoorError} when the hub's keys are needed and cannot be had
   */
  async take(set: string): Promise<string> {
    const claims = await this.verifier.verify(set);
    const { jti, txn } = claims;
    if (!this.journal.has(jti)) {
      await this.journal.write(this.entry(claims, set));
      this.trace({ jti, txn }, 'an event was journalled');
    }
    return jti;
  }

  private entry(claims: SetClaims, set: string): JournalEntry {
    const [event, payload] = Object.entries(claims.events)[0]!;
    const { jti } = claims;
    if (event !== RECOMMENDATION_EVENT) return { t: 'noticed', at: this.now(), jti, event };
    const recommendation = payload as RecommendationPayload;
    if (typeof recommendation?.recommendation_id !== 'string' || !RUNGS.includes(recommendation.rung))
      throw new BongsuError('BAD_INPUT', 'The recommendation has no id or no rung.', 'invalid_request');
    const id = recommendation.recommendation_id;
    return { t: 'received', at: this.now(), jti, id, token: claims.sub_id.id, set, payload: recommendation };
  }
}
