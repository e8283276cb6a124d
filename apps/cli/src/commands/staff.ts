import { Command } from 'commander';
import { BongsuError } from '@app/protocol';
import { readJoining, registerMember, type MemberRow } from '../api/joining.js';
import { localHub, openAs, type PersonOptions } from '../api/local.js';
import { formatErasure, listErasures } from '../api/erasures.js';
import { auditCommand } from './staff-audit.js';
import { listMember } from '../blinder-list/files.js';
import { allianceKeyCommand, blinderListCommand } from './blinder-list.js';
import { addEpochCommands } from './staff-epoch.js';
import { addListCommands } from './staff-lists.js';
import { addKeysCommands } from './staff-keys.js';

/** `npm run staff -- …` */
export function staffCommand(): Command {
  const staff = new Command('staff').description('What alliance staff do');
  const person = (command: Command) =>
    command
      .option('--hub <url>', 'the hub (default: HUB_URL, or the one that `npm start` runs here)')
      .option('--key <file>', 'your private JWK (default: PERSON_KEY_FILE, or the one that `npm start` made)')
      .option('--name <name>', 'your name at the hub (default: PERSON_NAME, or "operator")');

  const member = staff.command('member').description('Member exchanges');
  person(member.command('add'))
    .description('Register a member with what its `agent init` printed')
    .argument('<file>', 'JSON file from the member (join.json)')
    .action(addMember);
  person(member.command('list').description('List members')).action(listMembers);
  for (const [verb, mutation, description] of [
    ['suspend', 'suspendMember', 'Refuse a member at every door, within seconds'],
    ['reinstate', 'reinstateMember', 'Let a member in again'],
    ['leave', 'leaveMember', 'Let a member leave for good: it is refused at every door, and what it sent is erased'],
  ] as const)
    person(member.command(verb))
      .description(description)
      .argument('<member>')
      .requiredOption('--reason <text>', 'why, for the audit')
      .action(async (name: string, options: PersonOptions & { reason: string }) => {
        const api = await openAs('staff', options);
        const answer = await api.query<Record<string, MemberRow>>(
          `mutation ($name: String!, $reason: String!) { result: ${mutation}(name: $name, reason: $reason) { name state deliveryMethod endpointUrl } }`,
          { name, reason: options.reason },
        );
        print([answer['result']!]);
        await api.close();
      });
  addKeysCommands(staff, person);
  person(staff.command('standard'))
    .description('Print the standard in force: its text, or the policy that detection reads')
    .option('--lang <ko|en>', 'language of the text', 'en')
    .option('--policy', 'the policy as JSON instead of the text')
    .action(printStandard);
  person(staff.command('erasures').description('List what members had erased, oldest first')).action(erasures);
  staff.addCommand(person(auditCommand()));
  addListCommands(staff, person);
  addEpochCommands(staff, person);
  person(staff.command('backlog').description('What is still under way in the hub')).action(backlog);
  staff.addCommand(blinderListCommand());
  staff.addCommand(allianceKeyCommand());
  return staff;
}

async function addMember(file: string, options: PersonOptions): Promise<void> {
  const joining = readJoining(file);
  const api = await openAs('staff', options);
  const added = await registerMember(api, joining);
  await api.close();
  print([added]);
  const local = localHub();
  const hub = options.hub ?? process.env['HUB_URL'] ?? local?.hubUrl;
  if (!local || hub !== local.hubUrl)
    return say(
      `The blinder knows members by a list of its own. Offline: blinder-list add ${file}, then blinder-list sign.`,
    );
  await listMember(local, joining.name, joining.jwk, new Date());
  say(`On the blinder's list, signed with this stack's alliance key: ${local.blinderMembersFile}`);
}

async function listMembers(options: PersonOptions): Promise<void> {
  const api = await openAs('staff', options);
  print((await api.query<{ members: MemberRow[] }>('{ members { name state deliveryMethod endpointUrl } }')).members);
  await api.close();
}

async function printStandard(options: PersonOptions & { lang: string; policy?: boolean }): Promise<void> {
  if (options.lang !== 'ko' && options.lang !== 'en')
    throw new BongsuError('BAD_INPUT', `--lang is ko or en, not "${options.lang}".`, '--lang');
  const api = await openAs('staff', options);
  const { currentStandard: standard } = await api.query<{
    currentStandard: {
      version: string;
      effectiveFrom: string;
      textKo: string;
      textEn: string;
      policy: unknown;
      contentHash: string;
    };
  }>('{ currentStandard { version effectiveFrom textKo textEn policy contentHash } }');
  await api.close();
  if (options.policy) return say(JSON.stringify(standard.policy, null, 2));
  say(options.lang === 'ko' ? standard.textKo : standard.textEn);
  process.stderr.write(
    `Version ${standard.version}, in force since ${standard.effectiveFrom}, content ${standard.contentHash}\n`,
  );
}

async function erasures(options: PersonOptions): Promise<void> {
  const api = await openAs('staff', options);
  for await (const erasure of listErasures(api)) say(formatErasure(erasure));
  await api.close();
}

async function backlog(options: PersonOptions): Promise<void> {
  const api = await openAs('staff', options);
  const answer = await api.query<{ backlog: Record<string, number> }>(
    '{ backlog { batchesToFold keysToAssess outcomesToApply deliveriesPending } }',
  );
  for (const [name, count] of Object.entries(answer.backlog)) say(`${name.padEnd(20)} ${count}`);
  await api.close();
}

function print(members: readonly MemberRow[]): void {
  for (const m of members)
    say(`${m.name.padEnd(12)} ${m.state.padEnd(10)} ${m.deliveryMethod} ${m.endpointUrl ?? ''}`.trimEnd());
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
