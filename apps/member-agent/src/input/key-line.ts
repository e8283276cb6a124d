import { ACCOUNT_TYPES, PERMISSIONS, type AccountType, type Permission } from '@app/member-sdk';
import { isoSeconds, LineRefused, parseObject, type LineReason, type RawKey } from './rows.js';

/** Reads a line of `keys.jsonl`. @throws {LineRefused} */
export function parseKeyLine(text: string): RawKey {
  const line = parseObject(text);
  const accountType = ACCOUNT_TYPES.find((type) => type === line['account_type']) as AccountType | undefined;
  if (!accountType) throw new LineRefused('ACCOUNT_TYPE_UNKNOWN');
  const permissions = line['permissions'];
  if (!Array.isArray(permissions) || !permissions.every((p) => (PERMISSIONS as readonly unknown[]).includes(p)))
    throw new LineRefused('PERMISSION_UNKNOWN');
  const createdAt = time(line['created_at']);
  const expiresAt = optionalTime(line['expires_at']);
  if (expiresAt !== null && expiresAt < createdAt) throw new LineRefused('INTERVAL_INVALID');
  return {
    row: 'key',
    key: word(line['access_key'], 'KEY_MISSING', 'KEY_MALFORMED'),
    owner: word(line['owner'], 'OWNER_MALFORMED', 'OWNER_MALFORMED'),
    accountType,
    permissions: permissions as Permission[],
    createdAt,
    expiresAt,
    allowed: allowed(line['allowed_ips']),
  };
}

function word(value: unknown, missing: LineReason, malformed: LineReason): string {
  if (value === undefined || value === null || value === '') throw new LineRefused(missing);
  if (typeof value !== 'string' || value.length > 1024) throw new LineRefused(malformed);
  return value;
}

function time(value: unknown): number {
  const seconds = isoSeconds(value);
  if (seconds === null) throw new LineRefused('TIME_MALFORMED');
  return seconds;
}

function optionalTime(value: unknown): number | null {
  return value === undefined || value === null ? null : time(value);
}

function allowed(value: unknown): RawKey['allowed'] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new LineRefused('ALLOWED_IPS_MALFORMED');
  return value.map((entry: unknown) => {
    const { ip, added_at, removed_at } = (entry ?? {}) as Record<string, unknown>;
    if (typeof ip !== 'string') throw new LineRefused('ALLOWED_IPS_MALFORMED');
    const addedAt = time(added_at);
    const removedAt = optionalTime(removed_at);
    if (removedAt !== null && removedAt < addedAt) throw new LineRefused('INTERVAL_INVALID');
    return { ip, addedAt, removedAt };
  });
}
