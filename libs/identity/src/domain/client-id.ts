/** What a client can be: a member exchange's machine, or a person of the alliance's staff or of a regulator. */
export const CLIENT_KINDS = ['member', 'staff', 'regulator'] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** Names of members and people: what client ids, logs and the audit carry. */
export const NAME_PATTERN = /^[a-z][a-z0-9-]{1,30}$/;

/** Who asks for a token: `member:upbit`, `staff:kim`, `regulator:fss`. */
export interface ClientId {
  kind: ClientKind;
  name: string;
}

/** @returns null for what is not a client id */
export function parseClientId(text: unknown): ClientId | null {
  if (typeof text !== 'string') return null;
  const [kind, name, ...rest] = text.split(':');
  const known = CLIENT_KINDS.find((k) => k === kind);
  return known && rest.length === 0 && NAME_PATTERN.test(name ?? '') ? { kind: known, name: name! } : null;
}

export function clientIdText(id: ClientId): string {
  return `${id.kind}:${id.name}`;
}

/** A claimed subject that may be looked up and recorded: a text without control characters; else null. */
export function plainSubject(claimed: unknown): string | null {
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  return typeof claimed === 'string' && !/[\u0000-\u001f\u007f]/.test(claimed) ? claimed : null;
}
