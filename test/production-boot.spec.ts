import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVELOPMENT_MARK, markedForDevelopment, publicPart, signBlinderList } from '@app/protocol';
import { privateJwk, publicJwk } from './support/parts.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const MAIN = {
  hub: 'dist/apps/hub/src/main.js',
  worker: 'dist/apps/worker/src/main.js',
  blinder: 'dist/apps/blinder/src/main.js',
  migrate: 'dist/apps/worker/src/migrate.js',
  cli: 'dist/apps/cli/src/main.js',
};
type Part = keyof typeof MAIN;

describe('in production', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bongsu-production-'));
  const file = (name: string, content: string, mode = 0o600) => {
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), mode);
    return join(folder, name);
  };
  const marked = (jwk: string) => JSON.stringify(markedForDevelopment(JSON.parse(jwk) as object));
  const alliance = JSON.parse(privateJwk()) as Record<string, unknown>;
  const people = (jwk: object) => JSON.stringify([{ name: 'kim', roles: ['staff_operator'], jwk }]);
  const signed = (jwk: Record<string, unknown>) =>
    signBlinderList(
      { sequence: 1, issuedAt: '2026-11-20T00:00:00.000Z', members: [{ name: 'upbit', keys: [jwk] }], staff: [] },
      alliance,
    );
  const signingKey = privateJwk();
  const seed = randomBytes(32).toString('hex');
  const memberKey = publicJwk(privateJwk());
  let db: TestDatabase;
  let good: Record<Part, Record<string, string>>;

  beforeAll(async () => {
    db = await createTestDatabase();
    const common = {
      DATABASE_URL_FILE: file('database-url', db.url),
      HUB_SIGNING_KEY_FILE: file('signing.jwk', signingKey),
      HUB_ISSUER: 'https://hub.example',
    };
    const blinder = {
      BLINDER_KEY_FILE: file('seed', seed),
      BLINDER_ALLIANCE_KEY_FILE: file('alliance.public.jwk', JSON.stringify(publicPart(alliance)), 0o644),
      BLINDER_MEMBERS_FILE: file('members.jws', await signed(memberKey), 0o644),
      BLINDER_STATE_DIR: join(folder, 'state'),
      BLINDER_PORT: '0',
    };
    good = {
      hub: { ...common, HUB_PORT: '0', PEOPLE_FILE: file('people.json', people(publicJwk(privateJwk())), 0o644) },
      worker: common,
      blinder,
      migrate: { MIGRATION_DATABASE_URL_FILE: file('owner-url', db.ownerUrl) },
      cli: {},
    };
  });
  afterAll(async () => {
    await db?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a process until it ends; one that serves is then asked to stop. */
  const run = (part: Part, env: Record<string, string>, args: string[] = []) => {
    const child = fork(MAIN[part], args, {
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let output = '';
    let ready = false;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => (output += text.toString()));
    child.on('message', () => {
      ready = true;
      child.kill('SIGTERM');
    });
    return new Promise<{ code: number | null; ready: boolean; output: string }>((resolve) =>
      child.once('close', (code) => resolve({ code, ready, output })),
    );
  };

  it.each(['hub', 'worker', 'blinder'] as const)(
    'the %s serves with real keys, and logs none of them',
    async (part) => {
      const { code, ready, output } = await run(part, good[part]);
      expect({ code, ready, output }).toMatchObject({ code: 0, ready: true });
      const { password } = new URL(db.url);
      for (const secret of [(JSON.parse(signingKey) as { d: string }).d, seed, password])
        expect(output).not.toContain(secret);
    },
  );

  it('the schema is brought up to date', async () => {
    expect(await run('migrate', good.migrate)).toMatchObject({ code: 0 });
  });

  const markedUrl = `postgres://bongsu:${DEVELOPMENT_MARK}-hush@127.0.0.1:9/bongsu`;
  it.each<[Part, string, () => Promise<Record<string, string>> | Record<string, string>]>([
    ['hub', 'HUB_SIGNING_KEY', () => ({ HUB_SIGNING_KEY_FILE: file('marked.jwk', marked(signingKey)) })],
    ['hub', 'PEOPLE_FILE', () => ({ PEOPLE_FILE: file('marked-people', people(markedForDevelopment(memberKey))) })],
    ['worker', 'DATABASE_URL', () => ({ DATABASE_URL_FILE: file('marked-url', markedUrl) })],
    ['migrate', 'MIGRATION_DATABASE_URL', () => ({ MIGRATION_DATABASE_URL_FILE: file('marked-url', markedUrl) })],
    ['blinder', 'BLINDER_KEY', () => ({ BLINDER_KEY_FILE: file('marked-seed', `${DEVELOPMENT_MARK}:${seed}`) })],
    [
      'blinder',
      'BLINDER_ALLIANCE_KEY',
      () => ({ BLINDER_ALLIANCE_KEY_FILE: file('marked-alliance', marked(JSON.stringify(publicPart(alliance)))) }),
    ],
    [
      'blinder',
      'BLINDER_MEMBERS_FILE',
      async () => ({ BLINDER_MEMBERS_FILE: file('marked.jws', await signed(markedForDevelopment(memberKey))) }),
    ],
  ])('the %s refuses a %s made for development', async (part, where, change) => {
    const { code, ready, output } = await run(part, { ...good[part], ...(await change()) });
    expect({ code, ready }).toEqual({ code: 1, ready: false });
    expect(output).toMatch(new RegExp(`${where}.*made for development`));
    expect(output).not.toContain(seed);
    expect(output).not.toContain(`${DEVELOPMENT_MARK}-hush`);
  });

  it('a secret’s file that everybody can open is refused', async () => {
    const open = { BLINDER_KEY_FILE: file('open-seed', seed, 0o644) };
    const { code, output } = await run('blinder', { ...good.blinder, ...open });
    expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching('BLINDER_KEY_FILE.*open to everybody') });
  });

  it.each(['start', 'demo', 'migrate'])('npm run %s does not make keys of its own', async (command) => {
    const { code, output } = await run('cli', {}, [command]);
    expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/refused with NODE_ENV=production/) });
  });
});
