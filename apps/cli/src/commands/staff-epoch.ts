import { Command } from 'commander';
import { BongsuError } from '@app/protocol';
import { BlinderApi } from '../api/blinder-api.js';
import { localHub, openAs, type PersonOptions } from '../api/local.js';
import { Rotation, type Patience } from '../epochs/rotation.js';
import { STAFF_NAME } from '../stack/identities.js';

interface EpochOptions extends PersonOptions {
  blinder: string[];
  blinderName?: string;
  deadline?: string;
  grace: string;
  every: string;
}

const list = (value: string, before: string[] = []) => [...before, value];

/** `staff epoch …`: the change of the blinding key; `staff blinder-audit`. */
export function addEpochCommands(staff: Command, person: (command: Command) => Command): void {
  const epoch = staff.command('epoch').description('The blinding key: epochs, and the change to the next');
  const step = (
    name: string,
    description: string,
    work: (rotation: Rotation, patience: Patience) => Promise<unknown>,
  ) =>
    patient(blinders(person(epoch.command(name).description(description)))).action((options: EpochOptions) =>
      withRotation(options, (rotation) => work(rotation, patienceOf(options))),
    );
  step('rotate', 'Announce, wait for members, switch, close, destroy: from wherever it stands', (rotation, patience) =>
    rotation.run(patience),
  );
  step('announce', 'Have the blinders make the next key, and publish it', (rotation) => rotation.announce());
  step('switch', 'Make the announced epoch the active one', async (rotation, patience) =>
    rotation.switch(await numberIn(rotation, 'ANNOUNCED', 'ACTIVE'), patience),
  );
  step(
    'close',
    'Close the epoch before the active one: its late batches are refused from then on',
    async (rotation, patience) => rotation.close(await numberIn(rotation, 'CLOSING', 'CLOSED'), patience),
  );
  step('destroy', 'Have the blinders destroy the newest closed epoch’s key, and record it', async (rotation) =>
    rotation.destroy(await numberIn(rotation, 'CLOSED', 'CLOSED')),
  );
  person(epoch.command('list').description('Every epoch')).action((options: PersonOptions) =>
    withRotation({ ...options, blinder: [] }, async (rotation) => {
      for (const one of await rotation.epochs())
        say(
          `${one.number} ${one.state.toLowerCase()}, keys destroyed ${one.destroyed.length}: ${one.publicKeys.join(' ')}`,
        );
    }),
  );
  blinders(person(staff.command('blinder-audit').description('Print what a blinder has recorded, a line an entry')))
    .option('--after <seq>', 'only entries after this number', '0')
    .action(blinderAudit);
}

function blinders(command: Command): Command {
  return command
    .option('--blinder <url>', 'a blinder; again for the second, in the order in which members ask them', list)
    .option('--blinder-name <name>', 'your name on the blinder’s list (default: your name at the hub)');
}

function patient(command: Command): Command {
  return command
    .option('--deadline <time>', 'go on then, whoever has not re-enrolled (ISO 8601)')
    .option('--grace <seconds>', 'how long late batches are taken after the switch', '86400')
    .option('--every <seconds>', 'between two looks', '5');
}

function patienceOf({ deadline, grace, every }: EpochOptions): Patience {
  const at = deadline === undefined ? null : Date.parse(deadline);
  const [graceMs, everyMs] = [Number(grace) * 1000, Number(every) * 1000];
  if (Number.isNaN(at) || !(graceMs >= 0) || !(everyMs > 0))
    throw new BongsuError('BAD_INPUT', '--deadline is a time, --grace and --every are seconds.', '--deadline');
  return { deadline: at, graceMs, everyMs };
}

async function withRotation(
  options: Pick<EpochOptions, 'blinder' | 'blinderName'> & PersonOptions,
  work: (rotation: Rotation) => Promise<unknown>,
): Promise<void> {
  const hub = await openAs('staff', options);
  const doors = await openBlinders(options);
  try {
    await work(new Rotation(hub, doors, say));
  } finally {
    for (const door of doors) await door.close();
    await hub.close();
  }
}

async function openBlinders(
  options: Pick<EpochOptions, 'blinder' | 'blinderName'> & PersonOptions,
): Promise<BlinderApi[]> {
  const local = localHub();
  const urls = options.blinder ?? local?.blinderUrls ?? [];
  const keyFile = options.key ?? process.env['PERSON_KEY_FILE'] ?? local?.staffKeyFile;
  const name = options.blinderName ?? options.name ?? process.env['PERSON_NAME'] ?? STAFF_NAME;
  if (urls.length > 0 && !keyFile)
    throw new BongsuError('CONFIG_INVALID', 'No key is known: give --key FILE, your private JWK.', '--key');
  return Promise.all(urls.map((url) => BlinderApi.open(url, name, keyFile!)));
}

async function blinderAudit(options: EpochOptions & { after: string }): Promise<void> {
  for (const blinder of await openBlinders(options)) {
    let after = Number(options.after);
    for (;;) {
      const { day, usage, entries, next } = await blinder.audit(after);
      for (const entry of entries) say(JSON.stringify(entry));
      if (entries.length === 0) {
        process.stderr.write(`${blinder.label}, ${day}: ${JSON.stringify(usage)}\n`);
        break;
      }
      after = next;
    }
    await blinder.close();
  }
}

/** The newest epoch in a state, or else in the other: a step that is done already is done again, to no effect. */
async function numberIn(rotation: Rotation, ...states: string[]): Promise<number> {
  const epochs = await rotation.epochs();
  for (const state of states) {
    const found = epochs.findLast((epoch) => epoch.state === state);
    if (found) return found.number;
  }
  throw new BongsuError('EPOCH_UNKNOWN', `No epoch is ${states.join(' or ').toLowerCase()}.`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
