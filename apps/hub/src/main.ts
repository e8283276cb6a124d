import { clockFromEnv } from '@app/infrastructure/clock';
import { onStop, runMain, sayReady } from '@app/infrastructure/config';
import { readHubConfig } from './hub-config.js';
import { startHub } from './start-hub.js';

await runMain('hub', async () => {
  const { config, secrets } = readHubConfig(process.env);
  const hub = await startHub(config, secrets, clockFromEnv(process.env));
  onStop(() => hub.stop());
  sayReady(hub.url);
});
