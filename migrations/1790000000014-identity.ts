import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `used_assertions` holds DPoP proofs too, one a request: what has expired is found without reading the rest. */
export class Identity1790000000014 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    await db.query(`CREATE INDEX used_assertions_expiry ON used_assertions (expires_at)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP INDEX used_assertions_expiry`);
  }
}
