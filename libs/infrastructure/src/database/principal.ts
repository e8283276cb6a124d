/**
 * In whose name a transaction runs. Row-level security reads it from the transaction's settings; without one no row of
 * a member is seen.
 */
export type Principal =
  | { kind: 'member'; memberId: number; name: string }
  /** The roles that the person acts in, where row-level security is to know them: some tables are an auditor’s alone. */
  | { kind: 'staff'; name: string; roles?: readonly string[] }
  | { kind: 'regulator'; name: string }
  /** The hub itself, before it knows who calls: sees accounts, no signals. */
  | { kind: 'gate'; name: string }
  /** A job of the worker. */
  | { kind: 'job'; name: string };

/** `member:upbit`, `staff:…`: the form that settings, tokens and the audit carry. */
export function principalName(principal: Principal): string {
  return `${principal.kind}:${principal.name}`;
}
