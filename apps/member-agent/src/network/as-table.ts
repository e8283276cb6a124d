import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BongsuError } from '@app/member-sdk';
import { AddressRanges } from './address-ranges.js';

/** The package that brings the table: RouteViews, NRO and DB-IP data, CC BY 4.0 (docs/dependencies.md). */
const PACKAGE = '@ip-location-db/asn';

/** Which table this is. */
export interface AsTableInfo {
  name: string;
  version: string;
  /** Day of its data, milliseconds since 1970. */
  date: number;
}

/** Who announces an address. */
export interface AutonomousSystem {
  asn: number;
  organisation: string;
}

/**
 * Finds the table without loading it.
 * @throws {BongsuError} CONFIG_INVALID when the package is not there, or carries no date
 */
export function asTableInfo(): AsTableInfo & { folder: string } {
  let folder: string;
  let version: string;
  try {
    const file = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    folder = dirname(file);
    ({ version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string });
  } catch {
    throw new BongsuError('CONFIG_INVALID', `network: asn needs the package ${PACKAGE}; run \`npm ci\`.`, 'network');
  }
  // Its third number is the date and hour of the data: 2026061719.
  const [, year, month, day] = /^\d+\.\d+\.(\d{4})(\d{2})(\d{2})/.exec(version) ?? [];
  const date = Date.parse(`${year}-${month}-${day}`);
  if (Number.isNaN(date))
    throw new BongsuError('CONFIG_INVALID', `${PACKAGE} ${version} does not say of when it is.`, 'network');
  return { name: PACKAGE, version, date, folder };
}

/** Which autonomous system announces which addresses, in typed arrays. */
export class AsTable {
  private constructor(
    private readonly ranges: AddressRanges,
    /** By range. */
    private readonly asns: Uint32Array,
    /** By autonomous system. */
    readonly organisations: ReadonlyMap<number, string>,
  ) {}

  /** Reads the package's files. @throws {BongsuError} CONFIG_INVALID when one is missing or not what it should be */
  static load(): AsTable {
    const { folder } = asTableInfo();
    const organisations = new Map<number, string>();
    const four = readFour(open(folder, 'asn-ipv4-num.csv'), organisations);
    const six = readSix(open(folder, 'asn-ipv6-num.csv'), organisations);
    const asns = new Uint32Array(four.asns.length + six.asns.length);
    asns.set(four.asns);
    asns.set(six.asns, four.asns.length);
    return new AsTable(new AddressRanges(four, six), asns, organisations);
  }

  /** Null where nobody announces it, as far as the table knows. @throws {BongsuError} BAD_INPUT */
  find(ip: string): AutonomousSystem | null {
    const at = this.ranges.find(ip);
    if (at < 0) return null;
    const asn = this.asns[at]!;
    return { asn, organisation: this.organisations.get(asn) ?? '' };
  }

  /** Ranges held. */
  get size(): number {
    return this.asns.length;
  }
}

function open(folder: string, file: string): Buffer {
  try {
    return readFileSync(join(folder, file));
  } catch {
    throw new BongsuError('CONFIG_INVALID', `${PACKAGE} has no ${file}; run \`npm ci\`.`, 'network');
  }
}

const COMMA = 0x2c;
const LINE_END = 0x0a;
const ZERO = 0x30;

/** `first,last,asn,organisation`, addresses as decimal numbers, sorted. Of two that overlap, the one that starts later counts. */
function readFour(csv: Buffer, organisations: Map<number, string>) {
  const rows = countLines(csv);
  const first = new Uint32Array(rows);
  const last = new Uint32Array(rows);
  const asns = new Uint32Array(rows);
  let at = 0;
  const number = () => {
    let value = 0;
    for (let c = csv[at++]; c !== COMMA && c !== undefined; c = csv[at++]) value = value * 10 + c - ZERO;
    return value;
  };
  for (let i = 0; i < rows; i++) {
    const start = number();
    const end = number();
    requireSorted(start <= end && end <= 0xffffffff && (i === 0 || start > first[i - 1]!));
    first[i] = start;
    last[i] = end;
    asns[i] = number();
    at = keepOrganisation(csv, at, asns[i]!, organisations);
  }
  return { first, last, asns };
}

function readSix(csv: Buffer, organisations: Map<number, string>) {
  const rows = countLines(csv);
  const first = new BigUint64Array(2 * rows);
  const last = new BigUint64Array(2 * rows);
  const asns = new Uint32Array(rows);
  let at = 0;
  const text = () => {
    const start = at;
    at = csv.indexOf(COMMA, at) + 1;
    return csv.toString('latin1', start, at - 1);
  };
  const put = (into: BigUint64Array, i: number): bigint => {
    const value = BigInt(text());
    into[2 * i] = value >> 64n;
    into[2 * i + 1] = BigInt.asUintN(64, value);
    return value;
  };
  let before = -1n;
  for (let i = 0; i < rows; i++) {
    const start = put(first, i);
    const end = put(last, i);
    requireSorted(start > before && start <= end);
    before = start;
    asns[i] = Number(text());
    at = keepOrganisation(csv, at, asns[i]!, organisations);
  }
  return { first, last, asns };
}

function countLines(csv: Buffer): number {
  let lines = 0;
  for (let at = csv.indexOf(LINE_END); at >= 0; at = csv.indexOf(LINE_END, at + 1)) lines++;
  return csv.at(-1) === LINE_END || csv.length === 0 ? lines : lines + 1;
}

/** Keeps the name that ends a line, once for each autonomous system; answers where the next line starts. */
function keepOrganisation(csv: Buffer, at: number, asn: number, organisations: Map<number, string>): number {
  const found = csv.indexOf(LINE_END, at);
  const end = found < 0 ? csv.length : found;
  if (!organisations.has(asn)) {
    const text = csv.toString('utf8', at, end).trim();
    organisations.set(asn, text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
  }
  return end + 1;
}

function requireSorted(sorted: boolean): void {
  if (!sorted) throw new BongsuError('CONFIG_INVALID', `${PACKAGE} is not in the form that is known here.`, 'network');
}
