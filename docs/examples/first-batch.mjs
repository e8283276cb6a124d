/**
 * `node docs/examples/first-batch.mjs DIR`: writes DIR/keys.jsonl and DIR/usage.jsonl, two keys and three hours of
 * theirs that have just passed. docs/formats.md says what each field means.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const dir = process.argv[2];
if (!dir) {
  console.error('Name the directory to write to: node docs/examples/first-batch.mjs DIR');
  process.exit(1);
}

const hour = (ago) => new Date((Math.floor(Date.now() / HOUR_MS) - ago) * HOUR_MS).toISOString();
const day = (ago) => new Date((Math.floor(Date.now() / DAY_MS) - ago) * DAY_MS).toISOString();

const keys = [
  {
    access_key: 'K-0001',
    owner: 'person-a',
    account_type: 'individual',
    permissions: ['read', 'trade'],
    allowed_ips: [{ ip: '203.0.113.7', added_at: day(30), removed_at: null }],
    created_at: day(30),
    expires_at: day(-335),
  },
  {
    access_key: 'K-0002',
    owner: 'person-b',
    account_type: 'corporate',
    permissions: ['read'],
    allowed_ips: [],
    created_at: day(60),
    expires_at: null,
  },
];
const use = {
  ip: '203.0.113.7',
  network: 'hosting',
  client: 'python-requests/2.32',
  requests: 40,
  orders: 12,
  rejected: 0,
  active_slots: 0b111,
  burst_slots: 0b010,
};
const usage = [
  { hour: hour(3), access_key: 'K-0001', ...use },
  { hour: hour(2), access_key: 'K-0001', ...use },
  { hour: hour(2), access_key: 'K-0002', ...use, orders: 0, burst_slots: 0 },
];

mkdirSync(dir, { recursive: true });
for (const [name, rows] of Object.entries({ keys, usage }))
  writeFileSync(join(dir, `${name}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
console.log(
  `Written: ${join(dir, 'keys.jsonl')} (${keys.length} lines), ${join(dir, 'usage.jsonl')} (${usage.length})`,
);
