import fc from 'fast-check';
import { decodeColumns, encodeColumns, toColumns, toRows, trimRows, type BatchRows, type RowPlace } from './index.js';

const filled = (n: number) => new Uint8Array(32).fill(n);
const value = fc.integer({ min: 1, max: 6 });
const rowsOf: fc.Arbitrary<BatchRows> = fc.record({
  observations: fc.array(
    fc
      .record({
        key: value,
        ip: value,
        client: value,
        hour: fc.integer({ min: 0, max: 99 }),
        lists: fc.subarray(['a', 'b', 'c']),
      })
      .map(({ key, ip, client, hour, lists }) => ({
        key: filled(key),
        ip: filled(10 + ip),
        prefix: filled(20 + (ip % 3)),
        client: filled(30 + client),
        hour,
        network: 'mobile' as const,
        lists,
        requests: hour,
        orders: 0,
        rejected: 0,
        activeSlots: 1,
        burstSlots: 0,
      })),
    { maxLength: 12 },
  ),
  allowEntries: fc.array(
    fc.record({ key: value, ip: value }).map(({ key, ip }) => ({
      key: filled(key),
      ip: filled(10 + ip),
      prefix: filled(20 + (ip % 3)),
      addedAt: 5,
      removedAt: null,
    })),
    { maxLength: 6 },
  ),
  keyFacts: fc.array(
    fc.record({ key: value, owner: value }).map(({ key, owner }) => ({
      key: filled(key),
      owner: filled(40 + owner),
      accountType: 'individual' as const,
      permissions: ['read' as const],
      createdAt: 7,
      expiresAt: null,
    })),
    { maxLength: 6 },
  ),
});
const SECTIONS = ['observations', 'allowEntries', 'keyFacts'] as const;

describe('trimming a batch', () => {
  it('leaves the other rows as they were, and no token or list name that they do not use', () => {
    fc.assert(
      fc.property(rowsOf, fc.infiniteStream(fc.boolean()), (rows, drops) => {
        const places = SECTIONS.flatMap((section) => rows[section].map((_, index): RowPlace => ({ section, index })));
        const gone = places.filter(() => drops.next().value);
        const kept = Object.fromEntries(
          SECTIONS.map((s) => [
            s,
            (rows[s] as unknown[]).filter((_, i) => !gone.some((g) => g.section === s && g.index === i)),
          ]),
        ) as unknown as BatchRows;
        const bytes = encodeColumns(trimRows(toColumns(rows), gone));
        const decoded = decodeColumns(bytes);
        const inOrder = (r: BatchRows) => r.observations.map((o) => ({ ...o, lists: [...o.lists].sort() }));
        expect({ ...toRows(decoded), observations: inOrder(toRows(decoded)) }).toEqual({
          ...kept,
          observations: inOrder(kept),
        });
        const anew = toColumns(kept);
        for (const dictionary of ['keys', 'ips', 'prefixes', 'clients', 'owners', 'lists'] as const)
          expect(new Set(decoded[dictionary].map(String))).toEqual(new Set(anew[dictionary].map(String)));
      }),
    );
  });
});
