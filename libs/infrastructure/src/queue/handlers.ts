import { BongsuError } from '@app/protocol';
import type { JobKind } from './jobs.js';

/**
 * Refuses a worker in which a kind of job has no processor, or two.
 * @param processors names of the queues that processors are declared for
 * @throws {BongsuError} CONFIG_INVALID
 */
export function checkHandlers(kinds: readonly JobKind<unknown>[], processors: readonly string[]): void {
  for (const { name } of kinds) {
    const count = processors.filter((p) => p === name).length;
    if (count !== 1)
      throw new BongsuError('CONFIG_INVALID', `The job "${name}" has ${count} processors; it needs exactly one.`, name);
  }
  const unknown = processors.find((p) => !kinds.some((kind) => kind.name === p));
  if (unknown)
    throw new BongsuError('CONFIG_INVALID', `A processor is declared for "${unknown}", which is no job.`, unknown);
}
