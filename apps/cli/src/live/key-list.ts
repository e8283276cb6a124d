import type { KeyRecord } from '@app/protocol';

/**
 * The key list as an exchange would export it at a time: keys that exist, allow-list entries that were made, removals
 * and nothing of what is still to come.
 * @param at ms since 1970
 */
export function keysAsOf(keys: readonly KeyRecord[], at: number): KeyRecord[] {
  const begun = (time: string) => Date.parse(time) <= at;
  return keys
    .filter((key) => begun(key.created_at))
    .map((key) => ({
      ...key,
      allowed_ips: key.allowed_ips
        .filter((entry) => begun(entry.added_at))
        .map((entry) => ({
          ...entry,
          removed_at: entry.removed_at !== null && begun(entry.removed_at) ? entry.removed_at : null,
        })),
    }));
}
