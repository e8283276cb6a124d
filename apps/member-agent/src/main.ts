import { Command, CommanderError } from 'commander';
import { doctor } from './commands/doctor.js';
import { erase, type EraseOptions } from './commands/erase.js';
import { evidence } from './commands/evidence.js';
import { init, type InitOptions } from './commands/init.js';
import { release, resolveKeys, settle, stop } from './commands/people.js';
import { pull } from './commands/pull.js';
import { push, type PushOptions } from './commands/push.js';
import { rotateKey } from './commands/rotate-key.js';
import { run } from './commands/run.js';
import { status } from './commands/status.js';
import type { ConfigOption } from './commands/context.js';
import { withdraw } from './commands/withdraw.js';
import { diskTrouble } from './state/disk-trouble.js';

const program = new Command('agent')
  .description("Bongsu's agent at an exchange: reads logs, blinds, sends, receives, acts, reports.")
  .showHelpAfterError()
  .exitOverride();

/** A command with the option that all have. */
function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--config <file>', 'configuration file', process.env['AGENT_CONFIG'] ?? './agent.yaml');
}
const list = (value: string, before: string[] | undefined) => [...(before ?? []), value];

command('init', 'write a commented configuration and a key pair, and print what to send to the alliance')
  .option('--member <name>', 'name of the exchange')
  .option('--hub <url>', "the hub's URL")
  .option('--issuer <url>', 'what the hub calls itself, where that is not its URL')
  .option('--blinder <url>', "a blinder's URL; twice for two", list)
  .option('--blinder-key <epoch:key>', 'its public key as the alliance published it; else the blinder is asked', list)
  .option('--usage <file>', 'an hourly usage file to follow', list)
  .option('--keys <file>', 'a key list to follow', list)
  .option('--gateway <file>', "a gateway's log to follow", list)
  .option('--preset <name>', 'how the gateway logs: nginx, envoy or kong')
  .option('--network <source>', 'network classes: asn (the bundled table where a line has none) or field (as logged)')
  .option('--legal-basis <word>', 'user_protection_act_surveillance, contract_terms or legitimate_interest')
  .option('--receive <how>', 'push or poll')
  .option('--listen <host:port>', 'where the agent listens for pushes and status calls')
  .option('--public-url <url>', 'where the hub reaches /events, if not at --listen')
  .option('--push-authorization <value>', 'what the hub is to send in Authorization; else a random one')
  .option('--hook-url <url>', "the exchange's hook, called by POST")
  .option('--hook-command <command>', "the exchange's hook, a command run by /bin/sh")
  .option('--hook-idempotent', 'the hook honours the idempotency key')
  .option('--act <mode>', 'dry-run or live')
  .option('--expire <how>', 'hold (for a person) or auto')
  .option('--cap <number>', 'most recommendations acted on in an hour')
  .option('--state <folder>', 'state folder')
  .option('--loop <milliseconds>', 'pause between two looks at the inputs')
  .option('--force', 'write the configuration anew')
  .action((options: InitOptions) => init(options));

command('doctor', 'check connections, key, clock and log formats, and say what to do').action((options: ConfigOption) =>
  doctor(options),
);

command('push', "send files once, to their end; without a file the configuration's inputs")
  .option('--usage <file>', 'hourly usage', list)
  .option('--keys <file>', 'key list', list)
  .option('--gateway <file>', "a gateway's log, JSON lines; - for standard input")
  .option('--preset <name>', 'how the gateway logs: nginx, envoy or kong')
  .option('--dry-run', 'send nothing')
  .option('--show', 'with --dry-run: print the exact bytes that would leave, and what they say')
  .action((options: PushOptions) => push(options));

command('pull', 'fetch recommendations once, act on them as configured, report outcomes').action(
  (options: ConfigOption) => pull(options),
);

command('run', 'do everything continuously').action((options: ConfigOption) => run(options));

command('status', 'what was sent, refused and why, what waits, what came back')
  .option('--json', 'as JSON')
  .action((options: ConfigOption & { json?: boolean }) => status(options));

command('evidence', 'everything on one recommendation, as JSON')
  .argument('<id>', 'recommendation')
  .action((id: string, options: ConfigOption) => evidence(id, options));

command('stop', 'halt acting at once')
  .option('--resume', 'let acting go on')
  .action((options: ConfigOption & { resume?: boolean }) => stop(options));

command('release', 'let a held recommendation go, or have the hook called again')
  .argument('<id>', 'recommendation')
  .action((id: string, options: ConfigOption) => release(id, options));

command('settle', 'say what a person did or found about a recommendation')
  .argument('<id>', 'recommendation')
  .argument('<outcome>', 'executed, declined, upheld, cleared, reverification_passed, _failed or _ignored')
  .option('--reason <word>', 'for declined: why')
  .option('--note <text>', 'for the alliance')
  .action((id: string, outcome: string, options: ConfigOption & { reason?: string; note?: string }) =>
    settle(id, outcome, options),
  );

command('rotate-key', 'put a new key in the place of the one in use; again, to go on where it stopped').action(
  (options: ConfigOption) => rotateKey(options),
);

command('withdraw', 'take a batch back that the hub holds: its rows no longer stand')
  .argument('<batch>', 'batch id, a UUID')
  .requiredOption('--reason <text>', 'why, for the audit')
  .action((batch: string, options: ConfigOption & { reason: string }) => withdraw(batch, options));

command('erase', 'have the hub erase everything about one own key, or one owner, and print the receipt')
  .option('--key <access key>', 'the key')
  .option('--owner-file <file>', "a file that holds the owner's CI, as the key list has it; - for standard input")
  .option('--erasure <id>', 'ask for nothing; show how far an erasure has come')
  .option('--reason <text>', 'why, for the audit: without names, keys or addresses')
  .action((options: EraseOptions) => erase(options));

command('resolve', 'which own access keys have these short tokens')
  .argument('[short...]', 'short tokens, 16 hex digits each')
  .option('--all', 'every own key')
  .option('--json <file>', 'write to a file instead')
  .action((shorts: string[], options: ConfigOption & { all?: boolean; json?: string }) => resolveKeys(shorts, options));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else {
    const { name, message, stack } = error as Error;
    const trouble = diskTrouble(error);
    // What is expected to go wrong has a message for people; anything else is a fault, and its place helps.
    console.error(trouble ?? (name === 'BongsuError' || name === 'DoorError' ? message : stack));
    process.exitCode = 1;
  }
}
