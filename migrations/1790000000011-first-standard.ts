import type { MigrationInterface, QueryRunner } from 'typeorm';
import { FIRST_STANDARD } from '@app/standard';

/** The alliance's first standard, in force. */
export class FirstStandard1790000000011 implements MigrationInterface {
  async up(db: QueryRunner): Promise<void> {
    const { version, effectiveFrom, textKo, textEn, policy, contentHash } = FIRST_STANDARD;
    await db.query(
      `INSERT INTO standards (version, state, effective_from, text_ko, text_en, policy, content_hash)
       VALUES ($1, 'in_force', $2, $3, $4, $5, $6)`,
      [version, effectiveFrom, textKo, textEn, JSON.stringify(policy), contentHash],
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DELETE FROM standards WHERE version = $1`, [FIRST_STANDARD.version]);
  }
}
