import { reasonOf } from '../logging/index.js';

/** What a process needs to do its work, by name; a check throws where something is missing. */
export type Checks = Record<string, () => Promise<unknown>>;

/** Whether a process can do its work: `ok` for each check that held, else a plain reason. */
export interface Readiness {
  ready: boolean;
  checks: Record<string, string>;
}

/** Longest time that a check may take, ms; then what it asks is as good as away. */
const LONGEST_MS = 3000;

/** Runs every check at once. Never throws. */
export async function readinessOf(checks: Checks): Promise<Readiness> {
  const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await resultOf(check)]));
  const byName = Object.fromEntries(results) as Record<string, string>;
  return { ready: Object.values(byName).every((result) => result === 'ok'), checks: byName };
}

async function resultOf(check: () => Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${LONGEST_MS / 1000} s`), LONGEST_MS);
  });
  try {
    return await Promise.race([check().then(() => 'ok'), late]);
  } catch (error) {
    return reasonOf(error);
  } finally {
    clearTimeout(timer);
  }
}
