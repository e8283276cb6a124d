import type { Tx } from '@app/infrastructure/database';

/** What happened. Never holds a secret, an access token or a whole blinded token. */
export interface AuditFact {
  /** In whose name: `staff:…`, `member:…`, `job:…`; `unknown` for who could not be told. */
  actor: string;
  /** Dotted, past tense: `member.added`, `token.denied`. */
  action: string;
  /** What it happened to: `member:upbit`, `standard:1.0.0`. */
  subject: string;
  /** What changed, before and after, or why it was refused: plain JSON. */
  detail?: Record<string, unknown>;
}

/** A fact with its place in the log. */
export interface AuditEntry extends Required<AuditFact> {
  /** Rises with every row; decimal. */
  id: string;
  at: Date;
}

/** Append only: there is no way to change or remove a row, and the database grants none. */
export abstract class AuditRepository {
  abstract append(tx: Tx, fact: Required<AuditFact>, at: Date): Promise<void>;

  /** Rows after a cursor (an {@link AuditEntry.id}; '0' = from the start), oldest first. */
  abstract after(tx: Tx, cursor: string, most: number): Promise<AuditEntry[]>;
}
