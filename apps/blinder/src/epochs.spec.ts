import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blind, finalize } from '@app/blinding';
import { encodeBytes } from './elements.js';
import { ask, NOON, openTestBlinder, scratch, TestCaller } from './testing.js';

const upbit = new TestCaller('upbit');
const kim = new TestCaller('kim@alliance');
const DAY_MS = 86_400_000;

type TestBlinder = Awaited<ReturnType<typeof openTestBlinder>>;

describe('keys of several epochs', () => {
  let blinder: TestBlinder;
  let stateDir: string;
  let seedFile: string;

  const open = async (change: { dailyQuota?: number } = {}) => {
    const there = existsSync(seedFile);
    const seed = there ? new Uint8Array(Buffer.from(readFileSync(seedFile, 'utf8').trim(), 'hex')) : undefined;
    blinder = await openTestBlinder([upbit.entry()], {
      staff: [kim.entry()], stateDir, seedFile, seed: seed!, ...change,
    }); // prettier-ignore
  };
  beforeEach(async () => {
    stateDir = join(scratch(), 'state');
    seedFile = join(scratch(), 'blinder.seed');
    writeFileSync(seedFile, `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    await open();
  });
  afterEach(() => blinder.close());

  const now = () => blinder.clock.at;
  const staff = async (method: string, path: string) =>
    ask(`${blinder.url}/v1/epochs${path}`, await kim.token(now()), undefined, method);
  const listed = async () =>
    (await ask(`${blinder.url}/v1/epochs`, undefined)).body.epochs.map((one) => `${one.epoch} ${one.state}`);
  const evaluate = async (epoch: number, count = 1) => {
    const { state, blinded } = blind(Array.from({ length: count }, (_, i) => Buffer.from(`value ${i}`)));
    const answer = await ask(`${blinder.url}/v1/evaluate`, await upbit.token(now()), {
      epoch,
      elements: blinded.map(encodeBytes),
    });
    return { ...answer, state };
  };
  const tokens = async (epoch: number) => {
    const key = (await ask(`${blinder.url}/v1/epochs`, undefined)).body.epochs.find((one) => one.epoch === epoch)!;
    const { body, state } = await evaluate(epoch, 2);
    const bytes = (text: string) => Buffer.from(text, 'base64url');
    return finalize(state, body.elements.map(bytes), bytes(body.proof), bytes(key.publicKey)).map(encodeBytes);
  };
  const audit = async () =>
    (await ask(`${blinder.url}/v1/audit`, await kim.token(now()))).body.entries.map((one) => `${one.kind} ${one.code}`);

  it('are prepared by staff, side by side, and kept over a restart', async () => {
    const first = await tokens(1);
    const { status, body } = await staff('POST', '');
    expect([status, body]).toMatchObject([201, { epoch: 2, state: 'announced' }]);
    expect((await staff('POST', '')).status).toBe(200);
    expect(await listed()).toEqual(['1 active', '2 announced']);
    const file = join(stateDir, 'keys', 'epoch-2.seed');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = await tokens(2);
    expect(second).not.toEqual(first);
    await blinder.close();
    await open();
    expect([await tokens(1), await tokens(2)]).toEqual([first, second]);
    expect(await audit()).toEqual(['done EPOCH_PREPARED']);
  });

  it('are no member’s to make, activate or destroy', async () => {
    for (const [method, path] of [
      ['POST', ''],
      ['POST', '/2/activate'],
      ['DELETE', '/1'],
    ] as const) {
      const url = `${blinder.url}/v1/epochs${path}`;
      expect((await ask(url, undefined, undefined, method)).status).toBe(401);
      expect((await ask(url, await upbit.token(now()), undefined, method)).status).toBe(403);
    }
    expect(await listed()).toEqual(['1 active']);
  });

  it('are destroyed once another has followed: on disk, in memory, and in the audit', async () => {
    expect((await staff('DELETE', '/1')).body).toMatchObject({ code: 'BAD_INPUT' });
    await staff('POST', '');
    expect((await staff('DELETE', '/2')).body).toMatchObject({ code: 'BAD_INPUT' });
    expect((await staff('POST', '/3/activate')).body).toMatchObject({ code: 'EPOCH_UNKNOWN' });
    await staff('POST', '/2/activate');
    expect(await listed()).toEqual(['1 retired', '2 active']);
    expect((await staff('POST', '/1/activate')).body).toMatchObject({ code: 'BAD_INPUT' });
    expect((await evaluate(1)).status).toBe(200);

    const { body } = await staff('DELETE', '/1');
    expect(body.destroyed).toMatchObject({
      epoch: 1, by: 'kim@alliance', at: new Date(NOON).toISOString(), auditSeq: 3,
    }); // prettier-ignore
    expect((await staff('DELETE', '/1')).body).toEqual(body);
    expect(existsSync(seedFile)).toBe(false);
    expect((await evaluate(1)).body).toMatchObject({ code: 'EPOCH_UNKNOWN' });
    const second = await tokens(2);
    await blinder.close();
    await open();
    expect(await listed()).toEqual(['1 destroyed', '2 active']);
    expect(await tokens(2)).toEqual(second);
    expect(await audit()).toEqual([
      'done EPOCH_PREPARED', 'done EPOCH_ACTIVATED', 'done EPOCH_DESTROYED', 'refused EPOCH_UNKNOWN',
    ]); // prettier-ignore
    expect(readdirSync(join(stateDir, 'keys')).sort()).toEqual(['epoch-2.seed', 'epochs.json']);
  });

  it('let a member re-enrol as much as it has used before, beside the day’s quota and no more', async () => {
    await blinder.close();
    await open({ dailyQuota: 400 });
    await evaluate(1, 400);
    blinder.clock.at += DAY_MS;
    await evaluate(1, 400);
    await staff('POST', '');
    // 1.25 times 800 elements.
    for (let i = 0; i < 10; i++) expect((await evaluate(2, 100)).status).toBe(200);
    expect(await evaluate(2)).toMatchObject({ status: 429, body: { code: 'QUOTA_EXCEEDED' } });
    await blinder.close();
    await open({ dailyQuota: 400 });
    blinder.clock.at += 2 * DAY_MS;
    expect((await evaluate(2)).status).toBe(429);
    // The day's own quota is not touched by it.
    expect((await evaluate(1, 400)).status).toBe(200);
  });

  it('warn early of a day that is far from the usual', async () => {
    await blinder.close();
    await open({ dailyQuota: 400 });
    for (let day = 0; day < 7; day++) {
      await evaluate(1, 200);
      blinder.clock.at += DAY_MS;
    }
    await evaluate(1, 330);
    // Within three times the usual: no jump.
    expect(await audit()).toEqual([]);
    blinder.clock.at += 7 * DAY_MS;
    await evaluate(1, 319);
    await evaluate(1, 1);
    await evaluate(1, 1);
    expect(await audit()).toEqual(['alarm QUOTA_NEAR']);
  });
});
