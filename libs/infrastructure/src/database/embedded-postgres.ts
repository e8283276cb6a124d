import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BongsuError } from '@app/protocol';
import { embeddedBinaries, serverUser } from './embedded-binaries.js';

const run = promisify(execFile);

/** A PostgreSQL server of our own, below one folder. */
export interface EmbeddedServer {
  /** Connection URL of the cluster's owner, for the database `postgres`. */
  ownerUrl: string;
  /** Starts it again, on the same port, if it is gone. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts (or finds running) the PostgreSQL of a folder, creating its cluster the first time. Safe to repeat: after a
 * kill -9 of whoever started it, a server that still runs is used again, one that died is recovered. Driven through
 * PostgreSQL's own `pg_ctl`. Listens on loopback only, on a port the system chooses, with a password of its own.
 *
 * @param folder where cluster, password and log live; as root it must be reachable by other accounts
 * @param durable false leaves out fsync: for tests, whose data nobody needs
 * @throws {BongsuError} UNAVAILABLE with what the server said
 */
export async function startEmbeddedPostgres(folder: string, durable = true): Promise<EmbeddedServer> {
  const user = serverUser();
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (user) chownSync(folder, user.uid, user.gid);
  const bin = join(embeddedBinaries(user), 'bin');
  const data = join(folder, 'cluster');
  const log = join(folder, 'postgresql.log');
  const passwordFile = join(folder, 'password');
  const exec = (program: string, args: string[]) =>
    run(join(bin, program), args, { ...user, cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } });

  try {
    if (!existsSync(data)) {
      writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
      if (user) chownSync(passwordFile, user.uid, user.gid);
      const partial = `${data}.partial`;
      rmSync(partial, { recursive: true, force: true });
      const auth = ['-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
      await exec('initdb', ['-D', partial, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '-N', ...auth]);
      renameSync(partial, data);
    }
    const start = async (port: number) => {
      const settings = { ...SETTINGS, port, ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }) };
      const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
      await exec('pg_ctl', ['-D', data, '-l', log, '-w', '-t', '60', '-s', '-o', options.join(' '), 'start']);
      return port;
    };
    const port = (await runningPort(data, exec)) ?? (await start(await freePort()));
    const password = readFileSync(passwordFile, 'utf8');
    return {
      ownerUrl: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      revive: async () => {
        if ((await runningPort(data, exec)) === null) await start(port);
      },
      stop: async () => {
        // A server that is already down is what was asked for.
        await exec('pg_ctl', ['-D', data, '-m', 'fast', '-w', '-s', 'stop']).catch(() => undefined);
      },
    };
  } catch (error) {
    const said = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' | ') : '';
    const detail = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    throw new BongsuError(
      'UNAVAILABLE',
      `The embedded PostgreSQL in ${folder} did not start: ${detail} ${said}`.trim(),
    );
  }
}

const SETTINGS: Record<string, string | number> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  timezone: 'UTC',
  logging_collector: 'off',
};

/** The port of the server that runs on `data`, or null where none does. */
async function runningPort(
  data: string,
  exec: (program: string, args: string[]) => Promise<{ stdout: string }>,
): Promise<number | null> {
  const running = await exec('pg_ctl', ['-D', data, 'status']).then(
    () => true,
    () => false,
  );
  if (!running) return null;
  // postmaster.pid, line 4 (PostgreSQL documentation, "Database file layout").
  return Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[3]);
}

/** A TCP port that is free on loopback now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
