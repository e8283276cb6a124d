import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { DoorError, encodeToken, type RecommendationPayload, type Rung } from '@app/member-sdk';
import { SwitchBoard } from '../state/switches.js';
import { Actor, type ActingRules } from './actor.js';
import { callHook, type HookConfig, type HookRequest, type HookResult } from './hook.js';
import { EVIDENCE_MS, Journal, type JournalEntry } from './journal.js';
import { Reporter } from './reporter.js';

const TOKEN = encodeToken(new Uint8Array(32).fill(5));
const EXECUTED: HookResult = { kind: 'answered', outcomes: [{ outcome: 'executed' }] };
const HOOK: HookConfig = { url: 'http://unused', timeoutMs: 1000, idempotent: true };

function received(id: string, rung: Rung = 'warn', supersedes: string | null = null): JournalEntry {
  const payload = {
    recommendation_id: id,
    rung,
    supersedes,
    deadline: '2026-06-09T00:00:00Z',
  } as RecommendationPayload;
  return { t: 'received', at: 1, jti: `jti-${id}`, id, token: TOKEN, set: 'set', payload };
}

describe('acting', () => {
  let dir: string;
  let journal: Journal;
  let time: number;
  let stopped: boolean;
  let calls: HookRequest[];
  const notes: string[] = [];
  const rules = (extra: Partial<ActingRules> = {}): ActingRules => ({
    mode: 'live', expire: 'hold', capPerHour: 20, hook: HOOK, ...extra,
  }); // prettier-ignore
  const actor = (r: ActingRules, call: () => Promise<HookResult> = async () => EXECUTED, known = true) =>
    new Actor(r, {
      journal,
      member: 'upbit',
      accessKeyOf: () => (known ? 'AK' : undefined),
      stopped: () => stopped,
      now: () => time,
      note: (text) => notes.push(text),
      call: (_, body) => (calls.push(body), call()),
    });
  const reopen = async () => {
    await journal.close();
    journal = await Journal.open(join(dir, 'journal.jsonl'));
  };
  const state = (id: string) => journal.cases.get(id)!.state;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'acting-'));
    journal = await Journal.open(join(dir, 'journal.jsonl'));
    time = 1_000_000_000;
    stopped = false;
    calls = [];
  });
  afterEach(async () => {
    await journal.close().catch(() => {});
    await rm(dir, { recursive: true, force: true });
  });

  it('calls the hook once, with the key and the recommendation as idempotency key', async () => {
    await journal.write(received('r1'));
    const a = actor(rules());
    await a.round();
    await a.round();
    await reopen();
    await actor(rules()).round();
    expect(calls).toMatchObject([{ idempotency_key: 'r1', recommendation_id: 'r1', access_key: 'AK', rung: 'warn' }]);
    expect(journal.cases.get('r1')!.outcomes).toMatchObject([{ outcome: 'executed', by: 'hook', reported: false }]);
  });

  it.each([
    ['in dry-run', { mode: 'dry-run' as const }, 'warn', 'dry-run'],
    ['without a hook', { hook: null }, 'warn', 'no hook'],
    ['an expire that a person must release', {}, 'expire', 'held for a person'],
    ['above the hourly cap', { capPerHour: 0 }, 'warn', 'hourly cap'],
  ] as const)('does nothing %s, and says why', async (_, extra, rung, why) => {
    await journal.write(received('r1', rung));
    const a = actor(rules(extra));
    await a.round();
    expect(calls).toHaveLength(0);
    expect(a.waitsFor(journal.cases.get('r1')!)).toBe(why);
  });

  it('halts at once while stopped', async () => {
    await journal.write(received('r1'), received('r2'));
    const a = actor(rules(), async () => ((stopped = true), EXECUTED));
    await a.round();
    expect(calls).toHaveLength(1);
    stopped = false;
    await a.round();
    expect(calls).toHaveLength(2);
  });

  it('acts on no more than the cap in any hour', async () => {
    await journal.write(...Array.from({ length: 5 }, (_, i) => received(`r${i}`)));
    const a = actor(rules({ capPerHour: 2 }));
    await a.round();
    expect(calls).toHaveLength(2);
    time += 3_600_001;
    await a.round();
    expect(calls).toHaveLength(4);
  });

  it('lets an expire go once a person has released it', async () => {
    await journal.write(received('r1', 'expire'));
    const switches = new SwitchBoard(dir);
    await switches.give('r1', { order: 'release' });
    await switches.obey(journal, time);
    await actor(rules()).round();
    expect(state('r1')).toBe('done');
  });

  it('declines a key that is not its own', async () => {
    await journal.write(received('r1'));
    await actor(rules(), undefined, false).round();
    expect(journal.cases.get('r1')!.outcomes).toMatchObject([
      { outcome: 'declined', reason: 'key_unknown', by: 'agent' },
    ]);
  });

  it('drops one that a later one replaces before anything was done', async () => {
    await journal.write(received('r1'), received('r2', 'reverify', 'r1'));
    await actor(rules()).round();
    expect(calls.map((c) => c.recommendation_id)).toEqual(['r2']);
    expect(state('r1')).toBe('superseded');
  });

  describe('after a kill between intent and result', () => {
    beforeEach(() => journal.write(received('r1'), { t: 'intent', at: 2, id: 'r1' }));

    it('calls a hook that honours the key again, with the same key', async () => {
      await reopen();
      await actor(rules()).round();
      expect(calls).toMatchObject([{ idempotency_key: 'r1' }]);
      expect(state('r1')).toBe('done');
    });

    it('asks a person about any other hook, who settles it', async () => {
      await reopen();
      const a = actor(rules({ hook: { ...HOOK, idempotent: false } }));
      await a.round();
      await a.round();
      expect(calls).toHaveLength(0);
      expect(a.waitsFor(journal.cases.get('r1')!)).toBe('a person is asked');
      const switches = new SwitchBoard(dir);
      await switches.give('r1', {
        order: 'settle',
        outcome: { outcome: 'executed', reason: null, note: 'seen in the log' },
      });
      await switches.obey(journal, time);
      expect(journal.cases.get('r1')).toMatchObject({
        state: 'done',
        outcomes: [{ by: 'person', outcome: 'executed' }],
      });
    });
  });

  it.each([
    ['undone', true, 'waiting'],
    ['undone', false, 'waiting'],
    ['uncertain', true, 'waiting'],
    ['uncertain', false, 'asking'],
  ] as const)('after a call that is %s (idempotent: %s) is %s', async (kind, idempotent, expected) => {
    await journal.write(received('r1'));
    const a = actor(rules({ hook: { ...HOOK, idempotent } }), async () => ({ kind, message: 'no' }));
    await a.round();
    expect(state('r1')).toBe(expected);
    expect(a.waitsFor(journal.cases.get('r1')!)).toBe(
      expected === 'waiting' ? 'trying again later' : 'a person is asked',
    );
  });

  it('cuts off a torn last line of the journal', async () => {
    await journal.write(received('r1'));
    await journal.close();
    const path = join(dir, 'journal.jsonl');
    await writeFile(path, `${await readFile(path, 'utf8')}{"t":"intent","id":"r`);
    journal = await Journal.open(path);
    expect(state('r1')).toBe('waiting');
    await actor(rules()).round();
    await reopen();
    expect(state('r1')).toBe('done');
  });

  describe('a journal that is made short', () => {
    const ids = fc.constantFrom('r1', 'r2', 'r3');
    const at = fc.integer({ min: 1, max: 1_000 });
    const outcomes = [{ outcome: 'executed' as const, reason: null, note: null, at: 5 }];
    const entries: fc.Arbitrary<JournalEntry[]> = fc.array(
      fc.oneof(
        fc.tuple(ids, fc.option(ids)).map(([id, other]) => received(id, 'warn', other)),
        fc
          .tuple(fc.constantFrom('intent' as const, 'released' as const), ids, at)
          .map(([t, id, at]) => ({ t, id, at })),
        fc
          .tuple(fc.constantFrom('undone' as const, 'uncertain' as const), ids, at)
          .map(([t, id, at]) => ({ t, id, at, message: 'm' })),
        fc.tuple(ids, at).map(([id, at]) => ({ t: 'result' as const, id, at, by: 'hook' as const, outcomes })),
        fc.tuple(ids, at).map(([id, at]) => ({ t: 'reported' as const, id, at, index: 0 })),
        at.map((n) => ({ t: 'noticed' as const, at: n, jti: `n${n}`, event: 'e' })),
      ),
      { maxLength: 30 },
    );
    const known = (j: Journal) => ({ cases: [...j.cases], intents: [...j.intents].sort((a, b) => a - b) });

    it('knows all that it knew, and goes on as the long one would', async () => {
      const short = join(dir, 'short.jsonl');
      await fc.assert(
        fc.asyncProperty(entries, entries, async (before, after) => {
          for (const path of [short, join(dir, 'long.jsonl')]) await rm(path, { force: true });
          const long = await Journal.open(join(dir, 'long.jsonl'));
          let other = await Journal.open(short);
          for (const j of [long, other]) for (const entry of structuredClone(before)) await j.write(entry);
          await other.close();
          other = await Journal.openShort(short, 2_000, -1_000);
          expect(known(other)).toEqual(known(long));
          for (const entry of before) if ('jti' in entry) expect(other.has(entry.jti)).toBe(true);
          for (const j of [long, other]) for (const entry of structuredClone(after)) await j.write(entry);
          expect(known(other)).toEqual(known(long));
          await long.close();
          await other.close();
        }),
        { numRuns: 30 },
      );
    });

    it('keeps the evidence of two years, and of older ones that they came', async () => {
      await journal.write(received('r1'), { t: 'result', at: 2, id: 'r1', by: 'hook', outcomes });
      await journal.write({ t: 'reported', at: 2, id: 'r1', index: 0 }, received('r2'));
      for (let i = 0; i < 50; i++) await journal.write({ t: 'undone', at: 3, id: 'r2', message: 'away' });
      await journal.close();
      const path = join(dir, 'journal.jsonl');
      journal = await Journal.openShort(path, EVIDENCE_MS, 10);
      expect([...journal.cases.keys()]).toEqual(['r1', 'r2']);
      expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(2);
      await journal.close();
      journal = await Journal.openShort(path, EVIDENCE_MS + 2, -10);
      expect([...journal.cases.keys()]).toEqual(['r2']);
      await journal.write({ ...received('r1'), jti: 'again' } as JournalEntry);
      expect([...journal.cases.keys()]).toEqual(['r2']);
      expect(journal.has('jti-r1')).toBe(true);
    });
  });

  describe('reporting', () => {
    const followed: HookResult = {
      kind: 'answered',
      outcomes: [{ outcome: 'executed' }, { outcome: 'upheld', note: 'admitted', afterSeconds: 60 }],
    };

    it('reports each outcome once, follow-ups when they are due', async () => {
      await journal.write(received('r1'));
      await actor(rules(), async () => followed).round();
      const reports: string[] = [];
      const hub = { reportOutcome: async (r: { outcome: string }) => void reports.push(r.outcome) };
      const reporter = new Reporter(hub, journal, () => time, () => {}); // prettier-ignore
      await reporter.round();
      await reporter.round();
      expect(reports).toEqual(['executed']);
      time += 60_000;
      await reopen();
      await new Reporter(hub, journal, () => time, () => {}).round(); // prettier-ignore
      expect(reports).toEqual(['executed', 'upheld']);
    });

    it('keeps outcomes while the hub is away, and lets go of one that it refuses', async () => {
      await journal.write(received('r1'));
      await actor(rules()).round();
      let error: DoorError | null = new DoorError('hub', 'UNREACHABLE', 'away');
      const hub = { reportOutcome: async () => (error ? Promise.reject(error) : undefined) };
      const fresh = () => new Reporter(hub, journal, () => time, () => {}); // prettier-ignore
      await fresh().round();
      expect(fresh().due).toBe(1);
      error = new DoorError('hub', 'OUTCOME_CONFLICT', 'was declined');
      await fresh().round();
      expect(fresh().due).toBe(0);
      expect(journal.cases.get('r1')!.outcomes[0]!.refused).toMatch(/OUTCOME_CONFLICT/);
    });
  });
});

describe('a hook', () => {
  const body = { idempotency_key: 'r1', access_key: 'AK' } as HookRequest;
  let server: Server;
  let answer: { status: number; text: string };
  let seen: { key: string | undefined; body: unknown }[];
  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += String(chunk)));
      request.on('end', () => {
        seen.push({ key: request.headers['idempotency-key'] as string, body: JSON.parse(text) });
        response.writeHead(answer.status).end(answer.text);
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterEach(() => void server.close());
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const post = (status: number, text = '') => {
    answer = { status, text };
    return callHook({ url: url(), timeoutMs: 2000, idempotent: false }, body);
  };

  it('is called by POST with the key in header and body', async () => {
    expect(await post(200)).toEqual(EXECUTED);
    expect(seen).toMatchObject([{ key: 'r1', body: { idempotency_key: 'r1', access_key: 'AK' } }]);
  });

  it.each([
    [
      200,
      '{"outcome":"declined","reason":"corporate","followUps":[]}',
      { kind: 'answered', outcomes: [{ outcome: 'declined', reason: 'corporate' }] },
    ],
    [
      200,
      '{"outcome":"executed","followUps":[{"outcome":"upheld"}]}',
      { kind: 'answered', outcomes: [{ outcome: 'executed' }, { outcome: 'upheld' }] },
    ],
    [200, '{"outcome":"declined"}', { kind: 'answered', outcomes: [{ outcome: 'declined', reason: 'other' }] }],
    [200, '{"outcome":"perhaps"}', { kind: 'uncertain' }],
    [200, '{"outcome":"executed","followUps":[{"outcome":"no"}]}', { kind: 'uncertain' }],
    [404, 'no', { kind: 'undone' }],
    [500, 'no', { kind: 'uncertain' }],
  ])('that answers %s %s is understood', async (status, text, expected) => {
    expect(await post(status, text)).toMatchObject(expected);
  });

  it('that is not there has done nothing', async () => {
    const gone = url();
    server.close();
    expect(await callHook({ url: gone, timeoutMs: 500, idempotent: false }, body)).toMatchObject({ kind: 'undone' });
    expect(await callHook({ command: ['/no/such/program'], timeoutMs: 500, idempotent: false }, body)).toMatchObject({
      kind: 'undone',
    });
  });

  it.each(['url', 'command'] as const)('that does not answer in time may have acted: %s', async (kind) => {
    server.removeAllListeners('request').on('request', () => {});
    // What the command started holds its output open, and must not hold the agent.
    const command = ['/bin/sh', '-c', 'sleep 60 & sleep 60'];
    const config = { ...(kind === 'url' ? { url: url() } : { command }), timeoutMs: 200, idempotent: false };
    const result = await callHook(config, body);
    expect(result).toMatchObject({ kind: 'uncertain', message: expect.stringMatching(/within 0.2 s/) as unknown });
    server.closeAllConnections();
  });

  it('may leave a program behind that holds its output open', async () => {
    const command = ['/bin/sh', '-c', 'sleep 5 & echo \'{"outcome":"executed"}\''];
    expect(await callHook({ command, timeoutMs: 4_000, idempotent: false }, body)).toMatchObject(EXECUTED);
  });

  it('may be a command, given JSON on standard input and no environment but the path', async () => {
    process.env['BONGSU_SPEC_SECRET'] = 'secret';
    const script =
      'let t="";process.stdin.on("data",d=>t+=d).on("end",()=>console.log(JSON.stringify({outcome:"declined",reason:"other",note:JSON.parse(t).access_key+process.env.BONGSU_SPEC_SECRET})))';
    const result = await callHook(
      { command: [process.execPath, '-e', script], timeoutMs: 10_000, idempotent: false },
      body,
    );
    expect(result).toMatchObject({ kind: 'answered', outcomes: [{ outcome: 'declined', note: 'AKundefined' }] });
    const failed = await callHook(
      { command: [process.execPath, '-e', 'process.exit(3)'], timeoutMs: 10_000, idempotent: false },
      body,
    );
    expect(failed).toMatchObject({ kind: 'uncertain', message: expect.stringMatching(/exit code 3/) as unknown });
  });
});
