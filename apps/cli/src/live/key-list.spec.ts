import type { KeyRecord } from '@app/protocol';
import { keysAsOf } from './key-list.js';

const key: KeyRecord = {
  access_key: 'AK1',
  owner: 'CI1',
  account_type: 'individual',
  permissions: ['read'],
  created_at: '2026-06-02T00:00:00Z',
  expires_at: null,
  allowed_ips: [
    { ip: '203.0.113.1', added_at: '2026-06-02T00:00:00Z', removed_at: '2026-06-05T00:00:00Z' },
    { ip: '203.0.113.2', added_at: '2026-06-05T00:00:00Z', removed_at: null },
  ],
};
const on = (day: string) => keysAsOf([key], Date.parse(`${day}T12:00:00Z`));

describe('keysAsOf', () => {
  it('does not list a key before it is made', () => {
    expect(on('2026-06-01')).toEqual([]);
  });

  it('tells nothing of what is still to come', () => {
    expect(on('2026-06-03')[0]!.allowed_ips).toEqual([
      { ip: '203.0.113.1', added_at: '2026-06-02T00:00:00Z', removed_at: null },
    ]);
  });

  it('tells all of what has been', () => {
    expect(on('2026-06-06')).toEqual([key]);
  });
});
