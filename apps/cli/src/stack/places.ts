import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ROOT_BASE, startEmbeddedPostgres } from '@app/infrastructure/database';

const isRoot = () => process.getuid?.() === 0;

/** Where `npm start` keeps things: keys here, in the checkout; PostgreSQL here too, unless root must lend it away. */
export function homePlaces(cwd: string): { folder: string; postgresFolder: string } {
  const folder = join(cwd, '.bongsu');
  const name = createHash('sha256').update(cwd).digest('hex').slice(0, 12);
  return { folder, postgresFolder: isRoot() ? join(ROOT_BASE, name, 'postgres') : join(folder, 'postgres') };
}

/** A folder for one run, removed afterwards. */
export interface RunFolder {
  path: string;
  remove(): void;
}

/**
 * Makes a folder for this run, and clears away what runs that were killed have left: their PostgreSQL is stopped, their
 * folder removed.
 */
export async function makeRunFolder(kind: string): Promise<RunFolder> {
  const base = isRoot() ? join(ROOT_BASE, 'runs') : join(tmpdir(), `bongsu-${userInfo().uid}`);
  mkdirSync(base, { recursive: true, mode: 0o755 });
  for (const name of readdirSync(base)) await clearIfAbandoned(join(base, name));
  const path = join(base, `${kind}-${process.pid}`);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o755 });
  writeFileSync(join(path, 'pid'), String(process.pid));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

async function clearIfAbandoned(path: string): Promise<void> {
  const pidFile = join(path, 'pid');
  if (!existsSync(pidFile) || isAlive(Number(readFileSync(pidFile, 'utf8')))) return;
  const cluster = join(path, 'postgres');
  if (existsSync(join(cluster, 'cluster'))) await (await startEmbeddedPostgres(cluster)).stop().catch(() => undefined);
  rmSync(path, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
