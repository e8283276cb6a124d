import { readFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BongsuError } from '@app/member-sdk';

interface Holder {
  pid: number;
  /** When the process began, as the kernel counts; null where it does not tell. Tells a reused pid from its holder. */
  began: string | null;
}

/** One process at a time works on a state folder: two would both count the same lines. */
export class StateLock {
  private constructor(private readonly path: string) {}

  /** @throws {BongsuError} UNAVAILABLE while another agent holds the folder */
  static async take(folder: string): Promise<StateLock> {
    const path = join(folder, 'lock');
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        const file = await open(path, 'wx', 0o600);
        await file.writeFile(JSON.stringify({ pid: process.pid, began: begun(process.pid) } satisfies Holder));
        await file.close();
        return new StateLock(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const holder = await readHolder(path);
        if (holder !== null && alive(holder))
          throw new BongsuError(
            'UNAVAILABLE',
            `Another agent (process ${holder.pid}) works on ${folder}. End it first, or give this one a stateDir of its own.`,
            'stateDir',
          );
        await rm(path, { force: true });
      }
    }
    throw new BongsuError(
      'UNAVAILABLE',
      `The lock of ${folder} cannot be taken; is another agent starting?`,
      'stateDir',
    );
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function alive(holder: Holder): boolean {
  if (holder.pid === process.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const began = begun(holder.pid);
  return holder.began === null || began === null || began === holder.began;
}

/** Field 22 of /proc/<pid>/stat; null on systems without it. */
function begun(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
