import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Principal, type Tx } from '@app/infrastructure/database';
import { Jobs } from '@app/infrastructure/queue';
import { BongsuError, TOKEN_BYTES, TOKEN_KINDS } from '@app/protocol';
import { checkAnnouncement, MOST_PAIRS, type Epoch, type Pair, type Reenrolment } from './domain/epoch.js';
import { ROTATE } from './jobs.js';
import { holdEpochs } from './persistence/epoch-lock.js';
import { allEpochs } from './persistence/epochs.js';

type Member = Extract<Principal, { kind: 'member' }>;

/** How far a member has re-enrolled. */
export interface ReenrolmentProgress {
  memberId: number;
  /** Pairs accepted; how many of them wait to be carried over. */
  pairs: number;
  pending: number;
  /** When the member said that it has no more; null before. */
  completedAt: Date | null;
}

const REFUSALS = {
  unknown: ['NOT_FOUND', 'None of your folded rows has the old token: there is nothing to carry over.'],
  conflict: ['REENROLMENT_CONFLICT', 'One of the two tokens is paired with another, or stands already.'],
} as const;

/** Epochs as they are looked at, announced and turned; members' re-enrolment. The worker turns what was asked. */
@Injectable()
export class Epochs {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly jobs: Jobs,
    private readonly audit: AuditLog,
  ) {}

  /** Every epoch, oldest first. */
  list(by: Principal): Promise<Epoch[]> {
    return this.database.transaction(by, allEpochs);
  }

  /**
   * Publishes the holders' public keys of the next epoch, or of the active one where none are. Again, with the same, is
   * fine.
   * @param publicKeys base64url, in the order in which members ask the holders
   * @throws {BongsuError} BAD_INPUT
   */
  announce(by: Principal, number: number, publicKeys: readonly string[]): Promise<Epoch> {
    return this.change(by, number, 'epoch.announced', async (tx, epochs) => {
      const what = checkAnnouncement(epochs, number, publicKeys);
      if (what === 'same') return null;
      const keys = publicKeys.map((key) => Buffer.from(key, 'base64url'));
      if (what === 'new')
        await tx.query(
          `INSERT INTO epochs (number, state, public_keys, announced_at) VALUES ($1, 'announced', $2::bytea[], $3)`,
          [number, keys, new Date(this.clock.now())],
        );
      else await tx.query('UPDATE epochs SET public_keys = $2::bytea[] WHERE number = $1', [number, keys]);
      return { publicKeys: publicKeys.join(' ') };
    });
  }

  /**
   * Asks for an announced epoch to become the active one. Again is fine, also when it is.
   * @throws {BongsuError} NOT_FOUND; BAD_INPUT for one that is past that
   */
  async switch(by: Principal, number: number): Promise<Epoch> {
    const epoch = await this.ask(by, number, 'switch', 'announced', 'active');
    await this.jobs.wake(ROTATE, {}, 'rotate');
    return epoch;
  }

  /**
   * Asks for a closing epoch to be closed: late batches of it are refused from then on. Again is fine, also when it is.
   * @throws {BongsuError} NOT_FOUND; BAD_INPUT for one that is active or announced
   */
  async close(by: Principal, number: number): Promise<Epoch> {
    const epoch = await this.ask(by, number, 'close', 'closing', 'closed');
    await this.jobs.wake(ROTATE, {}, 'rotate');
    return epoch;
  }

  /**
   * Records that a holder has destroyed its key of a closed epoch. Again is fine: the first record of a key stands.
   * @throws {BongsuError} NOT_FOUND; BAD_INPUT for an epoch that is not closed, or a key that is not one of its own
   */
  recordDestruction(
    by: Principal,
    number: number,
    record: { publicKey: string; destroyedAt: Date; by: string; auditSeq: number },
  ): Promise<Epoch> {
    return this.change(by, number, 'epoch.key_destroyed', async (tx, epochs) => {
      const epoch = found(epochs, number);
      if (epoch.state !== 'closed')
        throw new BongsuError('BAD_INPUT', `Epoch ${number} is ${epoch.state}; close it first.`, 'number');
      if (!epoch.publicKeys.includes(record.publicKey))
        throw new BongsuError('BAD_INPUT', `No holder of epoch ${number} has this public key.`, 'publicKey');
      if (epoch.destroyed.some((one) => one.publicKey === record.publicKey)) return null;
      const entry = {
        ...record,
        by: record.by.slice(0, 200),
        destroyedAt: record.destroyedAt.toISOString(),
        recordedBy: principalName(by),
      };
      await tx.query('UPDATE epochs SET destroyed = destroyed || $2::jsonb WHERE number = $1', [
        number,
        JSON.stringify([entry]),
      ]);
      return entry;
    });
  }

  /** How far members have re-enrolled for an epoch; those that have not begun are left out. */
  progress(by: Principal, number: number): Promise<ReenrolmentProgress[]> {
    return this.database.transaction(by, (tx) =>
      tx.query<ReenrolmentProgress[]>(
        `SELECT coalesce(r.member_id, d.member_id) AS "memberId", coalesce(pairs, 0)::int AS pairs,
           coalesce(pending, 0)::int AS pending, d.at AS "completedAt"
         FROM (SELECT member_id, count(*) AS pairs, count(*) FILTER (WHERE applied_at IS NULL) AS pending
               FROM reenrolments WHERE epoch = $1::integer GROUP BY member_id) r
         FULL JOIN (SELECT member_id, at FROM reenrolled WHERE epoch = $1::integer) d ON d.member_id = r.member_id
         ORDER BY 1`,
        [number],
      ),
    );
  }

  /**
   * Takes pairs of a member's tokens under the epoch that goes and `number`, the one that comes. A pair is taken where
   * rows of the member itself have the old token, and will move these rows alone. Again is fine.
   * @param pairs at most {@link MOST_PAIRS}
   * @param complete the member has no more pairs
   * @throws {BongsuError} BAD_INPUT; EPOCH_UNKNOWN where the epoch is neither announced nor freshly active
   */
  async reenroll(member: Member, number: number, pairs: readonly Pair[], complete: boolean): Promise<Reenrolment> {
    if (pairs.length > MOST_PAIRS)
      throw new BongsuError('BAD_INPUT', `At most ${MOST_PAIRS} pairs in a call; send several.`, 'pairs');
    const result = await this.database.transaction(member, async (tx) => {
      await holdEpochs(tx);
      const epochs = await allEpochs(tx);
      const coming = epochs.find((epoch) => epoch.number === number);
      const open =
        coming?.state === 'announced' ||
        (coming?.state === 'active' && epochs.some(({ state, asked }) => state === 'closing' && asked === null));
      if (!open)
        throw new BongsuError(
          'EPOCH_UNKNOWN',
          `Epoch ${number} is not one to re-enrol for now; ask for epochs.`,
          'epoch',
        );
      const wellFormed = pairs.map((pair) => pair.old.length === TOKEN_BYTES && pair.new.length === TOKEN_BYTES);
      const sent = pairs.filter((_, i) => wellFormed[i]);
      const [row] = await tx.query<{ answers: ('accepted' | keyof typeof REFUSALS)[] }[]>(
        'SELECT reenroll($1, $2::smallint[], $3::bytea[], $4::bytea[]) AS answers',
        [
          number,
          sent.map((pair) => TOKEN_KINDS.indexOf(pair.kind)),
          sent.map((pair) => Buffer.from(pair.old)),
          sent.map((pair) => Buffer.from(pair.new)),
        ],
      );
      const answers = row!.answers;
      const refused: Reenrolment['refused'] = [];
      let next = 0;
      let accepted = 0;
      wellFormed.forEach((good, index) => {
        const answer = good ? answers[next++]! : 'malformed';
        if (answer === 'accepted') accepted++;
        else if (answer === 'malformed')
          refused.push({ index, code: 'TOKEN_MALFORMED', message: `A token has ${TOKEN_BYTES} bytes.` });
        else refused.push({ index, code: REFUSALS[answer][0], message: REFUSALS[answer][1] });
      });
      const [left] = await tx.query<{ pending: number }[]>(
        'SELECT count(*)::int AS pending FROM reenrolments WHERE epoch = $1 AND member_id = $2 AND applied_at IS NULL',
        [number, member.memberId],
      );
      await this.say(tx, member, number, complete, accepted, refused.length);
      return { accepted, refused, pending: left!.pending, carry: coming.state === 'active' };
    });
    const { carry, ...answer } = result;
    if (carry && answer.pending > 0) await this.jobs.wake(ROTATE, {}, 'rotate');
    return answer;
  }

  private async say(
    tx: Tx,
    member: Member,
    number: number,
    complete: boolean,
    accepted: number,
    refused: number,
  ): Promise<void> {
    let changed = 0;
    if (complete) {
      const said = await tx.query<unknown[]>(
        'INSERT INTO reenrolled VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING member_id',
        [number, member.memberId, new Date(this.clock.now())],
      );
      changed = said.length;
    }
    if (accepted + refused === 0 && changed === 0) return;
    await this.audit.record(tx, {
      actor: principalName(member),
      action: 'epoch.reenrolled',
      subject: `epoch:${number}`,
      detail: { accepted, refused, complete },
    });
  }

  private ask(by: Principal, number: number, what: 'switch' | 'close', from: string, to: string): Promise<Epoch> {
    return this.change(by, number, `epoch.${what}_asked`, async (tx, epochs) => {
      const epoch = found(epochs, number);
      if (epoch.state === to || epoch.asked === what) return null;
      if (epoch.state !== from)
        throw new BongsuError(
          'BAD_INPUT',
          `Epoch ${number} is ${epoch.state}; only one that is ${from} can be.`,
          'number',
        );
      await tx.query('UPDATE epochs SET asked = $2 WHERE number = $1', [number, what]);
      return {};
    });
  }

  /** One change at a time, with its row in the audit. @param work answers what to record; null where nothing changed */
  private change(
    by: Principal,
    number: number,
    action: string,
    work: (tx: Tx, epochs: Epoch[]) => Promise<Record<string, unknown> | null>,
  ): Promise<Epoch> {
    return this.database.transaction(by, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('bongsu:epoch-changes'))`);
      const detail = await work(tx, await allEpochs(tx));
      if (detail !== null)
        await this.audit.record(tx, { actor: principalName(by), action, subject: `epoch:${number}`, detail });
      return found(await allEpochs(tx), number);
    });
  }
}

function found(epochs: readonly Epoch[], number: number): Epoch {
  const epoch = epochs.find((one) => one.number === number);
  if (!epoch) throw new BongsuError('NOT_FOUND', `There is no epoch ${number}.`, 'number');
  return epoch;
}
