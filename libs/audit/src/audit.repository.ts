import type { Tx } from '@app/infrastructure/database';
import type { Plain } from './domain/recordable.js';
import type { State } from './domain/changes.js';

/** What happened. Never holds a secret, an access token or a whole blinded token. */
export interface AuditFact {
  /** In whose name: `staff:…`, `member:…`, `job:…`; `unknown` for who could not be told. */
  actor: string;
  /** Dotted, past tense: `member.added`, `token.denied`. */
  action: string;
  /** What it happened to: `member:upbit`, `standard:1.0.0`. */
  subject: string;
  /** The state that was changed, as it was; null or left out where there was none. Only what differs is kept. */
  before?: State;
  /** The state as it is now; null or left out where it is gone. */
  after?: State;
  /** What else is to be said, such as why: plain JSON. */
  detail?: Record<string, unknown>;
}

/** A row to append. */
export interface AuditRow {
  at: Date;
  actor: string;
  action: string;
  subject: string;
  /** Address of the caller, and the id that its request carries through every process; null where there is none. */
  from: string | null;
  requestId: string | null;
  before: Record<string, Plain> | null;
  after: Record<string, Plain> | null;
  detail: Record<string, Plain>;
}

/** A row with its place in the log. */
export interface AuditEntry extends AuditRow {
  /** Opaque; nothing that is read later has an earlier one. */
  cursor: string;
}

/** Which rows; what is left out does not restrict. */
export interface AuditFilter {
  actor?: string | undefined;
  /** One action, or with a dot at the end all that begin so: `member.`. */
  action?: string | undefined;
  subject?: string | undefined;
  /** Not before this time; and before this one. */
  since?: Date | undefined;
  until?: Date | undefined;
}

/** Append only: there is no way to change or remove a row, and the database grants none. */
export abstract class AuditRepository {
  abstract append(tx: Tx, row: AuditRow): Promise<void>;

  /**
   * Rows after a cursor (an {@link AuditEntry.cursor}; '' = from the start). Holds back what was written by, or during,
   * a transaction that still runs: once a row has been read, no row comes before it any more.
   */
  abstract after(tx: Tx, cursor: string, most: number, filter: AuditFilter): Promise<AuditEntry[]>;
}
