import { jobKind } from '@app/infrastructure/queue';

/** Closes the months that are over: counts once and for all, suppresses, signs, keeps. */
export const REPORT = jobKind<Record<string, never>>('report', 1);
