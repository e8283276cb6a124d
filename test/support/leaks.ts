/** What no log may hold, as one run knew it. */
export interface Unspeakable {
  /** Private parts of keys, seeds, passwords, headers. */
  secrets: readonly string[];
  /** 32 bytes each. */
  tokens: readonly Buffer[];
  accessKeys: readonly string[];
  owners: readonly string[];
  ips: readonly string[];
}

export type LeakKind =
  | 'jwt'
  | 'private key'
  | 'authorization header'
  | 'password in a url'
  | 'secret'
  | 'token, base64url'
  | 'token, hex'
  | 'access key'
  | 'owner'
  | 'ip';

/** What is recognised by its form, whoever it belongs to. */
const FORMS: Partial<Record<LeakKind, RegExp>> = {
  jwt: /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/,
  'private key': /"d\\*"\s*:\s*\\*"[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  'authorization header': /\b(Bearer|DPoP|Basic)\s+[\w.~+/=-]{8,}/i,
  'password in a url': /\b[a-z][a-z+]*:\/\/[^\s:/@"]+:[^\s/@"]+@/i,
};

/** Looks through text for what it must not hold. @returns what was found, with where, shortened */
export function leaksIn(text: string, known: Unspeakable): { kind: LeakKind; line: string }[] {
  const tokens64 = new Set(known.tokens.map((t) => t.toString('base64url')));
  const tokens16 = new Set(known.tokens.map((t) => t.toString('hex')));
  const ips = new Set(known.ips);
  const lists: [LeakKind, readonly string[]][] = [
    ['secret', known.secrets],
    ['access key', known.accessKeys],
    ['owner', known.owners],
  ];
  const found: { kind: LeakKind; line: string }[] = [];
  for (const line of text.split('\n')) {
    const note = (kind: LeakKind) => found.push({ kind, line: line.slice(0, 300) });
    for (const [kind, form] of Object.entries(FORMS)) if (form.test(line)) note(kind as LeakKind);
    for (const [kind, values] of lists) if (values.some((value) => line.includes(value))) note(kind);
    // A token may stand in the middle of a longer word only by chance, never by being written.
    if (words(line, /[\w-]{43,}/g).some((word) => tokens64.has(word))) note('token, base64url');
    if (words(line.toLowerCase(), /[0-9a-f]{64,}/g).some((word) => tokens16.has(word))) note('token, hex');
    if (words(line, /\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*(?::[0-9a-f]*){3,}/gi).some((word) => ips.has(word))) note('ip');
  }
  return found;
}

function words(line: string, form: RegExp): string[] {
  return line.match(form) ?? [];
}
