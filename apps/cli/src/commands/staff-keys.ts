import type { Command } from 'commander';
import { openAs, type PersonOptions } from '../api/local.js';

interface KeyRow {
  kid: string;
  alg: string;
  createdAt: string;
  retiredAt: string | null;
  stolen: boolean;
}

const FIELDS = 'kid alg createdAt retiredAt stolen';

/** `npm run staff -- keys …`: the hub's signing keys. @param person adds the options that every command takes */
export function addKeysCommands(staff: Command, person: (command: Command) => Command): void {
  const keys = staff.command('keys').description('The keys that the hub signs with');
  person(keys.command('list').description('List them, oldest first')).action(async (options: PersonOptions) => {
    const api = await openAs('staff', options);
    const { signingKeys } = await api.query<{ signingKeys: KeyRow[] }>(`{ signingKeys { ${FIELDS} } }`);
    await api.close();
    print(signingKeys);
  });
  person(keys.command('retire'))
    .description('Sign no more with a key; hub and worker must have the next one')
    .argument('<kid>')
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('--stolen', 'refuse at once all that it signed, instead of after a day')
    .action(async (kid: string, options: PersonOptions & { reason: string; stolen?: boolean }) => {
      const api = await openAs('staff', options);
      const { retireSigningKey } = await api.query<{ retireSigningKey: KeyRow }>(
        `mutation ($input: RetireSigningKeyInput!) { retireSigningKey(input: $input) { ${FIELDS} } }`,
        { input: { kid, reason: options.reason, stolen: options.stolen ?? false } },
      );
      await api.close();
      print([retireSigningKey]);
    });
}

function print(keys: readonly KeyRow[]): void {
  for (const { kid, alg, createdAt, retiredAt, stolen } of keys) {
    const state = retiredAt === null ? 'in use or next' : `${stolen ? 'stolen, refused' : 'refused'} from ${retiredAt}`;
    process.stdout.write(`${kid} ${alg} since ${createdAt}: ${state}\n`);
  }
}
