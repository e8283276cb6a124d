import { createHash } from 'node:crypto';
import { open, readdir, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { FilePosition } from '../state/agent-state.js';

/**
 * Names that rotation gives to former files of `path`: a number or date after the name, or before its extension
 * (`access.log.1`, `access.log-20260601`, `access-2026-06-01.log`). Compressed ones are not among them.
 */
async function formerFiles(path: string): Promise<string[]> {
  const name = basename(path);
  const extension = extname(name);
  const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const stamp = '[.-]\\d[\\dT:._-]*';
  const stem = quoted(name.slice(0, name.length - extension.length));
  const pattern = new RegExp(`^(?:${quoted(name)}${stamp}|${stem}${stamp}${quoted(extension)})$`);
  const names = await readdir(dirname(path)).catch(() => [] as string[]);
  return names
    .filter((n) => n !== name && pattern.test(n))
    .sort()
    .map((n) => join(dirname(path), n));
}

/** Where the file of a position is now: under its own name, or a former one's. Null where it is gone. */
export async function findPosition(path: string, position: FilePosition): Promise<string | null> {
  const places = [path, ...(await formerFiles(path))];
  for (const sameInode of [true, false])
    for (const place of places) if (await holds(place, position, sameInode)) return place;
  return null;
}

/**
 * The file to read after a former one: the oldest former file written to after it, since there may have been several
 * rotations meanwhile; mostly there is none, and it is the one of the name. Two rotations within one tick of the file
 * system's clock (up to 10 ms) cannot be told apart.
 */
export async function nextFile(path: string, after: { ino: bigint; mtimeNs: bigint }): Promise<string> {
  let next = { place: path, mtimeNs: null as bigint | null };
  for (const place of await formerFiles(path)) {
    const info = await stat(place, { bigint: true }).catch(() => null);
    if (info === null || !info.isFile() || info.ino === after.ino || info.mtimeNs <= after.mtimeNs) continue;
    if (next.mtimeNs === null || info.mtimeNs < next.mtimeNs) next = { place, mtimeNs: info.mtimeNs };
  }
  return next.place;
}

/** Whether the file at `path` begins as the one of the position did and reaches as far. */
export async function holds(path: string, position: FilePosition, sameInode: boolean): Promise<boolean> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'r');
    const info = await file.stat({ bigint: true });
    if (!info.isFile() || Number(info.size) < position.offset) return false;
    if (sameInode && String(info.ino) !== position.ino) return false;
    return (await headOf(file, position.head.length)) === position.head.hash;
  } catch {
    return false;
  } finally {
    await file?.close();
  }
}

/** Digest of a file's first bytes. */
export async function headOf(file: FileHandle, length: number): Promise<string> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = length === 0 ? { bytesRead: 0 } : await file.read(bytes, 0, length, 0);
  return hashOf(bytes.subarray(0, bytesRead));
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}
