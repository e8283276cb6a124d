import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { generateKeyPair } from 'jose';
import { Agent } from '../agent.js';
import { RunLoop } from '../run-loop.js';
import { Bench } from '../testing/bench.js';
import { Poller } from './poller.js';

const AUTHORIZATION = 'Bearer a-secret-of-the-member';

describe('receiving', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
    bench.config.listen = { host: '127.0.0.1', port: 0 };
    bench.config.inputs = [{ kind: 'usage', path: bench.path('usage.jsonl') }];
    const line = {
      hour: '2026-06-01T00:00:00Z', access_key: 'AK-1', ip: '203.0.113.9', client: 'c', network: 'hosting',
      requests: 1, orders: 1, rejected: 0, active_slots: 1, burst_slots: 0,
    }; // prettier-ignore
    await writeFile(bench.path('usage.jsonl'), `${JSON.stringify(line)}\n`);
  });
  afterEach(() => bench.stop());

  const until = async (what: () => boolean | Promise<boolean>) => {
    for (let i = 0; i < 300 && !(await what()); i++) await new Promise((next) => setTimeout(next, 20));
    expect(await what()).toBe(true);
  };
  const keyToken = () => [...bench.hub.batches.values()][0]!.rows.observations[0]!.key;

  describe('by push', () => {
    let agent: Agent;
    let loop: RunLoop;
    beforeEach(async () => {
      bench.config.receive = 'push';
      bench.config.pushAuthorization = AUTHORIZATION;
      agent = await bench.open();
      loop = new RunLoop(agent, bench.note);
      await loop.start();
      await until(() => bench.hub.batches.size > 0 && agent.caughtUp());
    });
    afterEach(() => loop.stop());

    const push = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${loop.url}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/secevent+jwt', authorization: AUTHORIZATION, ...headers },
        body,
      });

    it('takes an event with 202 and no body, and again when it comes again', async () => {
      const set = await bench.hub.recommend('upbit', keyToken(), 'r1');
      for (let i = 0; i < 2; i++) {
        const answer = await push(set);
        expect(answer.status).toBe(202);
        expect(await answer.text()).toBe('');
      }
      expect(agent.journal.cases.size).toBe(1);
      expect(agent.journal.cases.get('r1')).toMatchObject({ set, state: 'waiting' });
    });

    it.each([
      ['another Authorization', {}, { authorization: 'Bearer wrong' }, 'authentication_failed'],
      ['another content type', {}, { 'content-type': 'application/json' }, 'invalid_request'],
      ['another issuer', { issuer: 'https://other' }, {}, 'invalid_issuer'],
      ['a key that is not published', { kid: 'other' }, {}, 'invalid_key'],
    ])('refuses an event with %s', async (_, options, headers, err) => {
      const answer = await push(
        await bench.hub.recommend('upbit', keyToken(), 'r1', options),
        headers as Record<string, string>,
      );
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ err, description: expect.any(String) as unknown });
      expect(agent.journal.cases.size).toBe(0);
    });

    it('refuses a forged signature, another audience, and what is no event', async () => {
      const { privateKey } = await generateKeyPair('ES256');
      for (const [set, err] of [
        [await bench.hub.recommend('upbit', keyToken(), 'r1', { key: privateKey }), 'authentication_failed'],
        [await bench.hub.recommend('bithumb', keyToken(), 'r1'), 'invalid_audience'],
        ['nonsense', 'invalid_request'],
        ['x'.repeat(300_000), 'invalid_request'],
      ] as const)
        expect(await (await push(set)).json()).toMatchObject({ err });
      expect(agent.journal.cases.size).toBe(0);
    });

    it('tells its status on the same door', async () => {
      const status = (await (await fetch(`${loop.url}/status`)).json()) as Record<string, unknown>;
      expect(status).toMatchObject({ caughtUp: true, member: 'upbit', received: 0, sent: { accepted: 1 } });
      expect((await fetch(`${loop.url}/other`)).status).toBe(404);
    });
  });

  it('by polling: journals, then acknowledges, acts and reports', async () => {
    const hooked: string[] = [];
    const hook = createServer((request, response) => {
      hooked.push(request.headers['idempotency-key'] as string);
      response.end('{"outcome":"declined","reason":"corporate"}');
    });
    await new Promise<void>((done) => hook.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    bench.config.acting = {
      mode: 'live', expire: 'hold', capPerHour: 5,
      hook: { url, timeoutMs: 1000, idempotent: true },
    }; // prettier-ignore
    const agent = await bench.open();
    await bench.pushAll(agent);
    bench.hub.events.set('jti-r1', await bench.hub.recommend('upbit', keyToken(), 'r1'));
    bench.hub.events.set('bad', 'nonsense');
    const poller = new Poller(agent.doors.hub, agent.receiver, bench.note);
    expect(await poller.round(0)).toBe(2);
    expect(bench.hub.acknowledged).toEqual(['jti-r1']);
    expect(bench.hub.setErrs).toMatchObject([{ bad: { err: 'invalid_request' } }]);
    await agent.actAndReport();
    await agent.actAndReport();
    expect(hooked).toEqual(['r1']);
    expect(bench.hub.outcomes).toMatchObject([{ recommendationId: 'r1', outcome: 'DECLINED', reason: 'CORPORATE' }]);
    await agent.close();
    hook.close();
  });

  it('acknowledges nothing that it could not check for want of the hub’s keys', async () => {
    const agent = await bench.open();
    const set = await bench.hub.recommend('upbit', new Uint8Array(32), 'r1');
    const poll = async () => ({ sets: { 'jti-r1': set }, moreAvailable: false });
    bench.hub.away = true;
    const poller = new Poller({ poll }, agent.receiver, bench.note);
    await poller.round(0);
    expect(poller.trouble).toMatch(/cannot be reached/);
    expect(agent.journal.cases.size).toBe(0);
    await agent.close();
  });
});
