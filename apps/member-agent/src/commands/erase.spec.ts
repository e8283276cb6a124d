import { writeFile } from 'node:fs/promises';
import { Bench } from '../testing/bench.js';
import { eraseAs } from './erase.js';

const KEY = {
  access_key: 'AK-1',
  owner: 'CI of somebody',
  account_type: 'individual',
  permissions: ['read'],
  allowed_ips: [],
  created_at: '2026-06-01T00:00:00Z',
  expires_at: null,
};

describe('erase', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.start();
    await writeFile(bench.path('keys.jsonl'), `${JSON.stringify(KEY)}\n`);
    const agent = await bench.open([{ kind: 'keys', path: bench.path('keys.jsonl') }]);
    await bench.pushAll(agent);
    await agent.close();
  });
  afterEach(() => bench.stop());

  const sent = () => [...bench.hub.batches.values()][0]!.rows.keyFacts[0]!;
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const ask = (options: Parameters<typeof eraseAs>[1]) => eraseAs(bench.config, options);

  it('names a key, or an owner, to the hub by the token that was sent', async () => {
    await writeFile(bench.path('owner'), `${KEY.owner}\n`);
    expect(await ask({ key: KEY.access_key, reason: 'closed' })).toMatchObject({ state: 'REQUESTED' });
    await ask({ ownerFile: bench.path('owner'), reason: 'closed' });
    expect(bench.hub.erasures).toEqual([
      { key: base64(sent().key), reason: 'closed' },
      { owner: base64(sent().owner), reason: 'closed' },
    ]);
  });

  it.each([
    ['a key that was never sent', { key: 'AK-2', reason: 'x' }, 'NOT_FOUND'],
    ['no reason', { key: 'AK-1', reason: ' ' }, 'BAD_INPUT'],
    ['nothing', { reason: 'x' }, 'BAD_INPUT'],
    ['two things', { key: 'AK-1', erasure: 'e', reason: 'x' }, 'BAD_INPUT'],
  ])('asks for nothing when given %s', async (_, options, code) => {
    await expect(ask(options)).rejects.toMatchObject({ code });
    expect(bench.hub.erasures).toEqual([]);
  });
});
