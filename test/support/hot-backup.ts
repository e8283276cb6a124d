import { chownSync, copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** What a base backup leaves out (PostgreSQL documentation, "Making a Base Backup Using the Low Level API"). */
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'pg_wal']);

/**
 * Copies the running cluster of one embedded server's folder into another, as a base backup with the log that makes it
 * whole. The embedded binaries have no pg_basebackup: this is the same by hand.
 * @param meanwhile runs while the backup is open, after the data is copied
 */
export async function hotBackup(
  ownerUrl: string,
  from: string,
  to: string,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(`SELECT pg_backup_start('a test', true)`);
    copyKeeping(from, to, (name) => !LEFT_OUT.has(name));
    await meanwhile();
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    const label = join(to, 'cluster', 'backup_label');
    writeFileSync(label, rows[0]!.labelfile, { mode: 0o600 });
    keepOwner(join(from, 'cluster'), label);
    // Last: everything that was written until the backup's end.
    copyKeeping(join(from, 'cluster', 'pg_wal'), join(to, 'cluster', 'pg_wal'), () => true);
  } finally {
    await client.end();
  }
}

function copyKeeping(from: string, to: string, wanted: (name: string) => boolean): void {
  mkdirSync(to, { recursive: true, mode: statSync(from).mode & 0o777 });
  keepOwner(from, to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!wanted(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyKeeping(source, target, wanted);
    else {
      try {
        copyFileSync(source, target);
        keepOwner(source, target);
      } catch (error) {
        // The server removes files while it runs; the log knows of it.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
}

function keepOwner(from: string, to: string): void {
  const { uid, gid } = statSync(from);
  if (process.getuid?.() === 0) chownSync(to, uid, gid);
}
