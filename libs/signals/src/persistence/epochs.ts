import type { Tx } from '@app/infrastructure/database';
import { encodeToken } from '@app/protocol';
import type { Epoch } from '../domain/epoch.js';

type Row = Omit<Epoch, 'publicKeys'> & { publicKeys: Buffer[] };

/** Every epoch, oldest first. */
export async function allEpochs(tx: Tx): Promise<Epoch[]> {
  const rows = await tx.query<Row[]>(
    `SELECT number, state, public_keys AS "publicKeys", announced_at AS "announcedAt", opened_at AS "openedAt",
       closing_at AS "closingAt", closed_at AS "closedAt", asked, destroyed FROM epochs ORDER BY number`,
  );
  return rows.map((row) => ({ ...row, publicKeys: row.publicKeys.map((key) => encodeToken(key)) }));
}
