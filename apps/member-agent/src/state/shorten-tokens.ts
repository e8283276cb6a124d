import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppendLog } from './append-log.js';
import type { TokenLine } from './disk-token-cache.js';
import { syncFolder } from './files.js';

/** Lines written at a time. */
const GROUP = 10_000;

/**
 * Drops the tokens that nothing asks for any more, where the file begins with such: those of epochs before the last one,
 * but for keys', which old recommendations name. The short file takes the long one's place in one step.
 * @param epoch the one in use
 * @returns how many were dropped
 */
export async function shortenTokens(path: string, epoch: number): Promise<number> {
  // Lines are appended: the oldest epoch's come first, and the keys kept of it last.
  if (((await firstLine(path))?.e ?? epoch) >= epoch - 1) return 0;
  const draft = `${path}.draft`;
  await rm(draft, { force: true });
  const short = await AppendLog.open<TokenLine>(draft, () => {});
  const oldKeys: TokenLine[] = [];
  let dropped = 0;
  let group: TokenLine[] = [];
  const written: Promise<void>[] = [];
  try {
    await AppendLog.read<TokenLine>(path, (line) => {
      if (line.e >= epoch - 1) group.push(line);
      else if (line.k === 'key') oldKeys.push(line);
      else dropped++;
      if (group.length < GROUP) return;
      written.push(short.append(...group));
      group = [];
    });
    await Promise.all(written);
    for (const lines of [group, oldKeys])
      for (let from = 0; from < lines.length; from += GROUP) await short.append(...lines.slice(from, from + GROUP));
  } finally {
    await short.close();
  }
  await rename(draft, path);
  await syncFolder(dirname(path));
  return dropped;
}

async function firstLine(path: string): Promise<TokenLine | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const bytes = Buffer.alloc(16 * 1024);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    const end = bytes.indexOf(10);
    return end < 0 || end > bytesRead ? null : (JSON.parse(bytes.toString('utf8', 0, end)) as TokenLine);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  } finally {
    await file.close();
  }
}
