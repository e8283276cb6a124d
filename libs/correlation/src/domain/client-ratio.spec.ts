import { DEFAULT_POLICY, type Network } from '@app/protocol';
import fc from 'fast-check';
import { inferClientKinds } from './client-kinds.js';
import { ClientBaseRates, clientMix, clientRatio, ownContribution, subgroupRatio } from './client-ratio.js';

const STRAY = DEFAULT_POLICY.clientRatio.strayProbability;
const COMMON = 1;
const RARE = 2;

/** 600 of 1,000 owners show client 1; clients 2 to 9 are shown by one each. */
function rates(): ClientBaseRates {
  const network: Network = 'hosting';
  const clientOwners = [
    { client: COMMON, network, owners: 600 },
    ...[2, 3, 4, 5, 6, 7, 8, 9].map((client) => ({ client, network, owners: 1 })),
  ];
  return new ClientBaseRates({ clientOwners, networkOwners: new Map([[network, 1_000]]) }, DEFAULT_POLICY.clientRatio);
}

function mixOf(clients: readonly number[]) {
  return clientMix(
    clients.map((client) => [{ kind: 0, client }]),
    'hosting',
    rates(),
  );
}

function repeat(client: number, times: number): number[] {
  return new Array<number>(times).fill(client);
}

describe('clientRatio', () => {
  it.each<[string, number[], (ratio: number | null) => boolean]>([
    ['many owners with the default library client say little', repeat(COMMON, 30), (r) => r! > 0 && r! < 0.6],
    ['a rare client shared says much', repeat(RARE, 5), (r) => r! > 4],
    ['different clients say unrelated', [2, 3, 4, 5, 6, 7], (r) => r! < -1],
    ['three in five with the default client say unrelated', [...repeat(COMMON, 6), 3, 4, 5, 6], (r) => r! < 0],
    ["one stray among an operator's customers is forgiven", [...repeat(RARE, 9), 3], (r) => r! > 3],
    ['one owner says nothing', [RARE], (r) => r === null],
  ])('%s', (_name, clients, holds) => {
    const ratio = clientRatio(mixOf(clients), STRAY);
    expect([ratio, holds(ratio)]).toEqual([ratio, true]);
  });

  it('does not compare clients of different kinds of fingerprint', () => {
    const mix = clientMix([[{ kind: 0, client: 2 }], [{ kind: 1, client: 3 }]], 'hosting', rates());
    expect(clientRatio(mix, STRAY)).toBeNull();
  });

  it('leaves a group out of its own base rate: an operator cannot make its program look common', () => {
    const network: Network = 'hosting';
    const own = new ClientBaseRates(
      { clientOwners: [{ client: RARE, network, owners: 40 }], networkOwners: new Map([[network, 500]]) },
      DEFAULT_POLICY.clientRatio,
    );
    const mix = clientMix(
      repeat(RARE, 40).map((client) => [{ kind: 0, client }]),
      network,
      own,
    );
    expect(clientRatio(mix, STRAY)!).toBeGreaterThan(4);
  });

  it('never falls when one more owner shows the shared client', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.constantFrom(COMMON, RARE), (owners, client) => {
        const before = clientRatio(mixOf(repeat(client, owners)), STRAY)! * (owners - 1);
        const after = clientRatio(mixOf(repeat(client, owners + 1)), STRAY)! * owners;
        expect(after).toBeGreaterThanOrEqual(before - 1e-9);
      }),
    );
  });
});

describe('ownContribution', () => {
  it('is what the group loses without the owner: much for a match, negative for a stranger', () => {
    const mix = mixOf([...repeat(RARE, 8), 3]);
    expect(ownContribution(mix, STRAY, [{ kind: 0, client: RARE }])!).toBeGreaterThan(3);
    expect(ownContribution(mix, STRAY, [{ kind: 0, client: 3 }])!).toBeLessThan(0);
  });
});

describe('subgroupRatio', () => {
  const crowd = [...repeat(COMMON, 120), ...[3, 4, 5, 6, 7, 8, 9].flatMap((client) => repeat(client, 10))];

  it('finds an operator among the users of a carrier', () => {
    expect(subgroupRatio(mixOf([...crowd, ...repeat(RARE, 12)]), [{ kind: 0, client: RARE }])).toBeGreaterThan(1);
  });

  it('finds nothing in a client as common there as anywhere', () => {
    expect(subgroupRatio(mixOf(crowd), [{ kind: 0, client: COMMON }])).toBeLessThan(0.05);
  });
});

describe('inferClientKinds', () => {
  const seen = (member: number, clients: readonly number[]) => clients.map((client) => ({ member, client }));

  it('groups exchanges that see the same clients', () => {
    const kinds = inferClientKinds([
      ...seen(1, [1, 2, 3, 4]),
      ...seen(2, [3, 4, 5]),
      ...seen(3, [11, 12, 13]),
      ...seen(4, [12, 14]),
      ...seen(5, [21]),
    ]);
    expect(kinds).toEqual(
      new Map([
        [1, 1],
        [2, 1],
        [3, 3],
        [4, 3],
        [5, 5],
      ]),
    );
  });

  it('is not fooled by a few values in common', () => {
    const many = Array.from({ length: 100 }, (_, i) => i);
    const others = Array.from({ length: 100 }, (_, i) => i + 98);
    const kinds = inferClientKinds([...seen(1, many), ...seen(2, others)]);
    expect(kinds.get(1)).not.toBe(kinds.get(2));
  });
});
