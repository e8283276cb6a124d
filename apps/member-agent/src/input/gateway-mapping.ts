import { invalid, type Section } from '../config/reader.js';

/** A place in a log line: names from the outside in. `request.headers.user-agent` is three. */
export type FieldPath = readonly string[];

/** What the agent looks for in a line, and where: the first path with a value counts. */
export interface GatewayFields {
  time: readonly FieldPath[];
  ip: readonly FieldPath[];
  client: readonly FieldPath[];
  method: readonly FieldPath[];
  path: readonly FieldPath[];
  status: readonly FieldPath[];
  /** The access key itself. */
  accessKey: readonly FieldPath[];
  /** A logged Authorization header with the JWT whose `access_key` claim is the access key. */
  authorization: readonly FieldPath[];
  network: readonly FieldPath[];
  /** Why the exchange refused a request. */
  reason: readonly FieldPath[];
}
export type GatewayField = keyof GatewayFields;

/** How a gateway's log is read. */
export interface GatewayMapping {
  fields: GatewayFields;
  /** Requests that place an order: method (`*` for any) and a pattern of the path. */
  orders: readonly { method: string; path: RegExp }[];
  /**
   * Signed requests refused because the address was not on the key's allow-list: by status, and where the log has a
   * reason, by that too.
   */
  rejected: { status: ReadonlySet<number>; reasons: ReadonlySet<string> };
  /** Statuses of requests whose signature was not accepted: they say nothing of the key that they name. */
  unauthenticated: ReadonlySet<number>;
  /** Milliseconds after an hour's end, by the log or the clock, at which it is given out. */
  graceMs: number;
}

const FIELDS: readonly GatewayField[] = [
  'time', 'ip', 'client', 'method', 'path', 'status', 'accessKey', 'authorization', 'network', 'reason',
]; // prettier-ignore

/** Where each gateway's JSON log has the fields by default. `$` names are the gateway's own variables. */
const PRESETS: Record<string, Partial<Record<GatewayField, readonly string[]>>> = {
  // log_format … escape=json, each field under its variable's name (see the README for the format to copy).
  nginx: {
    time: ['time_iso8601', 'time', 'msec', 'time_local'],
    ip: ['remote_addr', 'realip_remote_addr'],
    client: ['ja4', 'http_user_agent', 'user_agent'],
    method: ['request_method', 'method'],
    path: ['request_uri', 'uri', 'path'],
    status: ['status'],
    accessKey: ['access_key', 'http_x_api_key', 'http_access_key', 'http_api_key', 'http_x_kapi_key'],
    authorization: ['http_authorization', 'authorization'],
    network: ['network'],
    reason: ['reject_reason', 'upstream_http_x_reject_reason', 'sent_http_x_reject_reason'],
  },
  // json_format with the names that Istio's default format uses. The downstream address is Envoy's own word on who calls,
  // forwarded addresses taken into account as far as it trusts them; X-Forwarded-For begins with what the caller wrote.
  envoy: {
    time: ['start_time', 'timestamp'],
    ip: ['downstream_remote_address_without_port', 'downstream_remote_address', 'x_forwarded_for'],
    client: ['ja4', 'user_agent', 'user-agent'],
    method: ['method'],
    path: ['x_envoy_original_path', 'path'],
    status: ['response_code', 'status'],
    accessKey: ['access_key', 'x_api_key', 'x-api-key', 'api_key', 'api-key', 'x_kapi_key', 'x-kapi-key'],
    authorization: ['authorization'],
    network: ['network'],
    reason: ['reject_reason', 'response_code_details'],
  },
  // The http-log and file-log plugins' object.
  kong: {
    time: ['started_at'],
    ip: ['client_ip'],
    client: ['request.headers.user-agent'],
    method: ['request.method'],
    path: ['request.uri'],
    status: ['response.status'],
    // Kong redacts Authorization; `access_key` is what `custom_fields_by_lua` may add of it.
    accessKey: [
      'access_key',
      'request.headers.x-api-key',
      'request.headers.access-key',
      'request.headers.api-key',
      'request.headers.x-kapi-key',
    ],
    authorization: ['request.headers.authorization'],
    network: [],
    reason: ['response.headers.x-reject-reason'],
  },
  none: {},
};
export const PRESET_NAMES = Object.keys(PRESETS);

/**
 * A gateway input's settings: `preset`, `fields` (each a path or a list of paths, over the preset's), `orders`,
 * `rejected`, `unauthenticatedStatus`, `graceSeconds`.
 * @throws {BongsuError} CONFIG_INVALID
 */
export function readGatewayMapping(section: Section): GatewayMapping {
  const preset = PRESETS[section.oneOf('preset', PRESET_NAMES, section.has('fields') ? 'none' : undefined)]!;
  const own = section.section('fields');
  const fields = Object.fromEntries(
    FIELDS.map((name) => [name, (own?.texts(name, preset[name] ?? []) ?? preset[name] ?? []).map(fieldPath)]),
  ) as unknown as GatewayFields;
  own?.end();
  for (const name of ['time', 'ip'] as const)
    if (fields[name].length === 0) throw invalid(section.name(`fields.${name}`), undefined, 'where the log has it');
  if (fields.accessKey.length + fields.authorization.length === 0)
    throw invalid(
      section.name('fields.accessKey'),
      undefined,
      'where the log has it, or fields.authorization with the JWT',
    );
  const rejected = section.section('rejected');
  const mapping: GatewayMapping = {
    fields,
    orders: section.texts('orders', DEFAULT_ORDERS).map((text) => orderPattern(text, section)),
    rejected: {
      status: new Set(rejected?.wholes('status', [403]) ?? [403]),
      reasons: new Set(rejected?.texts('reasons', []) ?? []),
    },
    unauthenticated: new Set(section.wholes('unauthenticatedStatus', [401])),
    graceMs: section.whole('graceSeconds', 300, 0, 86_400) * 1000,
  };
  rejected?.end();
  return mapping;
}

/** A preset's mapping with nothing of one's own. */
export const DEFAULT_ORDERS: readonly string[] = ['POST */orders', 'POST */order', 'POST */orders/*'];

/** `METHOD PATTERN`: in the pattern `*` stands for any characters; what follows a `?` in a request is not looked at. */
function orderPattern(text: string, section: Section): { method: string; path: RegExp } {
  const parts = /^([A-Za-z*]+) +(\S+)$/.exec(text);
  if (!parts) throw invalid(section.name('orders'), text, '"METHOD PATH", for example "POST /v1/orders"');
  const pattern = parts[2]!.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return { method: parts[1]!.toUpperCase(), path: new RegExp(`^${pattern}$`) };
}

/** A dotted path; a name that holds dots itself is quoted: `"a.b".c`. */
function fieldPath(text: string): FieldPath {
  return [...text.matchAll(/"([^"]*)"|([^."]+)/g)].map((m) => m[1] ?? m[2]!);
}
