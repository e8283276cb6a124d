import { jobKind } from '@app/infrastructure/queue';

/** Folds one stored batch, or undoes one that is being withdrawn; which, the table says. */
export const FOLD = jobKind<Record<string, never>>('fold', 2);
