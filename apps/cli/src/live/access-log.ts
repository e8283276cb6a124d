import type { UsageRecord } from '@app/protocol';

const SLOT_MS = 300_000;
/** Orders that a quiet and a busy window get: more than three times the quiet one, and at least five, is a burst. */
const QUIET_ORDERS = 1;
const BURST_ORDERS = 8;
/** Refused requests that an hour gets at most. */
const MOST_REJECTED = 6;

/**
 * Hourly summaries as the access log of an nginx that could have led to them (log_format … escape=json): every active
 * window has requests, every burst window a burst of orders, refusals are answered 403. Request totals are scaled down.
 * @param lines usage records, JSON lines
 * @returns access-log lines in order of time
 */
export function toAccessLog(lines: string): string {
  const entries: { at: number; line: string }[] = [];
  for (const line of lines.split('\n')) if (line !== '') addHour(entries, JSON.parse(line) as UsageRecord);
  entries.sort((a, b) => a.at - b.at);
  return entries.map((entry) => `${entry.line}\n`).join('');
}

function addHour(entries: { at: number; line: string }[], usage: UsageRecord): void {
  const start = Date.parse(usage.hour);
  const add = (at: number, method: string, uri: string, status: number) =>
    entries.push({
      at,
      line: JSON.stringify({
        time_iso8601: new Date(at).toISOString(),
        remote_addr: usage.ip,
        http_user_agent: usage.client,
        request_method: method,
        request_uri: uri,
        status: String(status),
        access_key: usage.access_key,
        network: usage.network,
      }),
    });
  for (let slot = 0; slot < 12; slot++) {
    if (((usage.active_slots >> slot) & 1) === 0) continue;
    const at = start + slot * SLOT_MS;
    const burst = ((usage.burst_slots >> slot) & 1) === 1;
    add(at + 1000, 'GET', '/v1/accounts', usage.rejected >= usage.requests ? 403 : 200);
    const orders = usage.orders === 0 ? 0 : burst ? BURST_ORDERS : QUIET_ORDERS;
    for (let i = 0; i < orders; i++) add(at + 2000 + i * 500, 'POST', '/v1/orders', 201);
  }
  if (usage.rejected < usage.requests)
    for (let i = 0; i < Math.min(usage.rejected, MOST_REJECTED); i++)
      add(start + firstSlot(usage.active_slots) * SLOT_MS + i * 700, 'GET', '/v1/accounts', 403);
}

function firstSlot(slots: number): number {
  return slots === 0 ? 0 : 31 - Math.clz32(slots & -slots);
}
