import type { Tx } from '@app/infrastructure/database';
import type { Assessment } from '@app/correlation';
import type { Policy } from '@app/protocol';

/** An assessment that rose to a rung, and whose key it is. */
export interface Rise {
  assessment: Assessment;
  memberId: number;
  keyToken: Buffer;
}

/** What follows from rises, in the transaction that stores the assessments. Answers with the ids of what was issued. */
export abstract class RungRises {
  abstract rose(tx: Tx, rises: readonly Rise[], policy: Policy): Promise<string[]>;
}
