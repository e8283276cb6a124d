import type { JsonWebKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { BongsuError, isForDevelopment, keyThumbprint, openBlinderList, publicPart } from '@app/protocol';
import { readJoining } from '../api/joining.js';
import { EMPTY_LIST, withCaller, withoutCaller } from '../blinder-list/changes.js';
import { makeAllianceKey, readJwk, readList, signList, writeList } from '../blinder-list/files.js';
import { wholeNumber } from './simulate.js';

const LIST = 'blinder-list.json';
const SIGNED = 'blinder-members.jws';

interface ListOption {
  list: string;
}

/** `npm run staff -- blinder-list …`: everything here works without a network. */
export function blinderListCommand(): Command {
  const root = new Command('blinder-list').description(
    'The blinder’s list of members: kept in a plain file, signed offline with the alliance’s key',
  );
  const withList = (command: Command) => command.option('--list <file>', 'the list, as it is kept', LIST);

  withList(root.command('create').description('Make a list without anybody on it')).action(create);
  withList(root.command('add'))
    .description('Put a member on the list, or a second key beside its first; or set its quota')
    .argument('<member>', 'its join.json, or its name with --jwk')
    .option('--jwk <file>', 'its public JWK')
    .option('--quota <elements>', 'elements that it may have evaluated a day', wholeNumber(0, 1_000_000_000))
    .option('--staff', 'one of staff, who may read the blinder’s audit, instead of a member')
    .action(add);
  withList(root.command('remove'))
    .description('Take somebody off the list, or one of two keys')
    .argument('<name>')
    .option('--key <thumbprint>', 'the key to take away, or the beginning of it')
    .action(remove);
  withList(root.command('show').description('Print who is on the list')).action(({ list }: ListOption) =>
    print(readList(list)),
  );
  withList(root.command('sign'))
    .description('Sign the list under its next number: the file that the blinder reads')
    .requiredOption('--key <file>', 'the alliance’s private JWK')
    .option('--out <file>', 'where the signed list goes', SIGNED)
    .action(sign);
  root
    .command('verify')
    .description('Check a signed list with the alliance’s public key, and print who is on it')
    .argument('[file]', 'the signed list', SIGNED)
    .requiredOption('--key <file>', 'the alliance’s public JWK')
    .action(verify);
  return root;
}

/** `npm run staff -- alliance-key` */
export function allianceKeyCommand(): Command {
  return new Command('alliance-key')
    .description('Make the key that the alliance signs the blinder’s list with; keep it offline')
    .option('--out <file>', 'where the private JWK goes', 'alliance.jwk')
    .option('--public <file>', 'where the public JWK goes', 'alliance.public.jwk')
    .action(async (options: { out: string; public: string }) => {
      const jwk = makeAllianceKey(options.out, options.public);
      say(`Private key: ${options.out} (keep it off every network; whoever has it decides who may ask the blinder)`);
      say(`Public key:  ${options.public} (for the blinder: BLINDER_ALLIANCE_KEY_FILE)`);
      say(`Thumbprint:  ${await keyThumbprint(publicPart(jwk))}`);
    });
}

function create({ list }: ListOption): void {
  if (existsSync(list)) throw new BongsuError('BAD_INPUT', `${list} is there already.`, '--list');
  writeList(list, EMPTY_LIST);
  say(`${list}: nobody is on it yet.`);
}

async function add(
  member: string,
  options: ListOption & { jwk?: string; quota?: number; staff?: boolean },
): Promise<void> {
  const isFile = options.jwk === undefined && existsSync(member);
  const joining = isFile ? readJoining(member) : { name: member, jwk: undefined };
  const key: JsonWebKey | undefined = options.jwk === undefined ? joining.jwk : readJwk(options.jwk);
  const list = await withCaller(readList(options.list), options.staff ? 'staff' : 'members', {
    name: joining.name,
    key,
    dailyQuota: options.quota,
  });
  writeList(options.list, list);
  await print(list);
  remindToSign(options.list);
}

async function remove(name: string, options: ListOption & { key?: string }): Promise<void> {
  const list = await withoutCaller(readList(options.list), name, options.key);
  writeList(options.list, list);
  await print(list);
  remindToSign(options.list);
}

async function sign(options: ListOption & { key: string; out: string }): Promise<void> {
  const files = { blinderListFile: options.list, blinderMembersFile: options.out, allianceKeyFile: options.key };
  const list = await signList(files, new Date());
  await print(list);
  say(
    `Signed as number ${list.sequence}: ${options.out}. Bring it to the blinder and put it in place in one step (mv).`,
  );
}

async function verify(file: string, options: { key: string }): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new BongsuError('BAD_INPUT', `${file} cannot be read.`, file);
  }
  await print(await openBlinderList(text, publicPart(readJwk(options.key))));
  say('The alliance’s key signed it.');
}

async function print(list: ReturnType<typeof readList>): Promise<void> {
  say(list.sequence === 0 ? 'Never signed' : `Number ${list.sequence}, signed ${list.issuedAt}`);
  for (const [kind, callers] of [
    ['member', list.members],
    ['staff', list.staff],
  ] as const)
    for (const { name, keys, dailyQuota } of callers) {
      const quota = dailyQuota === undefined ? '' : `  ${dailyQuota} a day`;
      for (const [i, key] of keys.entries()) {
        const mark = isForDevelopment(key) ? '  (for development)' : '';
        say(
          `${kind.padEnd(6)} ${(i === 0 ? name : '').padEnd(16)} ${await keyThumbprint(key)}${i === 0 ? quota : ''}${mark}`,
        );
      }
    }
  if (list.members.length + list.staff.length === 0) say('nobody is on it');
}

function remindToSign(list: string): void {
  process.stderr.write(
    `Changed in ${list} only: it counts once \`blinder-list sign\` has signed it and the blinder has the file.\n`,
  );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
