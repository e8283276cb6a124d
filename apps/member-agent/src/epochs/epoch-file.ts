import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../state/files.js';

/** What an agent remembers of epochs, in `epochs.json`. */
export interface EpochMemory {
  /** The epoch that it sends in. */
  current: number;
  /** Public keys (base64url) in the blinders' order, by epoch, that the hub published and every blinder confirmed. */
  keys: Record<string, string[]>;
}

const PATH = (stateDir: string) => join(stateDir, 'epochs.json');

/** Null where the agent knows of no epoch but its configuration's. */
export async function readEpochs(stateDir: string): Promise<EpochMemory | null> {
  try {
    return JSON.parse(await readFile(PATH(stateDir), 'utf8')) as EpochMemory;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

export async function writeEpochs(stateDir: string, memory: EpochMemory): Promise<void> {
  await writeDurably(PATH(stateDir), JSON.stringify(memory));
}
