/** What a row of the audit holds: plain JSON. */
export type Plain = null | boolean | number | string | Plain[] | { [field: string]: Plain };

/** Longest text of a value, characters: a caller may have chosen it. */
const LONGEST_TEXT = 500;
/** Most entries of a list or fields of an object, and deepest nesting. */
const MOST_ENTRIES = 50;
const DEEPEST = 5;

/** Fields in which a caller writes what it likes. */
const FREE_TEXT = new Set(['reason', 'note', 'description', 'subject']);

/** Fields that no row of the audit has, whoever asks for it: private parts of a JWK (RFC 7517), headers, passwords. */
const SECRET_FIELDS = /^(d|p|q|dp|dq|qi|oth|k|priv|password|secret|authorization|client_assertion|access_token)$/;

const COMPACT_JWS = /\beyJ[\w-]{6,}\.[\w-]+(\.[\w-]*)?/g;
const SCHEME = /\b(Bearer|DPoP|Basic)\s+\S+/gi;
/** A blinded token in either of its written forms: 32 bytes in hex or base64url. */
const WHOLE_TOKEN = /(?<![\w-])([0-9a-fA-F]{16})[0-9a-fA-F]{48}(?![\w-])|(?<![\w-])([\w-]{11})[\w-]{32}(?![\w-])/g;

/**
 * A value as the audit keeps it: bounded, without secrets, and without what no jsonb column holds. Where a caller could
 * have written a blinded token into free text, its beginning remains.
 */
export function recordable(value: unknown, field = '', depth = 0): Plain {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : String(value);
  if (typeof value === 'string') return plainText(value, FREE_TEXT.has(field));
  if (value instanceof Date) return value.toISOString();
  if (depth >= DEEPEST || typeof value !== 'object') return plainText(String(value), true);
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((entry) => recordable(entry, field, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_ENTRIES)
      .map(([name, entry]) => [
        plainText(name, true).slice(0, 100),
        SECRET_FIELDS.test(name) ? '[redacted]' : recordable(entry, name, depth + 1),
      ]),
  );
}

/** A text of one line without credentials; with `free`, without whole tokens too. */
export function plainText(text: string, free: boolean, longest = LONGEST_TEXT): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is replaced
  const line = text.slice(0, 4 * longest).replace(/[\u0000-\u001f\u007f]/g, ' ');
  const open = line.replace(COMPACT_JWS, '[redacted]').replace(SCHEME, '$1 [redacted]');
  const shortened = free
    ? open.replace(WHOLE_TOKEN, (_, hex?: string, base64url?: string) => `${hex ?? base64url}…`)
    : open;
  // Halves of surrogate pairs, which jsonb refuses, go on the way through UTF-8.
  return Buffer.from(shortened.slice(0, longest)).toString();
}
