import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { Section } from '../config/reader.js';
import { Bench } from '../testing/bench.js';
import { burstSlots, median } from './activity.js';
import { GatewayHours } from './gateway-hours.js';
import { normaliseClient, parseGatewayLine, type GatewayRequest } from './gateway-line.js';
import { readGatewayMapping, type GatewayMapping } from './gateway-mapping.js';
import type { RawObservation } from './rows.js';

const NOW = Date.parse('2026-06-10T00:00:00Z');
const HOUR = 3_600_000;

function mapping(yaml: string): GatewayMapping {
  return readGatewayMapping(Section.of(parseYaml(yaml), 'inputs[0]'));
}

const jwt = (claims: unknown) =>
  `Bearer ${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

describe('a line of a gateway log', () => {
  const nginx = mapping('{ preset: nginx, rejected: { status: [401, 403], reasons: [ip_not_allowed] } }');
  const line = {
    time_iso8601: '2026-06-01T09:05:00+09:00', remote_addr: '203.0.113.9', request_method: 'POST',
    request_uri: '/v1/orders?x=1', status: '201', http_user_agent: ' python-requests/2.31 ', access_key: 'AK1',
  }; // prettier-ignore
  const read = (extra: Record<string, unknown>, m = nginx) =>
    parseGatewayLine(JSON.stringify({ ...line, ...extra }), m, NOW);

  it.each([
    ['an order', {}, { order: true, rejected: false, key: 'AK1', client: 'python-requests/2.31', ip: '203.0.113.9' }],
    ['no order', { request_method: 'GET' }, { order: false }],
    ['the key from a JWT', { access_key: undefined, http_authorization: jwt({ access_key: 'AK2' }) }, { key: 'AK2' }],
    ['a mapped address folded', { remote_addr: '::ffff:203.0.113.9' }, { ip: '203.0.113.9' }],
    ['an address with a port', { remote_addr: '203.0.113.9:4431' }, { ip: '203.0.113.9' }],
    ['IPv6 in brackets', { remote_addr: '[2001:DB8::1]:443' }, { ip: '2001:db8::1' }],
    ['refused for its address', { status: 403, reject_reason: 'ip_not_allowed' }, { rejected: true }],
    ['refused for something else', { status: 403, reject_reason: 'permission' }, { rejected: false }],
    ['seconds since 1970', { time_iso8601: 1780272300 }, { time: 1780272300000 }],
    ['milliseconds since 1970', { time_iso8601: 1780272300123 }, { time: 1780272300123 }],
    [
      'the common log format',
      { time_iso8601: '01/Jun/2026:09:05:00 +0900' },
      { time: Date.parse('2026-06-01T00:05:00Z') },
    ],
    ['no client', { http_user_agent: '-' }, { client: 'none' }],
  ])('reads %s', (_, extra, expected) => {
    expect(read(extra)).toMatchObject(expected);
  });

  it.each([
    ['KEY_MISSING', { access_key: '-' }],
    ['KEY_MISSING', { access_key: undefined, http_authorization: 'Basic abc' }],
    ['KEY_MISSING', { access_key: undefined, http_authorization: 'Bearer a.%%%.c' }],
    ['KEY_MALFORMED', { access_key: 'a\u0000b' }],
    ['IP_MISSING', { remote_addr: '' }],
    ['IP_MALFORMED', { remote_addr: 'unix:' }],
    ['TIME_MISSING', { time_iso8601: undefined }],
    ['TIME_MALFORMED', { time_iso8601: 'yesterday' }],
    ['TIME_IN_FUTURE', { time_iso8601: '2026-06-12T00:00:00Z' }],
    ['SIGNATURE_REFUSED', { status: 401, reject_reason: 'bad_signature' }],
    ['NETWORK_UNKNOWN', { network: 'lunar' }],
  ])('refuses with %s', (reason, extra) => {
    expect(() => read(extra)).toThrow(expect.objectContaining({ reason }));
  });

  // As the gateways write them: nginx with the README's log_format and escape=json, Envoy with Istio's default JSON
  // encoding (numbers as such, null for what is not there), Kong's file-log object.
  it.each([
    [
      'nginx',
      '{"time_iso8601":"2026-06-01T09:05:00+09:00","remote_addr":"203.0.113.9","request_method":"POST","request_uri":"/v1/orders",' +
        '"status":"201","http_user_agent":"Mozilla/5.0 (\\"x\\")","access_key":"","http_authorization":"' +
        `${jwt({ access_key: 'N', nonce: 'n' })}","reject_reason":""}`,
      { key: 'N', ip: '203.0.113.9', client: 'Mozilla/5.0 ("x")', order: true, time: 1780272300000 },
    ],
    [
      'envoy',
      '{"authority":"api.exchange.example","bytes_received":0,"bytes_sent":154,"downstream_local_address":"10.0.0.5:8443",' +
        '"downstream_remote_address":"203.0.113.9:51762","duration":12,"method":"GET","path":"/v1/accounts","protocol":"HTTP/2",' +
        '"request_id":"cc21d9b0","requested_server_name":null,"response_code":200,"response_code_details":"via_upstream",' +
        '"response_flags":"-","start_time":"2026-06-01T00:05:00.310Z","upstream_cluster":"orders","user_agent":"okhttp/4.12",' +
        `"x_forwarded_for":"198.51.100.66, 203.0.113.9","authorization":"${jwt({ access_key: 'E' })}"}`,
      { key: 'E', ip: '203.0.113.9', client: 'okhttp/4.12', order: false, time: 1780272300310 },
    ],
    [
      'kong',
      '{"response":{"size":9982,"headers":{"via":"1.1 kong/3.8.0.0","x-reject-reason":"ip_not_allowed"},"status":403},' +
        '"route":{"paths":["/v1"]},"client_ip":"2001:DB8::9","started_at":1780272300123,"upstream_status":"403","source":"upstream",' +
        '"request":{"id":"b1","size":122,"querystring":{},"uri":"/v1/orders?side=bid","url":"https://api.exchange.example/v1/orders",' +
        '"method":"POST","headers":{"host":"api.exchange.example","user-agent":"curl/8.6.0","x-kapi-key":"K"}},' +
        '"latencies":{"request":515,"proxy":58,"kong":457}}',
      { key: 'K', ip: '2001:db8::9', client: 'curl/8.6.0', order: true, rejected: true, time: 1780272300123 },
    ],
  ])('reads what %s writes', (preset, text, expected) => {
    expect(parseGatewayLine(text, mapping(`{ preset: ${preset} }`), NOW)).toMatchObject(expected);
  });

  it('keeps a ragged client in one stable form', () => {
    expect(normaliseClient('[Boto3/1.26  Python/3.10 ]')).toBe('Boto3/1.26 Python/3.10');
    expect(normaliseClient('x'.repeat(5000))).toHaveLength(256);
    fc.assert(fc.property(fc.string(), (s) => normaliseClient(normaliseClient(s)) === normaliseClient(s)));
  });
});

describe('hours of a gateway log', () => {
  const request = (ms: number, extra: Partial<GatewayRequest> = {}): GatewayRequest => ({
    time: Date.parse('2026-06-01T00:00:00Z') + ms, key: 'K', ip: '203.0.113.9', client: 'c', network: 'unknown',
    order: true, rejected: false, ...extra,
  }); // prettier-ignore

  it('takes the median over active windows and marks what exceeds three times it', () => {
    expect(median(new Map([[1, 2], [4, 1], [5, 1]]))).toBe(2.5); // prettier-ignore
    expect(median(new Map())).toBe(0);
    expect(burstSlots([7, 6, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5], 2)).toBe(1);
    expect(burstSlots([5, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0)).toBe(1);
  });

  it('sums by key, address and client, with the windows', () => {
    const hours = new GatewayHours();
    hours.add(request(0));
    hours.add(request(6 * 60_000, { order: false }));
    hours.add(request(59 * 60_000, { rejected: true }));
    hours.add(request(60_000, { ip: '203.0.113.10' }));
    const rows = hours.take(Infinity);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ requests: 3, orders: 1, rejected: 1, activeSlots: 0b100000000011, burstSlots: 0 });
  });

  it('marks a burst against the seven days before', () => {
    const hours = new GatewayHours();
    for (let day = 0; day < 8; day++) {
      for (let i = 0; i < 2; i++) hours.add(request(day * 24 * HOUR + i));
      hours.take(Infinity);
      hours.dropOld(NOW);
    }
    for (let i = 0; i < 7; i++) hours.add(request(8 * 24 * HOUR + i));
    for (let i = 0; i < 6; i++) hours.add(request(8 * 24 * HOUR + 300_000 + i));
    expect(hours.take(Infinity)[0]).toMatchObject({ orders: 13, burstSlots: 0b01 });
  });

  it('gives a late hour out again whole, and refuses what is later than it keeps', () => {
    const hours = new GatewayHours();
    hours.add(request(0));
    expect(hours.take(HOUR + request(0).time)).toHaveLength(1);
    hours.add(request(1));
    expect(hours.take(0)[0]).toMatchObject({ requests: 2 });
    expect(hours.take(0)).toHaveLength(0);
    hours.add(request(14 * HOUR));
    hours.take(Infinity);
    hours.dropOld(NOW);
    expect(hours.add(request(2))).toBe(false);
  });

  it('counts what comes while a log goes back in time, as far as hours are kept', () => {
    const hours = new GatewayHours();
    const given = new Map<number, number>();
    const read = (minute: number) => {
      const one = request(minute * 60_000);
      if (hours.completesHour(one.time, 0)) {
        for (const row of hours.take(one.time)) given.set(row.hour, row.requests);
        hours.dropOld(NOW);
      }
      return hours.add(one);
    };
    // A gateway whose clock is set back by five hours, and one set back by fourteen.
    expect([0, 60, 600, 300, 301, 601].map(read)).toEqual(Array(6).fill(true));
    expect([1_500, 1_560, 600, 900].map(read)).toEqual([true, true, false, true]);
    for (const row of hours.take(Infinity)) given.set(row.hour, row.requests);
    expect([...given.values()].reduce((sum, n) => sum + n, 0)).toBe(9);
  });

  it('gives out the same in the end however often it is asked, saved and restored', () => {
    const arrival = fc.array(
      fc.record({ minute: fc.integer({ min: 0, max: 5 * 60 }), key: fc.constantFrom('A', 'B'), pause: fc.boolean() }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(arrival, (list) => {
        const final = (pauses: boolean): Map<string, RawObservation> => {
          let hours = new GatewayHours();
          const out = new Map<string, RawObservation>();
          const take = () => {
            for (const row of hours.take(Infinity)) out.set(`${row.key} ${row.hour}`, row);
          };
          for (const { minute, key, pause } of list) {
            hours.add(request(minute * 60_000, { key }));
            if (!pauses || !pause) continue;
            take();
            const { dirty } = hours.save();
            const kept = new Map(hours.save().kept.map((hour) => [hour, true]));
            const next = new GatewayHours();
            for (const [hour, content] of JSON.parse(JSON.stringify(dirty)) as typeof dirty)
              if (kept.has(hour)) next.restoreHour(hour, content);
            // Hours that were not dirty are as they were saved before.
            if (next.save().kept.length === kept.size) {
              next.latest = hours.latest;
              hours = next;
            }
          }
          take();
          return out;
        };
        expect(final(true)).toEqual(final(false));
      }),
    );
  });
});

describe('a gateway log on its way to the hub', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(() => bench.stop());

  const logLine = (time: string, key: string) =>
    `${JSON.stringify({ time, remote_addr: '203.0.113.9', request_method: 'POST', uri: '/v1/orders', status: 201, access_key: key })}\n`;

  it('sends an hour when log or clock says it is over, and again whole when late lines come', async () => {
    const path = bench.path('access.log');
    bench.config.inputs = [{ kind: 'gateway', path, mapping: mapping('{ preset: nginx }') }];
    bench.clock.at = Date.parse('2026-06-09T10:30:00Z');
    await writeFile(path, logLine('2026-06-09T09:10:00Z', 'A') + logLine('2026-06-09T10:10:00Z', 'A'));
    const agent = await bench.open();
    await bench.pushAll(agent, false);
    expect([...bench.hub.folded().values()].map((o) => o.requests)).toEqual([1]);
    expect((await agent.sources[0]!.progress(bench.clock.at)).pendingHours).toBe(1);
    expect(await agent.caughtUp()).toBe(true);
    bench.clock.at = Date.parse('2026-06-09T11:06:00Z');
    expect(await agent.caughtUp()).toBe(false);
    await bench.pushAll(agent, false);
    expect(bench.hub.folded().size).toBe(2);
    await writeFile(path, logLine('2026-06-09T09:50:00Z', 'A'), { flag: 'a' });
    await bench.pushAll(agent, false);
    expect([...bench.hub.folded().values()].map((o) => o.requests).sort()).toEqual([1, 2]);
    await agent.close();
  });

  const outside = resolve('../shared/data/api-audit.jsonl');
  (existsSync(outside) ? it : it.skip)(
    'takes a real log from outside, every line counted or refused with a reason',
    async () => {
      bench.clock.at = Date.parse('2023-07-11T00:00:00Z');
      const fields =
        'fields: { time: eventTime, ip: sourceIPAddress, client: userAgent, accessKey: userIdentity.accessKeyId }';
      bench.config.inputs = [{ kind: 'gateway', path: outside, mapping: mapping(`{ ${fields} }`) }];
      const agent = await bench.open();
      await bench.pushAll(agent);
      const state = agent.store.state.sources[agent.sources[0]!.id]!;
      expect(state.lines).toBe(2900);
      const refused = Object.values(state.refused).reduce((a, b) => a + b, 0);
      expect(state.counted + refused).toBe(2900);
      const sent = [...bench.hub.folded().values()].reduce((sum, o) => sum + o.requests, 0);
      expect(sent).toBe(state.counted);
      const details = readFileSync(bench.path('state/refused.jsonl'), 'utf8').trim().split('\n');
      expect(details).toHaveLength(refused);
      expect(Object.keys(state.refused).sort()).toEqual(['IP_MALFORMED', 'KEY_MISSING']);
      await agent.close();
    },
  );
});
