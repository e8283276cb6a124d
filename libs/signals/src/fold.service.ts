import { Injectable } from '@nestjs/common';
import { Clock } from '@app/infrastructure/clock';
import { Database, type Tx } from '@app/infrastructure/database';
import { createLogger, reasonOf, within } from '@app/infrastructure/logging';
import { counter, timer } from '@app/infrastructure/metrics';
import { BongsuError, decodeColumns, ERROR_CODES, type BatchColumns, type Rejection } from '@app/protocol';
import { sentIndex, type BatchNote } from './domain/batch.js';
import { edgesOf, type BatchIds } from './domain/edges.js';
import { mergeFacts, type StoredFacts } from './domain/key-facts.js';
import { EMPTY_PAYLOAD, withoutDaysBefore } from './domain/trim-batch.js';
import {
  insertPrefixes,
  lockFacts,
  saveFacts,
  touch,
  upsertAllowEntries,
  upsertEdges,
  upsertObservations,
  type FoldedBatch,
} from './persistence/fold-statements.js';
import { asItStands } from './persistence/pairs.js';
import { holdOffPurges } from './persistence/purge-lock.js';
import { TokenInterner } from './persistence/token-interner.js';
import { undoBatch } from './persistence/undo-statements.js';

interface Claimed extends FoldedBatch {
  requestId: string | null;
  epoch: number;
  state: 'stored' | 'withdrawing';
  folded_at: Date | null;
  payload: Buffer;
  rejections: Rejection[];
  notes: BatchNote[];
  /** Sent positions of key facts that were erased from the payload. */
  erasedFacts: number[];
  firstDay: number | null;
  lastDay: number | null;
}

const PRINCIPAL = { kind: 'job', name: 'fold' } as const;

const FOLDED = counter({
  name: 'bongsu_fold_batches_total',
  help: 'Batches that the fold took up: folded, withdrawn, or put off because they could not be folded.',
  labels: ['result'],
});
const FOLD_SECONDS = timer({ name: 'bongsu_fold_seconds', help: 'Time that one batch took to fold or undo.' });

/** A batch that cannot be folded is tried again at least this often. */
const LONGEST_WAIT_SECONDS = 3600;

/** Stored batches into observations, edges and the keys touched; each in one transaction with its own mark. */
@Injectable()
export class Fold {
  private readonly interner = new TokenInterner();
  private readonly logger = createLogger('fold');

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /**
   * Folds, or undoes, one batch that waits. One that cannot be folded is put off, for longer each time, so that it does
   * not stand in the way of the others.
   * @returns false when none waits
   */
  async foldNext(): Promise<boolean> {
    const from = performance.now();
    const committed: (() => void)[] = [];
    const taken: { batch?: Claimed } = {};
    try {
      const batch = await this.database.transaction(PRINCIPAL, async (tx) => {
        const claimed = await claim(tx, new Date(this.clock.now()));
        if (!claimed) return null;
        taken.batch = claimed;
        const { purges, oldestDay } = await holdOffPurges(tx);
        this.interner.begin(purges);
        await inContextOf(claimed, () =>
          claimed.state === 'withdrawing' ? this.withdraw(tx, claimed) : this.fold(tx, claimed, oldestDay, committed),
        );
        return claimed;
      });
      for (const done of committed) done();
      if (batch) this.tell(batch, (performance.now() - from) / 1000);
      return batch !== null;
    } catch (error) {
      const { batch } = taken;
      if (!batch || (error instanceof BongsuError && error.code === 'UNAVAILABLE')) throw error;
      await inContextOf(batch, () => this.putOff(batch.id, error));
      return true;
    }
  }

  private tell(batch: Claimed, seconds: number): void {
    const result = batch.state === 'withdrawing' ? 'withdrawn' : 'folded';
    FOLDED.add({ result });
    FOLD_SECONDS.observe({}, seconds);
    inContextOf(batch, () =>
      this.logger.info({ batch: batch.id, member: batch.memberId, result }, 'a batch was folded'),
    );
  }

  private async putOff(batchId: string, error: unknown): Promise<void> {
    FOLDED.add({ result: 'put_off' });
    this.logger.error(
      { batch: batchId, reason: reasonOf(error) },
      'a batch could not be folded; it is tried again later',
    );
    await this.database.transaction(PRINCIPAL, (tx) =>
      tx.query(
        `UPDATE batches SET fold_attempts = fold_attempts + 1,
           fold_after = $2::timestamptz + least(2 ^ fold_attempts, $3) * interval '1 second' WHERE id = $1`,
        [batchId, new Date(this.clock.now()), LONGEST_WAIT_SECONDS],
      ),
    );
  }

  private async withdraw(tx: Tx, batch: Claimed): Promise<void> {
    if (batch.folded_at) await undoBatch(tx, batch, await this.keysWithFacts(tx, batch));
    await tx.query(
      `UPDATE batches SET state = 'withdrawn', payload = $2, first_day = NULL, last_day = NULL WHERE id = $1`,
      [batch.id, EMPTY_PAYLOAD],
    );
  }

  /** The keys that a folded batch gave facts of. */
  private async keysWithFacts(tx: Tx, batch: Claimed): Promise<number[]> {
    const { keys, keyFacts } = await asItStands(tx, batch, decodeColumns(batch.payload));
    if (keyFacts.count === 0) return [];
    const { ids } = await this.interner.intern(tx, 'key', keys, batch.memberId);
    return [...new Set(Array.from(keyFacts.key, (i) => ids[i]!))];
  }

  private async fold(tx: Tx, batch: Claimed, oldestDay: number, committed: (() => void)[]): Promise<void> {
    const sent = withoutDaysBefore(decodeColumns(batch.payload), oldestDay);
    const columns = await asItStands(tx, batch, sent);
    const intern = async (kind: 'key' | 'ip' | 'prefix' | 'owner' | 'client', tokens: readonly Uint8Array[]) => {
      const interned = await this.interner.intern(tx, kind, tokens, batch.memberId);
      committed.push(interned.committed);
      return interned.ids;
    };
    const ids: BatchIds = {
      keys: await intern('key', columns.keys),
      ips: await intern('ip', columns.ips),
      clients: await intern('client', columns.clients),
    };
    const prefixes = await intern('prefix', columns.prefixes);
    const owners = await intern('owner', columns.owners);
    await insertPrefixes(tx, ids.ips, prefixes, columns.ipPrefix);
    await upsertObservations(tx, batch, columns, ids);
    await upsertEdges(tx, batch.memberId, edgesOf(columns, ids));
    const notes = await foldFacts(tx, batch, columns, ids, owners);
    await upsertAllowEntries(tx, batch, columns, ids);
    const touched = touchedBy(columns, ids);
    await touch(tx, batch.id, touched.keys, touched.days);
    await tx.query(
      `UPDATE batches SET state = 'folded', folded_at = coalesce(folded_at, $2), notes = $3 WHERE id = $1`,
      [batch.id, new Date(this.clock.now()), JSON.stringify(notes)],
    );
  }
}

/** Runs work under the id of the request that brought a batch, so that its log lines are found by it. */
function inContextOf<T>(batch: Claimed, work: () => T): T {
  return batch.requestId === null ? work() : within({ requestId: batch.requestId }, work);
}

async function claim(tx: Tx, now: Date): Promise<Claimed | null> {
  const [row] = await tx.query<Claimed[]>(
    `SELECT id, member_id AS "memberId", sequence, epoch, state, folded_at, payload, rejections, notes,
       request_id AS "requestId", erased_facts AS "erasedFacts", first_day AS "firstDay", last_day AS "lastDay"
     FROM batches WHERE state IN ('stored', 'withdrawing') AND (fold_after IS NULL OR fold_after <= $1)
     ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [now],
  );
  return row ?? null;
}

async function foldFacts(
  tx: Tx,
  batch: Claimed,
  { keyFacts: f }: BatchColumns,
  ids: BatchIds,
  owners: Uint32Array,
): Promise<BatchNote[]> {
  // What was said of rows that have been erased since stands.
  if (f.count === 0) return batch.notes;
  const notes = batch.notes.filter((note) => batch.erasedFacts.includes(note.index));
  const gone = [...batch.rejections, ...batch.erasedFacts.map((index) => ({ section: 'keyFacts' as const, index }))];
  const known = await lockFacts(tx, batch.memberId, [...new Set(Array.from(f.key, (i) => ids.keys[i]!))]);
  const changed = new Map<number, StoredFacts>();
  for (let i = 0; i < f.count; i++) {
    const key = ids.keys[f.key[i]!]!;
    const given: StoredFacts = {
      ownerId: owners[f.owner[i]!]!,
      accountType: f.accountType[i]!,
      permissions: f.permissions[i]!,
      createdAt: f.createdAt[i]!,
      expiresAt: f.expiresAt[i] || null,
      sequence: Number(batch.sequence),
    };
    const before = known.get(key);
    const { facts, conflict } = before ? mergeFacts(before, given) : { facts: given, conflict: false };
    if (!before || conflict || facts.sequence !== before.sequence) changed.set(key, facts);
    known.set(key, facts);
    if (conflict)
      notes.push({
        code: 'KEY_FACTS_CONFLICT',
        message: ERROR_CODES.KEY_FACTS_CONFLICT,
        section: 'keyFacts',
        index: sentIndex('keyFacts', i, gone),
      });
  }
  await saveFacts(tx, batch, changed);
  return notes.sort((a, b) => a.index - b.index);
}

/** Each (key, day) whose observations a batch may have changed, and each key (day −1) with facts or allow-list entries. */
function touchedBy({ observations: o, allowEntries: a, keyFacts: f }: BatchColumns, ids: BatchIds) {
  const pairs = new Set<number>();
  // Ids are below 2^31 and days below 2^16, so a pair fits a double exactly.
  const add = (key: number, day: number) => pairs.add(ids.keys[key]! * 65536 + (day + 1));
  for (let i = 0; i < o.count; i++) add(o.key[i]!, Math.floor(o.hour[i]! / 24));
  for (let i = 0; i < a.count; i++) add(a.key[i]!, -1);
  for (let i = 0; i < f.count; i++) add(f.key[i]!, -1);
  const list = [...pairs];
  return { keys: list.map((p) => Math.floor(p / 65536)), days: list.map((p) => (p % 65536) - 1) };
}
