import { decodeToken, shortToken, type RecommendationPayload } from '@app/member-sdk';
import { Backoff } from '../pipeline/backoff.js';
import { callHook, type HookConfig, type HookRequest, type HookResult } from './hook.js';
import type { Case, Journal, JournalEntry } from './journal.js';

const HOUR_MS = 3_600_000;

export interface ActingRules {
  mode: 'dry-run' | 'live';
  /** Whether an `expire` waits for a person's release. */
  expire: 'hold' | 'auto';
  /** Most recommendations acted on in any hour. */
  capPerHour: number;
  hook: HookConfig | null;
}

/** Why a recommendation is not acted on now. */
export type WaitReason =
  'stopped' | 'dry-run' | 'no hook' | 'held for a person' | 'hourly cap' | 'trying again later' | 'a person is asked';

export interface ActorPorts {
  journal: Journal;
  member: string;
  /** The own access key behind a token. */
  accessKeyOf: (token: string) => string | undefined;
  /** Whether the stop switch is set. */
  stopped: () => boolean;
  now: () => number;
  note: (text: string) => void;
  /** Calls the hook; a test puts its own here. */
  call?: (config: HookConfig, body: HookRequest) => Promise<HookResult>;
}

/**
 * Acts on recommendations, each once: intent on disk, then the hook, then its result on disk. After a kill between the
 * two the hook is called again with the same idempotency key if it honours that; otherwise a person is asked.
 */
export class Actor {
  private readonly retries = new Map<string, Backoff>();
  private readonly busy = new Set<string>();

  constructor(
    private readonly rules: ActingRules,
    private readonly ports: ActorPorts,
  ) {}

  /** Why a case is not acted on at this moment; null when it may be. Only for cases without a result. */
  waitsFor(item: Case): WaitReason | null {
    const { rules } = this;
    if (this.ports.stopped()) return 'stopped';
    if (item.state === 'asking' || (item.state === 'intended' && !rules.hook?.idempotent)) return 'a person is asked';
    if (rules.mode === 'dry-run') return 'dry-run';
    if (rules.hook === null) return 'no hook';
    if (item.payload.rung === 'expire' && rules.expire === 'hold' && !item.released) return 'held for a person';
    if (this.retries.get(item.id)?.due === false) return 'trying again later';
    if (item.attempts === 0 && this.actedThisHour() >= rules.capPerHour) return 'hourly cap';
    return null;
  }

  /** Acts on everything that may be acted on now, in the order received. */
  async round(): Promise<void> {
    for (const item of this.ports.journal.cases.values()) {
      if (item.state === 'done' || item.state === 'superseded' || this.busy.has(item.id)) continue;
      this.busy.add(item.id);
      try {
        await this.consider(item);
      } finally {
        this.busy.delete(item.id);
      }
    }
  }

  private async consider(item: Case): Promise<void> {
    const { journal, accessKeyOf, now } = this.ports;
    const accessKey = accessKeyOf(item.token);
    if (accessKey === undefined && item.state === 'waiting' && this.rules.mode === 'live') {
      const outcome = { outcome: 'declined', reason: 'key_unknown', note: null, at: now() } as const;
      return journal.write({ t: 'result', at: now(), id: item.id, by: 'agent', outcomes: [outcome] });
    }
    if (item.state === 'intended' && !this.rules.hook?.idempotent)
      return journal.write({
        t: 'uncertain',
        at: now(),
        id: item.id,
        message:
          'The agent was ended between calling the hook and its answer. Find out whether it acted, then `settle`.',
      });
    if (accessKey === undefined || this.waitsFor(item) !== null) return;
    await journal.write({ t: 'intent', at: now(), id: item.id });
    const result = await (this.ports.call ?? callHook)(this.rules.hook!, this.request(item, accessKey));
    await this.conclude(item, result);
  }

  private async conclude(item: Case, result: HookResult): Promise<void> {
    const { journal, note } = this.ports;
    const at = this.ports.now();
    if (result.kind === 'answered') {
      this.retries.delete(item.id);
      const outcomes = result.outcomes.map(({ outcome, reason, note, afterSeconds }) => ({
        outcome,
        reason: reason ?? null,
        note: note ?? null,
        at: at + (afterSeconds ?? 0) * 1000,
      }));
      return journal.write({ t: 'result', at, id: item.id, by: 'hook', outcomes });
    }
    const again = result.kind === 'undone' || this.rules.hook!.idempotent;
    const entry: JournalEntry = { t: again ? 'undone' : 'uncertain', at, id: item.id, message: result.message };
    await journal.write(entry);
    const retry = this.retries.get(item.id) ?? new Backoff(1_000, 300_000);
    retry.failed();
    this.retries.set(item.id, retry);
    note(
      `Recommendation ${item.id}: ${result.message} ${again ? 'It is tried again.' : 'A person is asked: see `status`.'}`,
    );
  }

  private request(item: Case, accessKey: string): HookRequest {
    const p: RecommendationPayload = item.payload;
    return {
      idempotency_key: item.id,
      recommendation_id: item.id,
      member: this.ports.member,
      access_key: accessKey,
      short: shortToken(decodeToken(item.token)),
      rung: p.rung,
      probability: p.probability,
      policy_version: p.policy_version,
      issued_at: p.issued_at,
      deadline: p.deadline,
      supersedes: p.supersedes,
      reasons: p.reasons,
      explanation: p.explanation,
      customer_notice: p.customer_notice,
    };
  }

  private actedThisHour(): number {
    const since = this.ports.now() - HOUR_MS;
    const { intents } = this.ports.journal;
    let count = 0;
    for (let i = intents.length - 1; i >= 0 && count < this.rules.capPerHour; i--) if (intents[i]! > since) count++;
    return count;
  }
}
