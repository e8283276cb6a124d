import { writeFile } from 'node:fs/promises';
import { writeClockFile } from '@app/infrastructure/clock';
import { jest } from '@jest/globals';
import { asTableInfo } from '../network/as-table.js';
import { Bench } from '../testing/bench.js';
import { doctor } from './doctor.js';

const DAY = 86_400_000;

describe('doctor, of what the agent says about addresses', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(async () => {
    delete process.env['CLOCK_FILE'];
    await bench.stop();
  });

  /** Its lines on network classes and warning lists, so many days after the table was made. */
  async function said(network: 'asn' | 'field', age = 1): Promise<string> {
    const { file, keyFile, stateDir, blinders } = bench.config;
    const publicKey = Buffer.from(bench.blinder.publicKey).toString('base64url');
    await writeFile(
      file,
      `member: upbit\nhub: { url: "${bench.hub.url}" }\nkeyFile: ${keyFile}\nstateDir: ${stateDir}\nnetwork: ${network}\n` +
        `legalBasis: contract_terms\nblinders: [{ url: "${blinders[0]!.url}", publicKeys: { 1: ${publicKey} } }]\n`,
    );
    process.env['CLOCK_FILE'] = bench.path('clock.json');
    writeClockFile(process.env['CLOCK_FILE'], asTableInfo().date + age * DAY);
    const log = jest.spyOn(console, 'log').mockImplementation(() => {});
    const before = process.exitCode;
    try {
      await doctor({ config: file });
      return log.mock.calls.map(([line]) => String(line)).filter((line) => /network|warning|things? (is|are)/.test(line)).join('\n');
    } finally {
      log.mockRestore();
      process.exitCode = before;
    }
  } // prettier-ignore

  it('says which table is in use and of which day', async () => {
    const { version, date } = asTableInfo();
    const day = new Date(date).toISOString().slice(0, 10);
    expect(await said('asn', 179)).toContain(`ok    network classes: @ip-location-db/asn ${version} of ${day}`);
    expect(await said('field')).toContain('ok    network classes: as the inputs say');
  });

  it('remarks that it is old, which is no reason to stop', async () => {
    const text = await said('asn', 181);
    expect(text).toMatch(/note {2}network classes: .*older than 180 days; update the agent/);
    expect(text).not.toMatch(/WRONG network/);
  });

  it('counts the lists that the hub has', async () => {
    expect(await said('field')).toContain('ok    warning lists: the alliance has none');
    for (let i = 0; i < 6; i++) bench.hub.putWarningList(`list ${i}`, ['1.1.1.1/32', '8.8.8.0/24']);
    bench.hub.putWarningList('list 0', []);
    expect(await said('field')).toContain('ok    warning lists: 5 with 10 entries');
  });
});
