import { TypeOrmDatabase, type Database, type Principal } from '@app/infrastructure/database';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/test-database.js';
import { standardHash } from '../domain/standard.js';
import { FIRST_STANDARD } from '../first-standard/index.js';
import { Standards } from '../standards.service.js';
import { StandardAdapter } from './standard.adapter.js';
import { STANDARD_ENTITIES } from './standard.entity.js';

const MEMBER: Principal = { kind: 'member', memberId: 1, name: 'upbit' };
const JOB: Principal = { kind: 'job', name: 'assess' };

describe('standards on PostgreSQL', () => {
  let db: TestDatabase;
  let hub: Database;
  let worker: Database;

  beforeAll(async () => {
    db = await createTestDatabase();
    const connect = (role: 'bongsu_hub' | 'bongsu_worker') =>
      new TypeOrmDatabase({ url: db.url, role, poolSize: 2, entities: STANDARD_ENTITIES });
    [hub, worker] = [connect('bongsu_hub'), connect('bongsu_worker')];
  });

  afterAll(async () => {
    await hub?.close();
    await worker?.close();
    await db?.close();
  });

  it('has the first standard in force after the migrations, and its hash still fits', async () => {
    const standards = new Standards(new StandardAdapter());
    const stored = await hub.transaction(MEMBER, (tx) => standards.current(tx));
    expect(stored).toEqual(FIRST_STANDARD);
    expect(standardHash(stored)).toBe(stored.contentHash);
    expect(await worker.transaction(JOB, (tx) => standards.byVersion(tx, '1.0.0'))).toEqual(FIRST_STANDARD);
  });

  it('cannot be changed by the roles that processes have', async () => {
    const change = `UPDATE standards SET text_en = ''`;
    await expect(hub.transaction(MEMBER, (tx) => tx.query(change))).rejects.toThrow(/permission denied/);
    await expect(worker.transaction(JOB, (tx) => tx.query(change))).rejects.toThrow(/permission denied/);
  });
});
