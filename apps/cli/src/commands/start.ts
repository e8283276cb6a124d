import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { ConfigReader, onStop } from '@app/infrastructure/config';
import { BongsuError } from '@app/protocol';
import { freePort } from '@app/infrastructure/database';
import { createServer } from 'node:net';
import type { ListFiles } from '../blinder-list/files.js';
import { refuseInProduction } from '../stack/identities.js';
import { homePlaces } from '../stack/places.js';
import { holders, Stack } from '../stack/stack.js';

/** What other commands of this checkout need to find the hub that `npm start` runs. */
export interface LocalHub extends ListFiles {
  hubUrl: string;
  /** In the order in which members ask them. */
  blinderUrls: string[];
  staffKeyFile: string;
  regulatorKeyFile: string;
  clockFile?: string;
}

/** File, below the checkout, with a {@link LocalHub}. */
export const LOCAL_HUB_FILE = join('.bongsu', 'local.json');

const LOOK_AFTER_MS = 5000;

/** `npm start`: PostgreSQL, hub, worker and blinder under one parent, until it is ended. */
export async function start({ blinders = '1' }: { blinders?: string } = {}): Promise<void> {
  refuseInProduction(process.env);
  const reader = new ConfigReader(process.env);
  await refuseSecond();
  const stack = new Stack({
    ...homePlaces(process.cwd()),
    databaseUrl: reader.databaseUrl('DATABASE_URL'),
    hubPort: await portFor(reader, 'HUB_PORT', 8200),
    blinderPort: await portFor(reader, 'BLINDER_PORT', 8201),
    blinders: holders(blinders),
    ...(process.env['CLOCK_FILE'] ? { clockFile: process.env['CLOCK_FILE'] } : {}),
    logToConsole: true,
    onStep: (what) => process.stdout.write(`${what} …\n`),
  });
  const stop = onStop(async () => {
    await stack.stop();
    rmSync(LOCAL_HUB_FILE, { force: true });
  });
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
      ...stack.blinderUrls.map((url) => `blinder: ${url}`),
      ...stack.metricsDoors.map(({ name, url }) => `metrics of the ${name}: ${url}/metrics`),
      `staff's key: ${stack.identities.staffKeyFile}`,
      'Ctrl-C stops all of it.',
      '',
    ].join('\n'),
  );
}

/** Two stacks of one checkout would share a database and a blinder's state. @throws {BongsuError} CONFIG_INVALID */
async function refuseSecond(): Promise<void> {
  if (!existsSync(LOCAL_HUB_FILE)) return;
  const { hubUrl } = JSON.parse(readFileSync(LOCAL_HUB_FILE, 'utf8')) as LocalHub;
  const answers = await request(`${hubUrl}/health/live`, { signal: AbortSignal.timeout(2000) }).then(
    ({ statusCode }) => statusCode === 200,
    () => false,
  );
  if (answers)
    throw new BongsuError(
      'CONFIG_INVALID',
      `A hub of this checkout runs already, at ${hubUrl}: use it, or stop it first.`,
    );
}

/** Writes where a stack's doors and credentials are. */
export function writeLocalHub(file: string, stack: Stack): void {
  const { staffKeyFile, regulatorKeyFile, blinderListFile, blinderMembersFile, allianceKeyFile } = stack.identities;
  const { clockFile } = stack.options;
  const local: LocalHub = {
    hubUrl: stack.hubUrl,
    blinderUrls: stack.blinderUrls,
    staffKeyFile,
    regulatorKeyFile,
    blinderListFile,
    blinderMembersFile,
    allianceKeyFile,
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
