import fc from 'fast-check';
import { checkCompact, checkList, decodeColumns, encodeColumns, toColumns, toRows, type BatchRows } from './index.js';
import { encodeToken } from './tokens.js';
import { ACCOUNT_TYPES, NETWORKS, PERMISSIONS } from './vocabulary.js';

const BOUNDS = { oldest: 490_000, newest: 495_000 };
// Few different tokens, so that rows share dictionary entries; the prefix follows from the IP.
const token = fc.integer({ min: 0, max: 5 }).map((n) => new Uint8Array(32).fill(n));
const address = token.map((ip) => ({ ip, prefix: new Uint8Array(32).fill(ip[0]! % 2) }));
const count = fc.integer({ min: 0, max: 3_600_000 });
const time = fc.integer({ min: 1, max: 2_000_000_000 });
const slots = fc.integer({ min: 0, max: 4095 });

const rowsOf: fc.Arbitrary<BatchRows> = fc.record({
  observations: fc.uniqueArray(
    fc
      .record({
        key: token,
        address,
        client: token,
        hour: fc.integer({ min: BOUNDS.oldest, max: BOUNDS.newest }),
        network: fc.constantFrom(...NETWORKS),
        lists: fc.subarray(['tor', 'vpn list', '목록']),
        requests: count,
        orders: count,
        rejected: count,
        activeSlots: slots,
        burstSlots: slots,
      })
      .map(({ address: a, ...row }) => ({ ...row, ...a })),
    { selector: (o) => `${o.key} ${o.ip} ${o.client} ${o.hour}`, maxLength: 20 },
  ),
  allowEntries: fc.array(
    fc
      .record({ key: token, address, addedAt: time, lasts: fc.option(count) })
      .map(({ address: a, key, addedAt, lasts }) => ({
        key,
        ...a,
        addedAt,
        removedAt: lasts === null ? null : addedAt + lasts,
      })),
    { maxLength: 8 },
  ),
  keyFacts: fc.array(
    fc
      .record({
        key: token,
        owner: token,
        accountType: fc.constantFrom(...ACCOUNT_TYPES),
        permissions: fc.subarray([...PERMISSIONS]),
        createdAt: time,
        lasts: fc.option(count),
      })
      .map(({ lasts, ...f }) => ({ ...f, expiresAt: lasts === null ? null : f.createdAt + lasts })),
    { maxLength: 8 },
  ),
});

/** List names keep the order of their first use in a batch, not that of the row. */
const normal = (rows: BatchRows) => ({
  ...rows,
  observations: rows.observations.map((o) => ({ ...o, lists: [...o.lists].sort() })),
});
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

describe('the compact form', () => {
  it('gives rows back as they were', () => {
    fc.assert(
      fc.property(rowsOf, (rows) => {
        expect(normal(toRows(decodeColumns(encodeColumns(toColumns(rows)))))).toEqual(normal(rows));
      }),
    );
  });

  it('is read from any place of a larger buffer', () => {
    fc.assert(
      fc.property(rowsOf, fc.integer({ min: 1, max: 9 }), (rows, offset) => {
        const compact = encodeColumns(toColumns(rows));
        const larger = new Uint8Array(compact.length + 20);
        larger.set(compact, offset);
        const read = decodeColumns(larger.subarray(offset, offset + compact.length));
        expect(normal(toRows(read))).toEqual(normal(rows));
      }),
      { numRuns: 20 },
    );
  });

  it('is refused, never misread or crashed on, where it is cut short', () => {
    fc.assert(
      fc.property(rowsOf, fc.double({ min: 0, max: 0.999, noNaN: true }), (rows, share) => {
        const compact = encodeColumns(toColumns(rows));
        const cut = compact.subarray(0, Math.floor(compact.length * share));
        expect(() => decodeColumns(cut)).toThrow(expect.objectContaining({ code: 'BATCH_MALFORMED' }));
      }),
    );
  });

  it('is decoded and checked, or refused with a code, whatever bytes are changed', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(rowsOf, fc.array(change, { minLength: 1, maxLength: 4 }), (rows, changes) => {
        const compact = Uint8Array.from(encodeColumns(toColumns(rows)));
        for (const [at, value] of changes) compact[at % compact.length] = value;
        try {
          const { accepted } = checkCompact(decodeColumns(compact), BOUNDS);
          // What is accepted must be what the fold can store: again decodable, and within the checks.
          expect(checkCompact(decodeColumns(encodeColumns(accepted)), BOUNDS).rejections).toEqual([]);
        } catch (error) {
          if (!('code' in (error as object))) throw error;
          expect(['BATCH_MALFORMED', 'BATCH_TOO_LARGE']).toContain((error as { code: string }).code);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is refused where a dictionary has a token twice, or one that no row uses', () => {
    const [t, u] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const facts = { accountType: 'individual' as const, permissions: [], createdAt: 1, expiresAt: null };
    const honest = toColumns({ observations: [], allowEntries: [], keyFacts: [{ key: t, owner: u, ...facts }] });
    const check = (columns: typeof honest) => checkCompact(decodeColumns(encodeColumns(columns)), BOUNDS);
    expect(check(honest).rejections).toEqual([]);
    const twice = { ...honest, keys: [t, t] };
    for (const columns of [twice, { ...honest, keys: [t, u] }, { ...honest, clients: [u] }])
      expect(() => check(columns)).toThrow(expect.objectContaining({ code: 'BATCH_MALFORMED' }));
  });

  it('is refused where its header names sizes that no memory holds', () => {
    const header = Buffer.from(encodeColumns(toColumns({ observations: [], allowEntries: [], keyFacts: [] })));
    for (let word = 1; word < 10; word++)
      for (const size of [0x7fffffff, 0x08000000, 0x1c000000, 0xffffffff]) {
        const forged = Buffer.from(header);
        forged.writeUInt32LE(size, word * 4);
        expect(() => decodeColumns(forged)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^BATCH_/) }),
        );
      }
  });
});

describe('the list form', () => {
  const listed = (rows: BatchRows) => ({
    observations: rows.observations.map((o) => ({
      ...o,
      key: encodeToken(o.key),
      ip: encodeToken(o.ip),
      prefix: encodeToken(o.prefix),
      client: encodeToken(o.client),
      hour: iso(o.hour * 3600),
    })),
    allowEntries: rows.allowEntries.map((a) => ({
      key: encodeToken(a.key),
      ip: encodeToken(a.ip),
      prefix: encodeToken(a.prefix),
      addedAt: iso(a.addedAt),
      removedAt: a.removedAt === null ? null : iso(a.removedAt),
    })),
    keyFacts: rows.keyFacts.map((f) => ({
      ...f,
      key: encodeToken(f.key),
      owner: encodeToken(f.owner),
      createdAt: iso(f.createdAt),
      expiresAt: f.expiresAt === null ? null : iso(f.expiresAt),
    })),
  });

  it('means the same as the compact form', () => {
    fc.assert(
      fc.property(rowsOf, (rows) => {
        const { accepted, rejections } = checkList(listed(rows), BOUNDS);
        expect(rejections).toEqual([]);
        expect(normal(toRows(accepted))).toEqual(normal(rows));
      }),
    );
  });

  it('loses bad rows only, and names each by its place', () => {
    fc.assert(
      fc.property(rowsOf, fc.infiniteStream(fc.boolean()), (rows, spoil) => {
        const input = listed(rows);
        const bad = input.observations.map(() => spoil.next().value as boolean);
        const observations = input.observations.map((o, i) => (bad[i] ? { ...o, network: 'none such' } : o));
        const { accepted, rejections } = checkList({ ...input, observations }, BOUNDS);
        expect(rejections.map((r) => r.index)).toEqual(bad.flatMap((is, i) => (is ? [i] : [])));
        expect(normal(toRows(accepted)).observations).toEqual(normal(rows).observations.filter((_, i) => !bad[i]));
      }),
    );
  });
});
