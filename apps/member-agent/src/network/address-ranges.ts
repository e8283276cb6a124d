import { addressNumber, type AddressRange } from '@app/member-sdk';

/** Sorted, disjoint ranges of addresses in typed arrays: which of them holds an address, by binary search. */
export class AddressRanges {
  /**
   * @param four first and last address of each IPv4 range
   * @param six first and last address of each IPv6 range, two numbers each: upper and lower 64 bits
   */
  constructor(
    readonly four: { first: Uint32Array; last: Uint32Array },
    readonly six: { first: BigUint64Array; last: BigUint64Array },
  ) {}

  /** @param ranges sorted by family and first address, none overlapping another */
  static of(ranges: readonly AddressRange[]): AddressRanges {
    const v4 = ranges.filter((r) => r.family === 4);
    const v6 = ranges.filter((r) => r.family === 6);
    const numbers = (end: 'first' | 'last') => Uint32Array.from(v4, (r) => Number(r[end]));
    const halves = (end: 'first' | 'last') =>
      BigUint64Array.from(v6.flatMap((r) => [r[end] >> 64n, BigInt.asUintN(64, r[end])]));
    return new AddressRanges(
      { first: numbers('first'), last: numbers('last') },
      { first: halves('first'), last: halves('last') },
    );
  }

  /**
   * The place of the range that holds an address, IPv6 ranges after all IPv4 ones; -1 for none.
   * @throws {BongsuError} BAD_INPUT when it is not an address
   */
  find(ip: string): number {
    const { family, value } = addressNumber(ip);
    return family === 4 ? this.findFour(Number(value)) : this.findSix(value >> 64n, BigInt.asUintN(64, value));
  }

  private findFour(value: number): number {
    const { first, last } = this.four;
    const at = lastAtMost(first.length, (i) => first[i]! <= value);
    return at >= 0 && last[at]! >= value ? at : -1;
  }

  private findSix(high: bigint, low: bigint): number {
    const { first, last } = this.six;
    const at = lastAtMost(first.length / 2, (i) => compare(first, i, high, low) <= 0);
    return at >= 0 && compare(last, at, high, low) >= 0 ? this.four.first.length + at : -1;
  }
}

/** The last place of a sorted run for which `fits` holds, given that it holds for all before; -1 for none. */
function lastAtMost(length: number, fits: (i: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fits(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function compare(halves: BigUint64Array, i: number, high: bigint, low: bigint): number {
  const [a, b] = [halves[2 * i]!, halves[2 * i + 1]!];
  return a < high ? -1 : a > high ? 1 : b < low ? -1 : b > low ? 1 : 0;
}
