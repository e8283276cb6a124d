import { blind, finalize } from '@app/blinding';
import { appendFileSync } from 'node:fs';
import { request } from 'node:http';
import { BongsuError } from '@app/protocol';
import { encodeBytes } from './elements.js';
import type { Evaluator } from './evaluator.js';
import { ask, NOON, openTestBlinder, TestCaller } from './testing.js';

const upbit = new TestCaller('upbit');
const korbit = new TestCaller('korbit', 'EdDSA');
const auditor = new TestCaller('auditor@alliance');

type TestBlinder = Awaited<ReturnType<typeof openTestBlinder>>;

const bytes = (text: string): Uint8Array => Buffer.from(text, 'base64url');
const someElements = (count: number): string[] =>
  Array<string>(count).fill(encodeBytes(blind([Buffer.from('203.0.113.7')]).blinded[0]!));

let blinder: TestBlinder;
afterEach(async () => blinder.close());

const evaluate = async (token: string | undefined, body: unknown) => ask(`${blinder.url}/v1/evaluate`, token, body);

describe('the evaluation', () => {
  it('gives every member the same output for the same input, proven for the published key', async () => {
    blinder = await openTestBlinder([upbit.entry(), korbit.entry()]);
    const published = (await ask(`${blinder.url}/v1/epochs`, undefined)).body.epochs;
    expect(published).toEqual([
      { epoch: 1, suite: 'ristretto255-SHA512', mode: 'VOPRF', publicKey: expect.any(String), state: 'active' },
    ]);
    const inputs = ['203.0.113.7', '198.51.100.9'].map((text) => Buffer.from(text));
    const outputs = [];
    for (const member of [upbit, korbit]) {
      const { state, blinded } = blind(inputs);
      const { status, body } = await evaluate(await member.token(NOON), {
        epoch: 1,
        elements: blinded.map(encodeBytes),
      });
      expect(status).toBe(200);
      expect(body.epoch).toBe(1);
      const key = bytes(published[0]!.publicKey);
      outputs.push(finalize(state, body.elements.map(bytes), bytes(body.proof), key));
    }
    expect(outputs[0]).toEqual(outputs[1]);
  });

  it('keeps its key across restarts and changes it with the epoch', async () => {
    const keys = [];
    for (const epoch of [1, 1, 2]) {
      blinder = await openTestBlinder([], { epoch });
      keys.push((await ask(`${blinder.url}/v1/epochs`, undefined)).body.epochs[0]!.publicKey);
      await blinder.close();
    }
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).not.toBe(keys[2]);
  });

  it('knows a member by either of the two keys of a change, whatever their kinds', async () => {
    const [next, third] = [new TestCaller('upbit', 'EdDSA'), new TestCaller('upbit')];
    blinder = await openTestBlinder([{ name: 'upbit', keys: [upbit.jwk, next.jwk] }]);
    const body = { epoch: 1, elements: someElements(1) };
    for (const key of [upbit, next]) {
      expect((await evaluate(await key.token(NOON), body)).status).toBe(200);
      expect((await evaluate(await key.token(NOON, { aud: 'other' }), body)).status).toBe(401);
    }
    expect((await evaluate(await third.token(NOON), body)).status).toBe(401);
  });

  it('answers its health to anyone and other paths with a code', async () => {
    blinder = await openTestBlinder([]);
    expect(await ask(`${blinder.url}/health`, undefined)).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await ask(`${blinder.url}/nowhere`, undefined)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await ask(`${blinder.url}/constructor`, undefined)).toMatchObject({ status: 404 });
    expect(await ask(`${blinder.url}/v1/evaluate`, undefined)).toMatchObject({ status: 405 });
  });
});

describe('a caller is refused', () => {
  const body = { epoch: 1, elements: someElements(1) };
  beforeEach(async () => {
    blinder = await openTestBlinder([upbit.entry(), korbit.entry()], { staff: [auditor.entry()] });
  });
  const unauthenticated = { status: 401, body: { code: 'UNAUTHENTICATED', message: 'A valid token is needed.' } };
  const now = NOON / 1000;

  it('without a token', async () => expect(await evaluate(undefined, body)).toMatchObject(unauthenticated));

  it('with a text that is no token', async () => expect(await evaluate('a.b.c', body)).toMatchObject(unauthenticated));

  it('unknown', async () =>
    expect(await evaluate(await new TestCaller('gopax').token(NOON), body)).toMatchObject(unauthenticated));

  it("under another member's name", async () => {
    const token = await korbit.token(NOON, { iss: 'upbit', sub: 'upbit' });
    expect(await evaluate(token, body)).toMatchObject(unauthenticated);
  });

  it.each([
    ['an expiry that has passed', { iat: now - 100, exp: now - 10 }],
    ['an issue time in the future', { iat: now + 60, exp: now + 120 }],
    ['a life above 120 s', { exp: now + 121 }],
    ['an issue time long past', { iat: now - 200, exp: now + 60 }],
    ['another audience', { aud: 'bongsu-hub' }],
    ['another subject', { sub: 'korbit' }],
    ['no audience', { aud: undefined }],
    ['no expiry', { exp: undefined }],
    ['no issue time', { iat: undefined }],
    ['no identifier', { jti: undefined }],
    ['an identifier that is no text', { jti: 7 }],
    ['an endless identifier', { jti: 'x'.repeat(129) }],
  ])('whose token has %s', async (_name, claims) => {
    expect(await evaluate(await upbit.token(NOON, claims), body)).toMatchObject(unauthenticated);
  });

  it('whose token names the algorithm "none" or one that does not fit its key', async () => {
    const [, payload, signature] = (await upbit.token(NOON)).split('.');
    for (const alg of ['none', 'HS256', 'EdDSA']) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
      expect(await evaluate(`${header}.${payload}.`, body)).toMatchObject(unauthenticated);
      expect(await evaluate(`${header}.${payload}.${signature}`, body)).toMatchObject(unauthenticated);
    }
  });

  it('whose token was used before, even when the first request was refused', async () => {
    for (const first of [body, { epoch: 9 }]) {
      const token = await upbit.token(NOON);
      await evaluate(token, first);
      expect(await evaluate(token, body)).toMatchObject(unauthenticated);
    }
  });

  it('who is staff and asks for an evaluation, or a member and asks for the audit', async () => {
    expect(await evaluate(await auditor.token(NOON), body)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(await ask(`${blinder.url}/v1/audit`, await upbit.token(NOON))).toMatchObject({ status: 403 });
  });
});

describe('a body is refused', () => {
  beforeEach(async () => {
    blinder = await openTestBlinder([upbit.entry()]);
  });
  const good = someElements(1)[0]!;
  const identity = encodeBytes(new Uint8Array(32));
  const offCurve = encodeBytes(new Uint8Array(32).fill(0xff));

  it.each([
    ['that is not JSON', 'elements', 400, 'BAD_INPUT'],
    ['that is no object', 'null', 400, 'BAD_INPUT'],
    ['without an epoch', { elements: [good] }, 400, 'BAD_INPUT'],
    ['for another epoch', { epoch: 2, elements: [good] }, 400, 'EPOCH_UNKNOWN'],
    ['without elements', { epoch: 1, elements: [] }, 400, 'BAD_INPUT'],
    ['with an element that is no text', { epoch: 1, elements: [7] }, 400, 'BAD_INPUT'],
    ['with padding', { epoch: 1, elements: [`${good}=`] }, 400, 'BAD_INPUT'],
    ['with 31 bytes', { epoch: 1, elements: [encodeBytes(new Uint8Array(31))] }, 400, 'BAD_INPUT'],
    ['with the identity', { epoch: 1, elements: [good, identity] }, 400, 'BAD_INPUT'],
    ['with no point', { epoch: 1, elements: [good, offCurve] }, 400, 'BAD_INPUT'],
    ['with 1,001 elements', { epoch: 1, elements: someElements(1001) }, 413, 'BATCH_TOO_LARGE'],
    ['above a mebibyte', ' '.repeat((1 << 20) + 1), 413, 'BATCH_TOO_LARGE'],
  ])('%s', async (_name, body, status, code) => {
    expect(await evaluate(await upbit.token(NOON), body)).toMatchObject({ status, body: { code } });
  });

  it('that never says how long it is and goes on', async () => {
    const token = await upbit.token(NOON);
    const status = await new Promise((resolve, reject) => {
      const out = request(
        `${blinder.url}/v1/evaluate`,
        { method: 'POST', headers: { authorization: `Bearer ${token}` } },
        (response) => resolve(response.statusCode),
      );
      out.on('error', reject);
      out.write(' '.repeat(1 << 20));
      out.write('  ');
    });
    expect(status).toBe(413);
  });

  it('but a thousand elements are taken', async () => {
    const { status, body } = await evaluate(await upbit.token(NOON), { epoch: 1, elements: someElements(1000) });
    expect(status).toBe(200);
    expect(body.elements).toHaveLength(1000);
  });
});

describe('the quota', () => {
  const batch = (count: number) => ({ epoch: 1, elements: someElements(count) });

  it('is per member and day, all or nothing, and whole again the next day', async () => {
    blinder = await openTestBlinder([upbit.entry(), korbit.entry({ dailyQuota: 3 })], { dailyQuota: 10 });
    expect(await evaluate(await upbit.token(NOON), batch(8))).toMatchObject({ status: 200 });
    const refused = await evaluate(await upbit.token(NOON), batch(3));
    expect(refused).toMatchObject({ status: 429, body: { code: 'QUOTA_EXCEEDED' } });
    expect(refused.headers.get('retry-after')).toBe(String(12 * 3600));
    expect(await evaluate(await upbit.token(NOON), batch(2))).toMatchObject({ status: 200 });
    expect(await evaluate(await korbit.token(NOON), batch(4))).toMatchObject({ status: 429 });
    expect(await evaluate(await korbit.token(NOON), batch(3))).toMatchObject({ status: 200 });
    blinder.clock.at += 12 * 3_600_000;
    expect(await evaluate(await upbit.token(blinder.clock.at), batch(10))).toMatchObject({ status: 200 });
  });

  it('and the tokens used survive a restart', async () => {
    blinder = await openTestBlinder([upbit.entry()], { dailyQuota: 10 });
    const { stateDir } = blinder.config;
    const token = await upbit.token(NOON);
    await evaluate(token, batch(8));
    await blinder.close();
    blinder = await openTestBlinder([upbit.entry()], { dailyQuota: 10, stateDir });
    expect(await evaluate(token, batch(1))).toMatchObject({ status: 401 });
    expect(await evaluate(await upbit.token(NOON), batch(3))).toMatchObject({ status: 429 });
    expect(await evaluate(await upbit.token(NOON), batch(2))).toMatchObject({ status: 200 });
  });

  it('is given back when the blinder itself could not evaluate, also in the counts that survive', async () => {
    const failing: Evaluator = {
      evaluate: () => Promise.reject(new BongsuError('UNAVAILABLE', 'Too many elements are waiting.')),
      close: () => Promise.resolve(),
    };
    blinder = await openTestBlinder([upbit.entry()], { dailyQuota: 10, evaluator: failing });
    const { stateDir } = blinder.config;
    const answer = await evaluate(await upbit.token(NOON), batch(8));
    expect(answer).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
    expect(answer.headers.get('retry-after')).toBe('5');
    await blinder.close();
    blinder = await openTestBlinder([upbit.entry()], { dailyQuota: 10, stateDir });
    expect(await evaluate(await upbit.token(NOON), batch(10))).toMatchObject({ status: 200 });
  });

  it('counts on behind a line that a crash left torn', async () => {
    blinder = await openTestBlinder([upbit.entry()], { dailyQuota: 10 });
    const { stateDir } = blinder.config;
    await blinder.close();
    appendFileSync(`${stateDir}/usage-2026-11-20.jsonl`, '{"member":"up');
    for (const status of [200, 429]) {
      blinder = await openTestBlinder([upbit.entry()], { dailyQuota: 10, stateDir });
      expect(await evaluate(await upbit.token(NOON), batch(6))).toMatchObject({ status });
      await blinder.close();
    }
  });

  it('stops one who works through a block of addresses, says so once in the log, and staff can read it', async () => {
    blinder = await openTestBlinder([upbit.entry(), korbit.entry()], { dailyQuota: 2000, staff: [auditor.entry()] });
    const blockSize = 2 ** 20; // a /12 of IPv4
    let evaluated = 0;
    let refused = 0;
    for (let asked = 0; asked < blockSize && refused < 3; asked += 1000) {
      const { status } = await evaluate(await upbit.token(NOON), batch(1000));
      if (status === 200) evaluated += 1000;
      else refused += 1;
    }
    expect(evaluated).toBe(2000);
    const alarms = blinder.logged.filter((line) => line['alarm'] === 'enumeration');
    expect(alarms).toMatchObject([{ member: 'upbit', used: 2000, quota: 2000, asked: 1000 }]);

    const { body } = await ask(`${blinder.url}/v1/audit?after=0&limit=3`, await auditor.token(NOON));
    expect(body).toMatchObject({
      day: '2026-11-20',
      usage: [{ member: 'upbit', used: 2000, quota: 2000 }],
      entries: [
        { seq: 1, kind: 'alarm', code: 'QUOTA_NEAR', caller: 'upbit', verified: true },
        { seq: 2, kind: 'alarm', code: 'QUOTA_EXCEEDED', caller: 'upbit', verified: true, elements: 1000 },
        { seq: 3, kind: 'refused', code: 'QUOTA_EXCEEDED', caller: 'upbit', at: '2026-11-20T12:00:00.000Z' },
      ],
      next: 3,
    });
    const rest = await ask(`${blinder.url}/v1/audit?after=3`, await auditor.token(NOON));
    expect(rest.body.entries.map((entry) => entry.seq)).toEqual([4, 5]);
    expect(await evaluate(await korbit.token(NOON), batch(1000))).toMatchObject({ status: 200 });
  });
});

describe('the audit', () => {
  it('names who was claimed in a refused token, as unverified, and bounds a flood', async () => {
    blinder = await openTestBlinder([upbit.entry()], { staff: [auditor.entry()] });
    const stranger = new TestCaller('upbit');
    for (let i = 0; i < 70; i++) await evaluate(await stranger.token(NOON), { epoch: 1 });
    blinder.clock.at += 60_000;
    await evaluate(undefined, { epoch: 1 });
    const { body } = await ask(`${blinder.url}/v1/audit?limit=1000`, await auditor.token(blinder.clock.at));
    expect(body.entries).toHaveLength(61);
    expect(body.entries[0]).toMatchObject({ kind: 'refused', caller: 'upbit', verified: false });
    expect(body.entries[60]).toMatchObject({ caller: null, verified: false, leftOut: 10 });
  });

  it('goes on with its numbers after a restart, behind a line that a crash left torn', async () => {
    blinder = await openTestBlinder([upbit.entry()], { staff: [auditor.entry()] });
    const { stateDir } = blinder.config;
    await evaluate(undefined, {});
    await blinder.close();
    appendFileSync(`${stateDir}/audit.jsonl`, '{"seq":2,"at":"20');
    blinder = await openTestBlinder([upbit.entry()], { stateDir, staff: [auditor.entry()] });
    await evaluate(undefined, {});
    const { body } = await ask(`${blinder.url}/v1/audit`, await auditor.token(NOON));
    expect(body.entries.map((entry) => entry.seq)).toEqual([1, 2]);
  });

  it('refuses a cursor that is none', async () => {
    blinder = await openTestBlinder([], { staff: [auditor.entry()] });
    const answer = await ask(`${blinder.url}/v1/audit?after=x`, await auditor.token(NOON));
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_INPUT', where: 'after' } });
  });
});
