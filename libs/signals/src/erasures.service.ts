import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Members, type Member as Exchange } from '@app/identity';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal, type Tx } from '@app/infrastructure/database';
import { Jobs } from '@app/infrastructure/queue';
import { BongsuError, RUNGS, shortToken, TOKEN_BYTES } from '@app/protocol';
import { NOTHING_ERASED, type Erasure, type ErasureKind } from './domain/erasure.js';
import { ERASE } from './jobs.js';

type Member = Extract<Principal, { kind: 'member' }>;

const LONGEST_REASON = 500;
const COLUMNS = `id, cursor, member_id, kind, target_short, reason, requested_by, requested_at, state, done_at, counts,
  open_recommendations, highest_rung`;

/** Erasures as they are asked for and looked at; the worker does them. */
@Injectable()
export class Erasures {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly jobs: Jobs,
    private readonly audit: AuditLog,
    private readonly members: Members,
  ) {}

  /**
   * Asks for everything about one of the member's keys, or one owner's keys at the member, to be erased. The same again,
   * while it waits, is the same erasure.
   * @param token 32 bytes; what the hub does not know is erased too, with counts of zero
   * @throws {BongsuError} TOKEN_MALFORMED; BAD_INPUT without a reason
   */
  async request(member: Member, kind: 'key' | 'owner', token: Uint8Array, reason: string): Promise<Erasure> {
    if (token.length !== TOKEN_BYTES)
      throw new BongsuError('TOKEN_MALFORMED', `A token has ${TOKEN_BYTES} bytes.`, kind);
    const why = checkReason(reason);
    const erasure = await this.database.transaction(member, (tx) =>
      this.insert(tx, member, { memberId: member.memberId, kind, token, reason: why }),
    );
    await this.jobs.wake(ERASE, {}, 'erase');
    return erasure;
  }

  /**
   * Lets a member leave for good: it is refused at every door, and what it sent is erased.
   * @param by a staff principal
   * @throws {BongsuError} NOT_FOUND; BAD_INPUT without a reason, or for one that has left before
   */
  async leave(by: Principal, name: string, reason: string): Promise<Exchange> {
    const why = checkReason(reason);
    const left = await this.members.leave(by, name, why, async (tx, { id: memberId }) => {
      await this.insert(tx, by, { memberId, kind: 'member', token: null, reason: why });
    });
    await this.jobs.wake(ERASE, {}, 'erase');
    return left;
  }

  /** One erasure that the principal may see, or null. */
  async byId(by: Principal, id: string): Promise<Erasure | null> {
    return this.database.transaction(by, async (tx) => {
      const [row] = await tx.query<Row[]>(`SELECT ${COLUMNS} FROM erasures WHERE id::text = $1`, [id]);
      return row ? toErasure(row) : null;
    });
  }

  /** Erasures after a cursor that the principal may see: a member its own, staff all. */
  list(by: Principal, after: number, first: number): Promise<Erasure[]> {
    return this.database.transaction(by, async (tx) => {
      const rows = await tx.query<Row[]>(`SELECT ${COLUMNS} FROM erasures WHERE cursor > $1 ORDER BY cursor LIMIT $2`, [
        after,
        first,
      ]);
      return rows.map(toErasure);
    });
  }

  private async insert(
    tx: Tx,
    by: Principal,
    given: { memberId: number; kind: ErasureKind; token: Uint8Array | null; reason: string },
  ): Promise<Erasure> {
    const { memberId, kind, token, reason } = given;
    const id = randomUUID();
    const target = token && shortToken(token);
    await tx.query(
      `INSERT INTO erasures (id, member_id, kind, token, target_short, reason, requested_by, requested_at, state, stage)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'requested', 'collect') ON CONFLICT DO NOTHING`,
      [id, memberId, kind, token && Buffer.from(token), target, reason, principalName(by), new Date(this.clock.now())],
    );
    const [row] = await tx.query<Row[]>(
      `SELECT ${COLUMNS} FROM erasures WHERE member_id = $1 AND kind = $2 AND target_short IS NOT DISTINCT FROM $3
         AND state = 'requested' ORDER BY id <> $4 LIMIT 1`,
      [memberId, kind, target, id],
    );
    if (row!.id === id)
      await this.audit.record(tx, {
        actor: principalName(by),
        action: 'erasure.requested',
        subject: `erasure:${id}`,
        detail: { kind, target, reason },
      });
    return toErasure(row!);
  }
}

interface Row {
  id: string;
  cursor: string;
  member_id: number;
  kind: Erasure['kind'];
  target_short: string | null;
  reason: string;
  requested_by: string;
  requested_at: Date;
  state: Erasure['state'];
  done_at: Date | null;
  counts: Partial<Erasure['counts']>;
  open_recommendations: number;
  highest_rung: number;
}

function toErasure(row: Row): Erasure {
  return {
    id: row.id,
    cursor: Number(row.cursor),
    memberId: row.member_id,
    kind: row.kind,
    target: row.target_short,
    reason: row.reason,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    state: row.state,
    doneAt: row.done_at,
    counts: { ...NOTHING_ERASED, ...row.counts },
    openRecommendations: row.open_recommendations,
    highestRung: RUNGS[row.highest_rung - 1] ?? null,
  };
}

function checkReason(reason: string): string {
  const text = reason.trim();
  if (text === '' || text.length > LONGEST_REASON)
    throw new BongsuError('BAD_INPUT', `A reason has 1 to ${LONGEST_REASON} characters.`, 'reason');
  return text;
}
