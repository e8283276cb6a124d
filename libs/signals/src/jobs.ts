import { jobKind } from '@app/infrastructure/queue';

/** Folds one stored batch, or undoes one that is being withdrawn; which, the table says. */
export const FOLD = jobKind<Record<string, never>>('fold', 2);

/** Drops and purges what is older than the policy in force allows. */
export const RETAIN = jobKind<Record<string, never>>('retain', 1);

/** Turns epochs as staff asked, and carries members' re-enrolled tokens over. */
export const ROTATE = jobKind<Record<string, never>>('rotate', 1);

/** Does the erasures that were asked for, oldest first, until none waits. */
export const ERASE = jobKind<Record<string, never>>('erase', 1);
