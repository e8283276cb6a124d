import { ConfigReader } from '@app/infrastructure/config';
import { BongsuError } from '@app/protocol';
import { parseSeed, type SeedSource } from './seed.js';

/** The blinder's configuration, read once. */
export interface BlinderConfig {
  readonly host: string;
  /** 0 to 65535; 0 takes any free port. */
  readonly port: number;
  /** Number of the epoch whose key this process holds, from 1. */
  readonly epoch: number;
  readonly seed: SeedSource;
  /** JSON file of the members and staff who may ask. */
  readonly membersFile: string;
  /** Elements that a member may have evaluated in one UTC day, unless the members file says otherwise. */
  readonly dailyQuota: number;
  /** Folder for the counters and the audit. */
  readonly stateDir: string;
  /** What the `aud` claim of a caller's token must be. */
  readonly audience: string;
}

/**
 * Reads the configuration from environment variables.
 * @throws {BongsuError} CONFIG_INVALID, naming the variable (also in `where`) and what was expected
 */
export function readConfig(env: NodeJS.ProcessEnv): BlinderConfig {
  const config = new ConfigReader(env);
  return {
    host: config.text('BLINDER_HOST', '127.0.0.1'),
    port: config.port('BLINDER_PORT', 8201),
    epoch: config.whole('BLINDER_EPOCH', 1, 1, 2 ** 31 - 1),
    seed: seedSource(config),
    membersFile: config.text('BLINDER_MEMBERS_FILE'),
    dailyQuota: config.whole('BLINDER_DAILY_QUOTA', 200_000, 1, 1_000_000_000),
    stateDir: config.text('BLINDER_STATE_DIR'),
    audience: config.text('BLINDER_AUDIENCE', 'bongsu-blinder'),
  };
}

function seedSource(config: ConfigReader): SeedSource {
  const text = config.optional('BLINDER_KEY');
  const path = config.optional('BLINDER_KEY_FILE');
  if (text !== undefined && path !== undefined)
    throw new BongsuError('CONFIG_INVALID', 'BLINDER_KEY and BLINDER_KEY_FILE are both set: keep one.', 'BLINDER_KEY');
  if (path !== undefined) return { from: 'file', path };
  if (text !== undefined) return { from: 'env', seed: parseSeed(text, 'BLINDER_KEY') };
  throw new BongsuError(
    'CONFIG_INVALID',
    'BLINDER_KEY needs a seed of 32 bytes in hex or base64url, or BLINDER_KEY_FILE the path of a file with one.',
    'BLINDER_KEY',
  );
}
