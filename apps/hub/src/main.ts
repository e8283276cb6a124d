import { clockFromEnv } from '@app/infrastructure/clock';
import { ConfigReader, onStop, runMain, sayReady } from '@app/infrastructure/config';
import { openMetricsDoor, readMetricsConfig } from '@app/infrastructure/metrics';
import { readHubConfig } from './hub-config.js';
import { startHub } from './start-hub.js';

await runMain('hub', async () => {
  const { config, secrets } = readHubConfig(process.env);
  const metricsConfig = readMetricsConfig(new ConfigReader(process.env));
  const hub = await startHub(config, secrets, clockFromEnv(process.env));
  const metrics = await openMetricsDoor('hub', metricsConfig, hub.checks);
  onStop(async () => {
    await hub.stop();
    await metrics.close();
  });
  sayReady(hub.url, metrics.url);
});
