import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { leaksIn, type LeakKind, type Unspeakable } from './support/leaks.js';

const DEMO = 'dist/apps/cli/src/main.js';
/** A demonstration takes about a minute of both cores of a small machine; a busy one several. */
const LONGEST_MS = 600_000;
const STOP_MS = 60_000;

/** A whole demonstration, as `npm run demo -- --keep` runs it, with everything that its processes say. */
class DemoRun {
  private readonly child: ChildProcess;
  output = '';
  folder = '';

  constructor() {
    const { NODE_OPTIONS: _jests, ...env } = process.env;
    this.child = spawn(process.execPath, [DEMO, 'demo', '--keep'], {
      env: { ...env, LOG_LEVEL: 'trace' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Waits for the end of the demonstration; everything then goes on running, and its folder is there. */
  async done(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const ended = () => reject(new Error(`the demonstration ended: ${this.output.slice(-2000)}`));
      this.child.once('close', ended);
      this.child.stdout!.on('data', () => {
        if (!this.output.includes('Ctrl-C stops all of it.')) return;
        this.child.off('close', ended);
        resolve();
      });
    });
    this.folder = dirname(/^credentials: (.+)$/m.exec(this.output)![1]!);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await closed;
    clearTimeout(timer);
  }

  /** What every process wrote, by the name of its log; and what the command itself printed. */
  logs(): Record<string, string> {
    const folder = join(this.folder, 'logs');
    const files = readdirSync(folder).map((name): [string, string] => [name, readFileSync(join(folder, name), 'utf8')]);
    return { ...Object.fromEntries(files), 'the command itself': this.output };
  }

  /** What else is written down beside the logs: PostgreSQL's log, the blinder's audit and journal. */
  records(): Record<string, string> {
    const paths = [join(this.folder, 'postgres', 'postgresql.log'), ...filesBelow(join(this.folder, 'blinder'))];
    return Object.fromEntries(paths.map((path) => [path.slice(this.folder.length), readFileSync(path, 'utf8')]));
  }
}

/** Every file below a folder but those of databases and of the population. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (['cluster', 'population', 'feed', 'logs'].includes(name)) return [];
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

/** The secrets of a run: private parts of every key file, and files that are one secret. */
function secretsOf(folder: string): string[] {
  return filesBelow(folder).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    const parts = [...text.matchAll(/"d"\s*:\s*"([\w-]{20,})"/g)].map((match) => match[1]!);
    const authorization = [...text.matchAll(/authori[sz]ation\w*['"]?\s*[:=]\s*['"]?([^'"\n]{12,})/gi)].map(
      (m) => m[1]!,
    );
    const whole = /(seed|password|secret)$/.test(path) ? [text.trim()] : [];
    return [...parts, ...authorization, ...whole];
  });
}

function populationOf(folder: string): Pick<Unspeakable, 'accessKeys' | 'owners' | 'ips'> {
  const accessKeys = new Set<string>();
  const owners = new Set<string>();
  const ips = new Set<string>();
  const members = readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory());
  for (const member of members) {
    const lines = (file: string) =>
      readFileSync(join(folder, member, file), 'utf8')
        .split('\n')
        .filter(Boolean);
    for (const line of lines('keys.jsonl')) {
      const key = JSON.parse(line) as { access_key: string; owner: string; allowed_ips: { ip: string }[] };
      accessKeys.add(key.access_key);
      owners.add(key.owner);
      for (const { ip } of key.allowed_ips) ips.add(ip);
    }
    for (const line of lines('usage.jsonl')) ips.add((JSON.parse(line) as { ip: string }).ip);
  }
  return { accessKeys: [...accessKeys], owners: [...owners], ips: [...ips] };
}

async function tokensOf(folder: string): Promise<Buffer[]> {
  const port = readFileSync(join(folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n')[3];
  const password = readFileSync(join(folder, 'postgres', 'password'), 'utf8');
  const client = new pg.Client({ connectionString: `postgres://postgres:${password}@127.0.0.1:${port}/bongsu` });
  await client.connect();
  try {
    const { rows } = await client.query<{ token: Buffer }>('SELECT token FROM tokens');
    return rows.map((row) => row.token);
  } finally {
    await client.end();
  }
}

describe('the logs of a whole demonstration', () => {
  const run = new DemoRun();
  let known: Unspeakable;

  beforeAll(async () => {
    await run.done();
    known = {
      secrets: secretsOf(run.folder),
      tokens: await tokensOf(run.folder),
      ...populationOf(join(run.folder, 'population')),
    };
  }, LONGEST_MS);
  afterAll(() => run.stop(), 2 * STOP_MS);

  it('are those of every process, and what must not be in them is known', () => {
    const logs = run.logs();
    expect(Object.keys(logs).sort()).toEqual(
      [
        ...['upbit', 'bithumb', 'coinone', 'korbit', 'gopax'].map((member) => `agent-${member}.log`),
        'blinder.log',
        'hub.log',
        'the command itself',
        'worker.log',
      ].sort(),
    );
    for (const [name, text] of Object.entries(logs))
      expect({ name, silent: text === '' }).toEqual({ name, silent: false });
    // Hub, staff, regulator and five members have a key each; then the seed and the passwords of the database.
    expect(known.secrets.length).toBeGreaterThanOrEqual(11);
    expect(known.secrets.every((secret) => secret.length >= 12)).toBe(true);
    expect(known.tokens.length).toBeGreaterThan(1000);
    expect(known.accessKeys.length).toBeGreaterThan(500);
    expect(known.owners.length).toBeGreaterThan(300);
    expect(known.ips.length).toBeGreaterThan(300);
  });

  it('hold no secret, no token, no raw key, address or person', () => {
    for (const [name, text] of Object.entries({ ...run.logs(), ...run.records() }))
      expect({ name, leaks: leaksIn(text, known).slice(0, 5) }).toEqual({ name, leaks: [] });
  });

  it('would be seen to hold each of them', () => {
    const token = known.tokens.at(-1)!;
    const lines: Record<LeakKind, string> = {
      jwt: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZW1iZXI6eCJ9.c2lnbmF0dXJl',
      'private key': '{\\"kty\\":\\"EC\\",\\"d\\":\\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\\"}',
      'authorization header': 'DPoP abcdefgh12345678',
      'password in a url': 'postgres://bongsu:pass-word@127.0.0.1:5432/bongsu',
      secret: known.secrets.at(-1)!,
      'token, base64url': token.toString('base64url'),
      'token, hex': token.toString('hex'),
      'access key': known.accessKeys.at(-1)!,
      owner: known.owners.at(-1)!,
      ip: known.ips.at(-1)!,
    };
    for (const [kind, text] of Object.entries(lines)) {
      const line = `{"level":30,"service":"hub","msg":"something (${text}) happened"}`;
      expect({ kind, found: leaksIn(`{}\n${line}\n`, known).map((leak) => leak.kind) }).toEqual({
        kind,
        found: expect.arrayContaining([kind]),
      });
    }
    for (const secret of known.secrets) expect(leaksIn(`x ${secret}`, known)).not.toEqual([]);
  });
});
