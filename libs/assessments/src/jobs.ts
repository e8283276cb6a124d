import { jobKind } from '@app/infrastructure/queue';

/** Summarises what folding touched and assesses the keys concerned, until nothing waits. */
export const ASSESS = jobKind<Record<string, never>>('assess', 1);
