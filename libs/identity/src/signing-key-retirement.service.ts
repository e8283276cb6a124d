import { Injectable } from '@nestjs/common';
import { AuditLog } from '@app/audit';
import { Database, principalName, type Principal } from '@app/infrastructure/database';
import { SigningKeys, type RegisteredKey } from '@app/keys';

/** Takes the hub's signing keys out of use, by staff. */
@Injectable()
export class SigningKeyRetirement {
  constructor(
    private readonly database: Database,
    private readonly keys: SigningKeys,
    private readonly audit: AuditLog,
  ) {}

  /**
   * From within seconds on, every process signs with its next key; what the retired one signed is taken for a day more, or,
   * if it was stolen, no longer.
   * @param by a staff principal
   * @throws {BongsuError} NOT_FOUND, BAD_INPUT
   */
  retire(by: Principal, kid: string, options: { stolen: boolean; reason: string }): Promise<RegisteredKey> {
    const { stolen, reason } = options;
    return this.database.transaction(by, async (tx) => {
      const { before, after } = await this.keys.retire(tx, kid, stolen);
      const state = (key: RegisteredKey) => ({ retiredAt: key.retiredAt?.toISOString() ?? null, stolen: key.stolen });
      await this.audit.record(tx, {
        actor: principalName(by),
        action: 'signing_key.retired',
        subject: `key:${kid}`,
        before: state(before),
        after: state(after),
        detail: { reason },
      });
      return after;
    });
  }
}
