import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SystemClock, type Clock } from '@app/infrastructure/clock';
import { BongsuError } from '@app/protocol';
import type { Logger } from '@app/infrastructure/logging';
import { gaugesFrom, type Checks } from '@app/infrastructure/metrics';
import { AcceptedList } from './accepted-list.js';
import { AuditLog } from './audit-log.js';
import { QUOTA, QUOTA_USED } from './blinder-metrics.js';
import type { BlinderConfig, BlinderSecrets } from './config.js';
import { Door } from './door.js';
import { EpochKeys } from './epoch-keys.js';
import type { Evaluator } from './evaluator.js';
import { MembersFile } from './members-file.js';
import { openDoor, type OpenDoor } from './server.js';
import { ReenrolJournal } from './reenrol-journal.js';
import { UsageJournal } from './usage-journal.js';
import { WorkerEvaluator } from './worker-evaluator.js';

/** What a blinder needs beside its configuration; tests give an evaluator of their own. */
export interface BlinderParts {
  /** Counts days and dates the audit. */
  readonly clock: Clock;
  /** What callers' tokens are held against; the system's clock unless given. */
  readonly wallTime?: Clock;
  readonly log: Logger;
  readonly evaluatorFor?: (secretKey: Uint8Array) => Evaluator;
}

/** A blinder that is open. */
export interface RunningBlinder extends OpenDoor {
  /** What it needs to do its work. */
  readonly checks: Checks;
}

/**
 * Opens a blinder.
 * @throws {BongsuError} CONFIG_INVALID naming the variable that stops it
 */
export async function startBlinder(
  config: BlinderConfig,
  secrets: BlinderSecrets,
  parts: BlinderParts,
): Promise<RunningBlinder> {
  const { clock, log, wallTime = new SystemClock() } = parts;
  const { allianceKey, production } = config;
  const { usage, reenrolments, audit, accepted } = openState(config.stateDir, clock.now());
  const callers = await MembersFile.open(config.membersFile, { allianceKey, production, accepted }, log);
  const { epoch, seedFile: file, keyDir, audience, dailyQuota } = config;
  const evaluatorFor = parts.evaluatorFor ?? ((secretKey: Uint8Array) => new WorkerEvaluator(secretKey, log));
  let keys: EpochKeys | undefined;
  try {
    keys = new EpochKeys(keyDir, secrets.seed && { epoch, seed: secrets.seed, file }, evaluatorFor);
    const door = new Door({
      keys, audience, dailyQuota, callers, usage, reenrolments, audit, clock, wallTime, log,
    }); // prettier-ignore
    const open = await openDoor(door, config.host, config.port);
    const unwatch = gaugesFrom(() => showQuotas(door, clock.now()));
    return {
      url: open.url,
      checks: { state_dir: () => checkWritable(config.stateDir) },
      close: async () => {
        unwatch();
        callers.close();
        await open.close();
        await keys?.close();
      },
    };
  } catch (error) {
    callers.close();
    await keys?.close();
    throw error;
  }
}

function showQuotas(door: Door, now: number): void {
  QUOTA.clear();
  QUOTA_USED.clear();
  for (const { member, used, quota } of door.usageOn(now)) {
    QUOTA.set({ member }, quota);
    QUOTA_USED.set({ member }, used);
  }
}

/** A full disk counts too: what cannot be counted is not evaluated. */
async function checkWritable(dir: string): Promise<void> {
  const probe = join(dir, '.probe');
  await writeFile(probe, 'written to see whether this can be written', { mode: 0o600 });
  await rm(probe, { force: true });
}

function openState(dir: string, now: number) {
  try {
    return {
      usage: new UsageJournal(dir, now),
      reenrolments: new ReenrolJournal(dir),
      audit: new AuditLog(dir),
      accepted: new AcceptedList(dir),
    };
  } catch (error) {
    if (error instanceof BongsuError) throw error;
    const message = `BLINDER_STATE_DIR must be a folder that can be written: ${(error as Error).message}.`;
    throw new BongsuError('CONFIG_INVALID', message, 'BLINDER_STATE_DIR');
  }
}
