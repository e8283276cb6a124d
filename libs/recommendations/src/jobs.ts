import { jobKind } from '@app/infrastructure/queue';

/** Pushes what waits for one member. Members never wait for each other. */
export const DELIVER = jobKind<{ memberId: number }>('deliver', 16);
