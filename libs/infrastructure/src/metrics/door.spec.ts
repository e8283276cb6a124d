import { ConfigReader } from '../config/index.js';
import {
  counter,
  gauge,
  gaugesFrom,
  openMetricsDoor,
  readMetricsConfig,
  timed,
  timer,
  type MetricsDoor,
} from './index.js';

const ANYWHERE = { host: '127.0.0.1', port: 0 };

describe('the metrics door', () => {
  let door: MetricsDoor | undefined;
  afterEach(() => door?.close());

  const open = async (checks = {}) => (door = await openMetricsDoor('test', ANYWHERE, checks));
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(`${door!.url}${path}`, { method });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };

  it('shows metrics with help, type and unit as Prometheus reads them', async () => {
    const batches = counter({ name: 'bongsu_a_total', help: 'Counted.', labels: ['result'] });
    batches.add({ result: 'stored' });
    batches.add({ result: 'stored' }, 2);
    gauge({ name: 'bongsu_b_seconds', help: 'An age.' }).set({}, 1.5);
    const took = timer({ name: 'bongsu_c_seconds', help: 'A time.' });
    await expect(timed(took, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await open();
    const { status, type, text } = await get('/metrics');
    expect({ status, type }).toEqual({ status: 200, type: expect.stringMatching(/^text\/plain; version=0\.0\.4/) });
    for (const line of [
      '# HELP bongsu_a_total Counted.',
      '# TYPE bongsu_a_total counter',
      'bongsu_a_total{result="stored"} 3',
      'bongsu_b_seconds 1.5',
      'bongsu_c_seconds_count 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  });

  it('reads gauges anew, and keeps the last reading of a source that fails', async () => {
    const level = gauge({ name: 'bongsu_level', help: 'A level.' });
    let reads = 0;
    const end = gaugesFrom(() => {
      if (++reads === 2) throw new Error('away');
      level.set({}, reads);
    });
    try {
      await open();
      expect((await get('/metrics')).text).toMatch(/^bongsu_level 1$/m);
      const failing = (await get('/metrics')).text;
      expect(failing).toMatch(/^bongsu_level 1$/m);
      expect(failing).toMatch(/^bongsu_metrics_sources_failed 1$/m);
      const again = (await get('/metrics')).text;
      expect(again).toMatch(/^bongsu_level 3$/m);
      expect(again).toMatch(/^bongsu_metrics_sources_failed 0$/m);
    } finally {
      end();
    }
  });

  it('asks a source whose readings are kept once for many readers', async () => {
    let reads = 0;
    const end = gaugesFrom(() => void reads++, 60_000);
    try {
      await open();
      await Promise.all([get('/metrics'), get('/metrics')]);
      await get('/metrics');
      expect(reads).toBe(1);
    } finally {
      end();
    }
  });

  it('lives while it answers, and is ready when every check holds', async () => {
    let away = true;
    await open({ queue: async () => {}, database: async () => (away ? Promise.reject(new Error('away')) : 1) });
    expect(await get('/health/live')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    const unready = await get('/health/ready');
    expect(unready.status).toBe(503);
    expect(JSON.parse(unready.text)).toEqual({ status: 'unavailable', checks: { queue: 'ok', database: 'away' } });
    away = false;
    expect((await get('/health/ready')).status).toBe(200);
  });

  it('does not wait for a check that hangs', async () => {
    await open({ database: () => new Promise(() => {}) });
    expect(await get('/health/ready')).toMatchObject({
      status: 503,
      text: expect.stringContaining('no answer within'),
    });
  });

  it.each([
    ['/nowhere', 'GET', 404],
    ['/constructor', 'GET', 404],
    ['/metrics', 'POST', 405],
  ])('answers %s by %s with %i', async (path, method, status) => {
    await open();
    expect((await get(path, method)).status).toBe(status);
  });

  it('is not there unless it is asked for, and on loopback unless told otherwise', async () => {
    expect(readMetricsConfig(new ConfigReader({}))).toBeNull();
    expect(readMetricsConfig(new ConfigReader({ METRICS_PORT: '9464' }))).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(readMetricsConfig(new ConfigReader({ METRICS_PORT: '0', METRICS_HOST: '::1' }))).toEqual({
      host: '::1',
      port: 0,
    });
    expect((await openMetricsDoor('test', null, {})).url).toBeUndefined();
  });

  it('says which port is taken', async () => {
    const { url } = await open();
    const port = Number(new URL(url!).port);
    await expect(openMetricsDoor('test', { host: '127.0.0.1', port }, {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      where: 'METRICS_PORT',
      message: expect.stringContaining(String(port)),
    });
  });
});
