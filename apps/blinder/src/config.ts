import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigReader } from '@app/infrastructure/config';
import { BongsuError } from '@app/protocol';
import type { JsonWebKey } from 'node:crypto';
import { parseAllianceKey } from './alliance-key.js';
import { parseSeed } from './seed.js';

/** The blinder's configuration, read once. */
export interface BlinderConfig {
  readonly host: string;
  /** 0 to 65535; 0 takes any free port. */
  readonly port: number;
  /** Number of the epoch that the configured seed is of, from 1. */
  readonly epoch: number;
  /** Signed list of the members and staff who may ask. */
  readonly membersFile: string;
  /** Public JWK of the alliance, which must have signed that list. */
  readonly allianceKey: JsonWebKey;
  readonly production: boolean;
  /** Elements that a member may have evaluated in one UTC day, unless the list says otherwise. */
  readonly dailyQuota: number;
  /** Folder with the seeds of the epochs prepared here. */
  readonly keyDir: string;
  /** File of the configured seed, where it is one: it is destroyed with its epoch. */
  readonly seedFile: string | undefined;
  /** Folder for the counters and the audit. */
  readonly stateDir: string;
  /** What the `aud` claim of a caller's token must be. */
  readonly audience: string;
}

/** Secrets, apart from configuration: never logged, never printed. */
export interface BlinderSecrets {
  /** 32 bytes that the blinding key is derived from; undefined once it is destroyed and others have followed it. */
  readonly seed: Uint8Array | undefined;
}

/**
 * Reads the configuration from environment variables.
 * @throws {BongsuError} CONFIG_INVALID, naming the variable (also in `where`) and what was expected
 */
export function readConfig(env: NodeJS.ProcessEnv): { config: BlinderConfig; secrets: BlinderSecrets } {
  const reader = new ConfigReader(env);
  const required = (name: string, value: string | undefined, expected: string): string => {
    if (value === undefined) throw new BongsuError('CONFIG_INVALID', `${name} needs ${expected}.`, name);
    return value;
  };
  const stateDir = reader.text('BLINDER_STATE_DIR');
  const keyDir = reader.text('BLINDER_KEY_DIR', join(stateDir, 'keys'));
  const seedFile = env['BLINDER_KEY_FILE'];
  // Its epoch's key was destroyed, the seed with it; the epochs that followed have theirs in a folder.
  const destroyed = seedFile !== undefined && !existsSync(seedFile) && existsSync(join(keyDir, 'epochs.json'));
  const seed = destroyed
    ? undefined
    : required(
        'BLINDER_KEY',
        reader.secret('BLINDER_KEY'),
        'a seed of 32 bytes in hex or base64url, or BLINDER_KEY_FILE the path of a file with one',
      );
  const allianceKey = required(
    'BLINDER_ALLIANCE_KEY',
    reader.given('BLINDER_ALLIANCE_KEY'),
    'the alliance’s public JWK, which signs the list of members, or BLINDER_ALLIANCE_KEY_FILE the path of one',
  );
  reader.refuseDevelopment(allianceKey, 'BLINDER_ALLIANCE_KEY');
  const config: BlinderConfig = {
    host: reader.text('BLINDER_HOST', '127.0.0.1'),
    port: reader.port('BLINDER_PORT', 8201),
    epoch: reader.whole('BLINDER_EPOCH', 1, 1, 2 ** 31 - 1),
    membersFile: reader.text('BLINDER_MEMBERS_FILE'),
    allianceKey: parseAllianceKey(allianceKey),
    production: reader.production,
    dailyQuota: reader.whole('BLINDER_DAILY_QUOTA', 200_000, 1, 1_000_000_000),
    keyDir,
    seedFile,
    stateDir,
    audience: reader.text('BLINDER_AUDIENCE', 'bongsu-blinder'),
  };
  return { config, secrets: { seed: seed === undefined ? undefined : parseSeed(seed, 'BLINDER_KEY') } };
}
