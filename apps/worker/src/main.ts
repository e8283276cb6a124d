import { clockFromEnv } from '@app/infrastructure/clock';
import { ConfigReader, onStop, runMain, sayReady } from '@app/infrastructure/config';
import { openMetricsDoor, readMetricsConfig } from '@app/infrastructure/metrics';
import { startWorker } from './start-worker.js';
import { readWorkerConfig } from './worker-config.js';

await runMain('worker', async () => {
  const { config, secrets } = readWorkerConfig(process.env);
  const metricsConfig = readMetricsConfig(new ConfigReader(process.env));
  const worker = await startWorker(config, secrets, clockFromEnv(process.env));
  const metrics = await openMetricsDoor('worker', metricsConfig, worker.checks);
  onStop(async () => {
    await worker.stop();
    await metrics.close();
  });
  sayReady(undefined, metrics.url);
});
