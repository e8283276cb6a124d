import type { Tx } from '@app/infrastructure/database';
import { FakeStandardRepository } from './fake-standard.repository.js';
import { FIRST_STANDARD } from './first-standard/index.js';
import { Standards } from './standards.service.js';

const tx = {} as Tx;

describe('the standard in force', () => {
  it('is asked for once in a while, not at every use', async () => {
    const rows = new FakeStandardRepository();
    rows.standards.push(FIRST_STANDARD);
    const standards = new Standards(rows);
    const [first, second] = await Promise.all([standards.current(tx), standards.current(tx)]);
    expect(first).toEqual(FIRST_STANDARD);
    expect(second).toBe(first);
  });

  it('is missing before the migrations, and found after them without a restart', async () => {
    const rows = new FakeStandardRepository();
    const standards = new Standards(rows);
    await expect(standards.current(tx)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    rows.standards.push(FIRST_STANDARD);
    await expect(standards.current(tx)).resolves.toEqual(FIRST_STANDARD);
  });

  it('is refused with a policy that this build cannot read', async () => {
    const rows = new FakeStandardRepository();
    rows.standards.push({ ...FIRST_STANDARD, policy: { version: '9.0.0' } });
    await expect(new Standards(rows).current(tx)).rejects.toMatchObject({ code: 'POLICY_INVALID' });
  });

  it('is one of the versions that can be read by name', async () => {
    const rows = new FakeStandardRepository();
    rows.standards.push(FIRST_STANDARD);
    const standards = new Standards(rows);
    await expect(standards.byVersion(tx, '1.0.0')).resolves.toEqual(FIRST_STANDARD);
    await expect(standards.byVersion(tx, '1.0.1')).rejects.toMatchObject({ code: 'NOT_FOUND', where: 'version' });
  });
});
