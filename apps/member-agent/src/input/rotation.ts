import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { FileHead, FilePosition } from '../state/agent-state.js';
import { openLog, type FileInfo, type OpenLog } from './open-log.js';

/** Endings of files that were compressed in a way that cannot be read here. */
const UNREADABLE = /\.(bz2|xz|zst|lz4|Z)$/;

/**
 * Names that rotation gives to former files of `path`: a number or date after the name, or before its extension
 * (`access.log.1`, `access.log-20260601`, `access-2026-06-01.log`), compressed or not; compressed ones last.
 */
async function formerFiles(path: string): Promise<string[]> {
  const name = basename(path);
  const extension = extname(name);
  const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const stamp = '[.-]\\d[\\dT:._-]*';
  const stem = quoted(name.slice(0, name.length - extension.length));
  const packed = '(\\.(gz|bz2|xz|zst|lz4|Z))?';
  const pattern = new RegExp(`^(?:${quoted(name)}${stamp}|${stem}${stamp}${quoted(extension)})${packed}$`);
  const names = (await readdir(dirname(path)).catch(() => [] as string[])).filter((n) => n !== name && pattern.test(n));
  const plain = names.filter((n) => !isPacked(n)).sort();
  // Where both are there, the compressed one is still being written.
  const packedOnes = names.filter((n) => isPacked(n) && !plain.includes(n.replace(/\.[^.]+$/, ''))).sort();
  return [...plain, ...packedOnes].map((n) => join(dirname(path), n));
}

const isPacked = (name: string) => name.endsWith('.gz') || !isReadable(name);

/** Whether a former file can be read. */
export function isReadable(path: string): boolean {
  return !UNREADABLE.test(path);
}

/** Where the file of a position is now: under its own name, or a former one's. Null where it is gone. */
export async function findPosition(path: string, position: FilePosition): Promise<string | null> {
  const places = [path, ...(await formerFiles(path)).filter(isReadable)];
  for (const sameInode of [true, false])
    for (const place of places) if (await holds(place, position, sameInode)) return place;
  return null;
}

/**
 * The file to read after a former one: the oldest former file written to after it, since there may have been several
 * rotations meanwhile; mostly there is none, and it is the one of the name. Two rotations within one tick of the file
 * system's clock (up to 10 ms) cannot be told apart. A compressed file that begins like one read before is that one.
 */
export async function nextFile(path: string, after: FileInfo, read: readonly FileHead[]): Promise<string> {
  const newer: { place: string; mtimeNs: bigint }[] = [];
  for (const place of await formerFiles(path)) {
    const info = await stat(place, { bigint: true }).catch(() => null);
    if (info === null || !info.isFile() || info.ino === after.ino || info.mtimeNs <= after.mtimeNs) continue;
    newer.push({ place, mtimeNs: info.mtimeNs });
  }
  newer.sort((a, b) => (a.mtimeNs < b.mtimeNs ? -1 : 1));
  for (const { place } of newer) if (!place.endsWith('.gz') || !(await beginsLikeOne(place, read))) return place;
  return path;
}

async function beginsLikeOne(path: string, heads: readonly FileHead[]): Promise<boolean> {
  const log = await openLog(path).catch(() => null);
  if (log === null) return false;
  try {
    for (const head of heads) if (head.length > 0 && (await headOf(log, head.length)) === head.hash) return true;
    return false;
  } finally {
    await log.close();
  }
}

/** Whether the file at `path` begins as the one of the position did and reaches as far. */
export async function holds(path: string, position: FilePosition, sameInode: boolean): Promise<boolean> {
  let log: OpenLog | null = null;
  try {
    if (!(await stat(path)).isFile()) return false;
    log = await openLog(path);
    if (sameInode && String((await log.info()).ino) !== position.ino) return false;
    return (await headOf(log, position.head.length)) === position.head.hash && (await log.size()) >= position.offset;
  } catch {
    return false;
  } finally {
    await log?.close();
  }
}

/** Digest of a file's first bytes. */
export async function headOf(log: OpenLog, length: number): Promise<string> {
  const bytes = Buffer.alloc(length);
  const bytesRead = length === 0 ? 0 : await log.read(bytes, length, 0);
  return hashOf(bytes.subarray(0, bytesRead));
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
