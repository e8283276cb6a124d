import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BongsuError } from '@app/protocol';
import type { ConfigReader } from '../config/index.js';
import { createLogger } from '../logging/index.js';
import { readinessOf, type Checks } from './health.js';
import { addProcessMetrics, readMetrics } from './registry.js';

/** Where a process shows its metrics and its health: a door of its own, never the public one. */
export interface MetricsConfig {
  host: string;
  /** 0 = any free port. */
  port: number;
}

/** `METRICS_PORT` and `METRICS_HOST`; null without a port: then there is no such door. */
export function readMetricsConfig(reader: ConfigReader): MetricsConfig | null {
  if (reader.optional('METRICS_PORT') === undefined) return null;
  return { host: reader.text('METRICS_HOST', '127.0.0.1'), port: reader.port('METRICS_PORT', 0) };
}

/** A metrics door that is open; without a configuration there is none, and no `url`. */
export interface MetricsDoor {
  url?: string;
  close(): Promise<void>;
}

/**
 * Opens a process's metrics door: `/metrics` in Prometheus's text format, `/health/live`, `/health/ready`.
 * @param checks what the process needs to do its work
 * @throws {BongsuError} CONFIG_INVALID when it cannot listen there
 */
export async function openMetricsDoor(
  service: string,
  config: MetricsConfig | null,
  checks: Checks,
): Promise<MetricsDoor> {
  if (config === null) return { close: () => Promise.resolve() };
  addProcessMetrics();
  const answers: Record<string, (response: ServerResponse) => Promise<void> | void> = {
    '/metrics': async (response) => {
      const { contentType, text } = await readMetrics();
      answer(response, 200, contentType, text);
    },
    '/health/live': (response) => json(response, 200, { status: 'ok' }),
    '/health/ready': async (response) => {
      const { ready, checks: results } = await readinessOf(checks);
      json(response, ready ? 200 : 503, { status: ready ? 'ok' : 'unavailable', checks: results });
    },
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]!;
    const handle = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (handle === undefined) return json(response, 404, { code: 'NOT_FOUND' });
    if (request.method !== 'GET') return json(response, 405, { code: 'BAD_INPUT' });
    void Promise.resolve(handle(response)).catch(() => json(response, 500, { code: 'INTERNAL' }));
  });
  server.requestTimeout = 5000;
  await listen(server, config);
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  createLogger(service).info({ url }, 'metrics and health');
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  answer(response, status, 'application/json', JSON.stringify(body));
}

function answer(response: ServerResponse, status: number, contentType: string, text: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text);
}

function listen(server: Server, { host, port }: MetricsConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = error.code === 'EADDRINUSE' ? 'METRICS_PORT' : 'METRICS_HOST';
      const what =
        error.code === 'EADDRINUSE'
          ? `port ${port} on ${host} is taken; give each process another, or 0 for any free one`
          : `it cannot listen on ${host}, port ${port}: ${error.code ?? 'unknown'}`;
      reject(new BongsuError('CONFIG_INVALID', `${where}: ${what}.`, where));
    });
    server.listen(port, host, resolve);
  });
}
