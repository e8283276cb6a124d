import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Clock } from '@app/infrastructure/clock';
import { Database, principalName, type Tx } from '@app/infrastructure/database';
import { decodeColumns, encodeColumns, encodeToken } from '@app/protocol';
import { Standards } from '@app/standard';
import { addCounts, NOTHING_ERASED, type ErasureCounts, type ErasureKind } from './domain/erasure.js';
import { EMPTY_PAYLOAD, keysOfOwner, trimTargets, type Targets } from './domain/trim-batch.js';
import { KeyFollowers } from './key-followers.js';
import { deleteKeys, purgeOwner, touchNeighbours } from './persistence/erase-statements.js';
import { forgetPairs, underEveryKey } from './persistence/pairs.js';
import { batchesAfter, emptyBatches, saveTrimmed, type StoredBatch } from './persistence/payloads.js';
import { announcePurge, holdOffFolds } from './persistence/purge-lock.js';

/** What an erasure does in one transaction at most. */
const BATCHES_A_STEP = 50;
const KEYS_A_STEP = 20;

const PRINCIPAL = { kind: 'job', name: 'erase' } as const;

/*
 * collect: the keys concerned are written down. batches: their rows leave the stored batches, so that no fold can bring
 * them back. keys: they leave every table. Each step is one transaction with its own mark.
 */
type Stage = 'collect' | 'batches' | 'keys';

interface Claimed {
  id: string;
  memberId: number;
  kind: ErasureKind;
  token: Buffer | null;
  stage: Stage;
  cursor: string;
  counts: Partial<ErasureCounts>;
}

/** Does the erasures that were asked for. */
@Injectable()
export class Erase {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly standards: Standards,
    private readonly audit: AuditLog,
    private readonly followers: KeyFollowers,
  ) {}

  /** One step of the oldest erasure that is not done. @returns false when none is left */
  eraseNext(): Promise<boolean> {
    return this.database.transaction(PRINCIPAL, async (tx) => {
      const erasure = await claim(tx);
      if (!erasure) return false;
      if (erasure.stage === 'collect') await this.collect(tx, erasure);
      else if (erasure.stage === 'batches') await this.trimBatches(tx, erasure);
      else await this.eraseKeys(tx, erasure);
      return true;
    });
  }

  /** How many wait. */
  pending(): Promise<number> {
    return this.database.transaction(PRINCIPAL, async (tx) => {
      const [row] = await tx.query<{ n: number }[]>(
        `SELECT count(*)::int AS n FROM erasures WHERE state = 'requested'`,
      );
      return row!.n;
    });
  }

  private async collect(tx: Tx, { id, memberId, kind, token, cursor }: Claimed): Promise<void> {
    if (kind === 'key') await addKeys(tx, id, await underEveryKey(tx, memberId, 'key', [token!]));
    else if (kind === 'member')
      await tx.query(
        `INSERT INTO erasure_keys SELECT $1, token FROM tokens WHERE kind = 0 AND member_id = $2 ON CONFLICT DO NOTHING`,
        [id, memberId],
      );
    else {
      const owners = await underEveryKey(tx, memberId, 'owner', [token!]);
      const batches = await batchesAfter(tx, memberId, cursor, BATCHES_A_STEP, owners);
      for (const batch of batches.found) {
        const columns = decodeColumns(batch.payload);
        const keys = owners.flatMap((owner) => keysOfOwner(columns, owner));
        await addKeys(tx, id, await underEveryKey(tx, memberId, 'key', keys));
      }
      if (batches.last !== null) return moveTo(tx, id, 'collect', batches.last);
      await tx.query(
        `INSERT INTO erasure_keys SELECT $1, k.token FROM key_facts f JOIN tokens k ON k.id = f.key_id
           JOIN tokens o ON o.id = f.owner_id AND o.kind = 3 AND o.token = ANY ($3::bytea[])
         WHERE f.member_id = $2 ON CONFLICT DO NOTHING`,
        [id, memberId, owners],
      );
    }
    await moveTo(tx, id, 'batches', '0');
  }

  private async trimBatches(tx: Tx, erasure: Claimed): Promise<void> {
    const { id, memberId, kind, token, cursor } = erasure;
    if (kind === 'member') {
      const emptied = await emptyBatches(tx, memberId, cursor, BATCHES_A_STEP);
      await this.count(tx, erasure, { batchRows: emptied.rows });
      return emptied.last === null ? moveTo(tx, id, 'keys', '0') : moveTo(tx, id, 'batches', emptied.last);
    }
    const keys = await tx.query<{ token: Buffer }[]>('SELECT token FROM erasure_keys WHERE erasure_id = $1', [id]);
    const erasedOwners = kind === 'owner' ? await underEveryKey(tx, memberId, 'owner', [token!]) : [];
    const sought = [...keys.map((row) => row.token), ...erasedOwners];
    const targets: Targets = {
      keys: new Set(keys.map((row) => encodeToken(row.token))),
      owners: new Set(erasedOwners.map(encodeToken)),
    };
    const batches = await batchesAfter(tx, memberId, cursor, BATCHES_A_STEP, sought);
    let batchRows = 0;
    for (const batch of batches.found) batchRows += await trim(tx, batch, targets);
    await this.count(tx, erasure, { batchRows });
    return batches.last === null ? moveTo(tx, id, 'keys', '0') : moveTo(tx, id, 'batches', batches.last);
  }

  private async eraseKeys(tx: Tx, erasure: Claimed): Promise<void> {
    const { id, memberId } = erasure;
    await this.followers.hold(tx);
    await holdOffFolds(tx);
    const [taken] = await tx.query<[{ token: Buffer }[], number]>(
      `DELETE FROM erasure_keys WHERE erasure_id = $1 AND token IN (
         SELECT token FROM erasure_keys WHERE erasure_id = $1 ORDER BY token LIMIT $2) RETURNING token`,
      [id, KEYS_A_STEP],
    );
    if (taken.length === 0) return this.finish(tx, erasure);
    const rows = await tx.query<{ id: number }[]>(
      'SELECT id FROM tokens WHERE kind = 0 AND member_id = $1 AND token = ANY ($2::bytea[]) ORDER BY id',
      [memberId, taken.map((row) => row.token)],
    );
    if (rows.length === 0) return;
    const keys = rows.map((row) => row.id);
    const { policy } = await this.standards.current(tx);
    await touchNeighbours(tx, keys, policy.limits.keysPerIp);
    const { open, highestRung, recommendations } = await this.followers.forgetKeys(
      tx,
      memberId,
      keys,
      new Date(this.clock.now()),
    );
    const gone = await deleteKeys(tx, keys);
    await forgetPairs(
      tx,
      memberId,
      'key',
      taken.map((row) => row.token),
    );
    await announcePurge(tx);
    await this.count(tx, erasure, { ...gone, keys: keys.length, recommendations });
    await tx.query(
      `UPDATE erasures SET open_recommendations = open_recommendations + $2, highest_rung = greatest(highest_rung, $3)
       WHERE id = $1`,
      [id, open, highestRung],
    );
  }

  private async finish(tx: Tx, erasure: Claimed): Promise<void> {
    const { id, kind, token, memberId } = erasure;
    if (kind === 'owner') {
      const owners = await underEveryKey(tx, memberId, 'owner', [token!]);
      let tokens = 0;
      for (const owner of owners) if (await purgeOwner(tx, owner)) tokens++;
      await forgetPairs(tx, memberId, 'owner', owners);
      if (tokens > 0) {
        await announcePurge(tx);
        await this.count(tx, erasure, { tokens });
      }
    }
    if (kind === 'member') await tx.query('DELETE FROM reenrolments WHERE member_id = $1', [memberId]);
    await this.followers.reassessUnlinked(tx);
    if (kind === 'member') await this.followers.leave(tx, memberId);
    const [[done]] = await tx.query<[{ counts: ErasureCounts; target_short: string | null }[], number]>(
      `UPDATE erasures SET state = 'done', stage = 'done', token = NULL, done_at = $2 WHERE id = $1
       RETURNING counts, target_short`,
      [id, new Date(this.clock.now())],
    );
    await this.audit.record(tx, {
      actor: principalName(PRINCIPAL),
      action: 'erasure.done',
      subject: `erasure:${id}`,
      detail: { kind, target: done!.target_short, counts: done!.counts },
    });
  }

  private count(tx: Tx, { id, counts }: Claimed, more: Partial<ErasureCounts>): Promise<unknown> {
    return tx.query('UPDATE erasures SET counts = $2 WHERE id = $1', [
      id,
      JSON.stringify(addCounts({ ...NOTHING_ERASED, ...counts }, more)),
    ]);
  }
}

async function claim(tx: Tx): Promise<Claimed | null> {
  const [row] = await tx.query<Claimed[]>(
    `SELECT id, member_id AS "memberId", kind, token, stage, batch_cursor AS cursor, counts FROM erasures
     WHERE state = 'requested' ORDER BY cursor LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  return row ?? null;
}

async function addKeys(tx: Tx, id: string, tokens: readonly Uint8Array[]): Promise<void> {
  await tx.query('INSERT INTO erasure_keys SELECT $1, t FROM unnest($2::bytea[]) t ON CONFLICT DO NOTHING', [
    id,
    tokens.map((token) => Buffer.from(token)),
  ]);
}

async function moveTo(tx: Tx, id: string, stage: Stage, cursor: string): Promise<void> {
  await tx.query('UPDATE erasures SET stage = $2, batch_cursor = $3 WHERE id = $1', [id, stage, cursor]);
}

/** @returns how many rows went */
async function trim(tx: Tx, batch: StoredBatch, targets: Targets): Promise<number> {
  const trimmed = trimTargets(decodeColumns(batch.payload), targets, batch.erasedFacts, batch.rejections);
  const { keys } = trimmed.columns;
  await saveTrimmed(
    tx,
    batch.id,
    trimmed,
    keys.length === 0 ? EMPTY_PAYLOAD : Buffer.from(encodeColumns(trimmed.columns)),
  );
  return trimmed.rows;
}
