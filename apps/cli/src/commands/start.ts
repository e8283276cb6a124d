import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigReader, onStop } from '@app/infrastructure/config';
import { freePort } from '@app/infrastructure/database';
import { createServer } from 'node:net';
import { homePlaces } from '../stack/places.js';
import { Stack } from '../stack/stack.js';

/** What other commands of this checkout need to find the hub that `npm start` runs. */
export interface LocalHub {
  hubUrl: string;
  blinderUrl: string;
  staffKeyFile: string;
  regulatorKeyFile: string;
  blinderMembersFile: string;
  clockFile?: string;
}

/** File, below the checkout, with a {@link LocalHub}. */
export const LOCAL_HUB_FILE = join('.bongsu', 'local.json');

const LOOK_AFTER_MS = 5000;

/** `npm start`: PostgreSQL, hub, worker and blinder under one parent, until it is ended. */
export async function start(): Promise<void> {
  const reader = new ConfigReader(process.env);
  const stack = new Stack({
    ...homePlaces(process.cwd()),
    databaseUrl: reader.secret('DATABASE_URL'),
    hubPort: await portFor(reader, 'HUB_PORT', 8200),
    blinderPort: await portFor(reader, 'BLINDER_PORT', 8201),
    ...(process.env['CLOCK_FILE'] ? { clockFile: process.env['CLOCK_FILE'] } : {}),
    logToConsole: true,
    onStep: (what) => process.stdout.write(`${what} …\n`),
  });
  const stop = onStop(() => stack.stop());
  try {
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  stack.onExit((what) => {
    process.stderr.write(`${what}; stopping the rest.\n`);
    stop(1);
  });
  // The embedded PostgreSQL has no other parent: a kill -9 of it is mended here.
  setInterval(() => void stack.revivePostgres(), LOOK_AFTER_MS).unref();
  writeLocalHub(LOCAL_HUB_FILE, stack);
  process.stdout.write(
    [
      `hub: ${stack.hubUrl}`,
      `graphql: ${stack.hubUrl}/graphql`,
      `token endpoint: ${stack.hubUrl}/oauth/token`,
      `blinder: ${stack.blinderUrl}`,
      `staff's key: ${stack.identities.staffKeyFile}`,
      'Ctrl-C stops all of it.',
      '',
    ].join('\n'),
  );
}

/** Writes where a stack's doors and credentials are. */
export function writeLocalHub(file: string, stack: Stack): void {
  const { staffKeyFile, regulatorKeyFile, blinderMembersFile } = stack.identities;
  const { clockFile } = stack.options;
  const local: LocalHub = {
    hubUrl: stack.hubUrl,
    blinderUrl: stack.blinderUrl,
    staffKeyFile,
    regulatorKeyFile,
    blinderMembersFile,
    ...(clockFile ? { clockFile } : {}),
  };
  writeFileSync(file, `${JSON.stringify(local, null, 2)}\n`, { mode: 0o600 });
}

/** The port that is asked for; without a wish the usual one, or a free one where that is taken. */
async function portFor(reader: ConfigReader, name: string, usual: number): Promise<number> {
  if (process.env[name]) return reader.port(name, usual);
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(usual, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  return free ? usual : freePort();
}
