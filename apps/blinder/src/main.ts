import { clockFromEnv } from '@app/infrastructure/clock';
import { ConfigReader, onStop, sayReady } from '@app/infrastructure/config';
import { createLogger } from '@app/infrastructure/logging';
import { openMetricsDoor, readMetricsConfig } from '@app/infrastructure/metrics';
import { BongsuError } from '@app/protocol';
import { readConfig } from './config.js';
import { startBlinder } from './start-blinder.js';

const log = createLogger('blinder');
try {
  const { BLINDER_CLOCK_FILE, CLOCK_FILE } = process.env;
  const clock = clockFromEnv({ ...process.env, CLOCK_FILE: BLINDER_CLOCK_FILE ?? CLOCK_FILE });
  const { config, secrets } = readConfig(process.env);
  const metricsConfig = readMetricsConfig(new ConfigReader(process.env));
  const blinder = await startBlinder(config, secrets, { clock, log });
  const metrics = await openMetricsDoor('blinder', metricsConfig, blinder.checks);
  onStop(async () => {
    await blinder.close();
    await metrics.close();
  });
  log.info({ url: blinder.url }, `blinder listening on ${blinder.url}`);
  sayReady(blinder.url, metrics.url);
} catch (error) {
  if (error instanceof BongsuError) log.fatal({ code: error.code, where: error.where }, error.message);
  else log.fatal({ err: error }, 'blinder cannot start');
  process.exit(1);
}
