import { canonicalIp, NETWORKS, type Network } from '@app/member-sdk';
import type { FieldPath, GatewayMapping } from './gateway-mapping.js';
import { LineRefused, parseObject } from './rows.js';

/** A time this far ahead of the agent's clock is a mistake, and would close every hour before it. */
const MAX_AHEAD_MS = 86_400_000;
/** Longest access key, characters: blinding takes 1,024 after normalisation, which may lengthen a text. */
const MAX_KEY = 256;
/** Longest client kept, characters: some programs put a page into their User-Agent. */
const MAX_CLIENT = 256;

/** One request of a gateway's log. */
export interface GatewayRequest {
  /** Milliseconds since 1970. */
  time: number;
  key: string;
  ip: string;
  client: string;
  network: Network;
  order: boolean;
  rejected: boolean;
}

/**
 * Reads one line.
 * @param now milliseconds since 1970
 * @throws {LineRefused}
 */
export function parseGatewayLine(text: string, mapping: GatewayMapping, now: number): GatewayRequest {
  const line = parseObject(text);
  const { fields } = mapping;
  const time = readTime(find(line, fields.time));
  if (time > now + MAX_AHEAD_MS) throw new LineRefused('TIME_IN_FUTURE');
  const status = Number(find(line, fields.status) ?? NaN);
  const reason = find(line, fields.reason);
  const rejected =
    mapping.rejected.status.has(status) &&
    (mapping.rejected.reasons.size === 0 || (typeof reason === 'string' && mapping.rejected.reasons.has(reason)));
  // Anybody can name somebody else's key; only a signature that was accepted shows that the caller holds it.
  if (!rejected && mapping.unauthenticated.has(status)) throw new LineRefused('SIGNATURE_REFUSED');
  const network = find(line, fields.network);
  if (network !== undefined && !(NETWORKS as readonly unknown[]).includes(network))
    throw new LineRefused('NETWORK_UNKNOWN');
  return {
    time,
    key: readKey(line, mapping),
    ip: readIp(find(line, fields.ip)),
    client: normaliseClient(find(line, fields.client)),
    network: (network as Network | undefined) ?? 'unknown',
    order: isOrder(find(line, fields.method), find(line, fields.path), mapping),
    rejected,
  };
}

function find(line: Record<string, unknown>, paths: readonly FieldPath[]): unknown {
  for (const path of paths) {
    let value: unknown = line;
    for (const name of path) value = (value as Record<string, unknown> | null | undefined)?.[name];
    // Gateways write what is absent as an empty text or a dash.
    if (value !== undefined && value !== null && value !== '' && value !== '-') return value;
  }
  return undefined;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const ISO = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;
const COMMON = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/;

/** ISO 8601 with an offset, the common log format, or seconds or milliseconds since 1970. */
function readTime(value: unknown): number {
  if (value === undefined) throw new LineRefused('TIME_MISSING');
  let ms = NaN;
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
  if (!Number.isNaN(number)) ms = number < 1e11 ? number * 1000 : number;
  else if (typeof value === 'string' && ISO.test(value)) ms = Date.parse(value.replace(',', '.').replace(' ', 'T'));
  else if (typeof value === 'string') {
    const m = COMMON.exec(value);
    const month = m ? MONTHS.indexOf(m[2]!) + 1 : 0;
    if (m && month > 0) ms = Date.parse(`${m[3]}-${String(month).padStart(2, '0')}-${m[1]}T${m[4]}${m[5]}:${m[6]}`);
  }
  if (!(ms > 0 && ms < 0xffffffff * 1000)) throw new LineRefused('TIME_MALFORMED');
  return ms;
}

function readKey(line: Record<string, unknown>, mapping: GatewayMapping): string {
  const named = find(line, mapping.fields.accessKey);
  const key = named ?? claimedKey(find(line, mapping.fields.authorization));
  if (key === undefined) throw new LineRefused('KEY_MISSING');
  // eslint-disable-next-line no-control-regex
  if (typeof key !== 'string' || key.trim() === '' || key.length > MAX_KEY || /[\u0000-\u001f]/.test(key))
    throw new LineRefused('KEY_MALFORMED');
  return key.trim();
}

/**
 * The `access_key` claim of a JWT in an Authorization header. Its signature is not checked here: the exchange did, and
 * the log says with what result.
 */
function claimedKey(header: unknown): unknown {
  if (typeof header !== 'string') return undefined;
  const payload = /^(?:Bearer\s+)?[\w-]+\.([\w-]+)\.[\w-]*$/i.exec(header.trim())?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown> | null;
    return claims?.['access_key'] ?? undefined;
  } catch {
    return undefined;
  }
}

/** Addresses met lately, with their canonical form; null for what is none. A log repeats a few of them. */
const addresses = new Map<string, string | null>();

/** With a port, in brackets, or the first of a list of forwarded addresses too. */
function readIp(value: unknown): string {
  if (value === undefined) throw new LineRefused('IP_MISSING');
  if (typeof value !== 'string') throw new LineRefused('IP_MALFORMED');
  let ip = addresses.get(value);
  if (ip === undefined) {
    ip = canonical(value);
    if (addresses.size > 100_000) addresses.clear();
    addresses.set(value, ip);
  }
  if (ip === null) throw new LineRefused('IP_MALFORMED');
  return ip;
}

function canonical(text: string): string | null {
  const first = text.split(',')[0]!.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(first)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(first)?.[1] ?? first;
  try {
    return canonicalIp(bare);
  } catch {
    return null;
  }
}

/**
 * The caller's software in a stable form: white space and enclosing brackets or quotes go, the rest stays, up to 256
 * characters. A request that names none has the client `none`.
 */
export function normaliseClient(value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value !== 'string') throw new LineRefused('CLIENT_MALFORMED');
  const text = value
    .normalize('NFC')
    // eslint-disable-next-line no-control-regex
    .replace(/[\s\u0000-\u001f]+/g, ' ')
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^"(.*)"$/, '$1')
    .trim();
  return text === '' ? 'none' : text.slice(0, MAX_CLIENT).trim();
}

function isOrder(method: unknown, path: unknown, mapping: GatewayMapping): boolean {
  if (typeof method !== 'string' || typeof path !== 'string') return false;
  const name = method.toUpperCase();
  const plain = path.split('?')[0]!;
  return mapping.orders.some((o) => (o.method === '*' || o.method === name) && o.path.test(plain));
}
