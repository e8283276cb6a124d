import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve, dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { BongsuError, HttpDoor, LEGAL_BASES, MEMBER_NAME } from '@app/member-sdk';
import { readAgentConfig, readKeyFile } from '../config/agent-config.js';
import { configTemplate } from '../config/template.js';
import { exists, makeFolder } from '../state/files.js';
import { makeMemberKey, publicHalf } from '../state/member-keys.js';
import { say, type ConfigOption } from './context.js';

export interface InitOptions extends ConfigOption {
  member?: string;
  hub?: string;
  issuer?: string;
  blinder?: string[];
  blinderKey?: string[];
  usage?: string[];
  keys?: string[];
  gateway?: string[];
  preset?: string;
  network?: string;
  legalBasis?: string;
  receive?: string;
  listen?: string;
  publicUrl?: string;
  pushAuthorization?: string;
  hookUrl?: string;
  hookCommand?: string;
  hookIdempotent?: boolean;
  act?: string;
  expire?: string;
  cap?: string;
  state?: string;
  loop?: string;
  force?: boolean;
}

/** `init`: writes a commented configuration and a key pair, and prints what the alliance needs to register. */
export async function init(options: InitOptions): Promise<void> {
  const file = resolve(options.config);
  const folder = dirname(file);
  if ((await exists(file)) && !options.force)
    throw new BongsuError(
      'CONFIG_INVALID',
      `${file} is there already; --force writes it anew and keeps the keys.`,
      '--force',
    );
  const ask = asker();
  try {
    const member = await ask(options.member, '--member', 'Name of the exchange (a-z, 0-9, -)');
    if (!MEMBER_NAME.test(member)) throw new BongsuError('CONFIG_INVALID', `"${member}" is not a name.`, '--member');
    const hub = await ask(options.hub, '--hub', "The hub's URL");
    const urls = options.blinder ?? [await ask(undefined, '--blinder', "The blinder's URL")];
    const blinders = await Promise.all(
      urls.map(async (url, i) => ({ url, publicKeys: await pin(url, options.blinderKey?.[i]) })),
    );
    const receive = choice(options.receive ?? (options.listen ? 'push' : 'poll'), ['push', 'poll'], '--receive');
    const listen = options.listen ?? (receive === 'push' ? '127.0.0.1:8300' : undefined);
    const gateways = (options.gateway ?? []).map((path) => ({
      path: beside(folder, path),
      preset: options.preset ?? 'nginx',
    }));

    const keyFolder = join(folder, 'keys');
    await makeFolder(keyFolder);
    const jwk = await keyPair(keyFolder, member);
    let authorization: string | undefined;
    if (receive === 'push') {
      const path = join(keyFolder, 'push-authorization');
      const kept = await readFile(path, 'utf8').catch(() => null);
      authorization = options.pushAuthorization ?? kept?.trim() ?? `Bearer ${randomBytes(32).toString('base64url')}`;
      await writeSecret(path, `${authorization}\n`);
    }
    const text = configTemplate({
      member,
      hub,
      ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
      blinders,
      keyFile: 'keys/private.jwk.json',
      stateDir: options.state === undefined ? 'state' : beside(folder, options.state),
      legalBasis: choice(options.legalBasis ?? 'user_protection_act_surveillance', LEGAL_BASES, '--legal-basis'),
      usage: (options.usage ?? []).map((path) => beside(folder, path)),
      keys: (options.keys ?? []).map((path) => beside(folder, path)),
      gateways,
      network: choice(options.network ?? 'asn', ['asn', 'field'], '--network'),
      receive,
      ...(listen === undefined ? {} : { listen }),
      ...(receive === 'push' ? { pushAuthorizationFile: 'keys/push-authorization' } : {}),
      act: choice(options.act ?? 'dry-run', ['dry-run', 'live'], '--act'),
      expire: choice(options.expire ?? 'hold', ['hold', 'auto'], '--expire'),
      capPerHour: Number(options.cap ?? 20),
      ...(options.hookUrl === undefined ? {} : { hookUrl: options.hookUrl }),
      ...(options.hookCommand === undefined ? {} : { hookCommand: options.hookCommand }),
      hookIdempotent: options.hookIdempotent ?? false,
      loopMilliseconds: Number(options.loop ?? 1000),
    });
    await writeFile(file, text, { mode: 0o600 });
    await readAgentConfig(file);

    const url = options.publicUrl ?? (listen === undefined ? undefined : `http://${listen}/events`);
    const delivery = receive === 'push' ? { method: 'push', url, authorization } : { method: 'poll' };
    const joining = JSON.stringify({ name: member, jwk, delivery }, null, 2);
    await writeSecret(join(folder, 'join.json'), `${joining}\n`);
    say(`Written: ${file}, ${keyFolder} (keep private.jwk.json secret), ${join(folder, 'join.json')}.`);
    for (const { url: at, publicKeys } of blinders)
      for (const [epoch, key] of Object.entries(publicKeys))
        say(`Pinned for ${at}, epoch ${epoch}: ${key}. Compare it with the key that the alliance published.`);
    say('Send the alliance the following; the authorization, if there is one, over a confidential way:');
    console.log(joining);
    say('When the alliance has registered it: `doctor`, then `push --dry-run --show`, then `run`.');
  } finally {
    ask.close();
  }
}

/** The member's key pair; one that is there already is kept. Answers the public half. */
async function keyPair(folder: string, member: string): Promise<Record<string, unknown>> {
  const path = join(folder, 'private.jwk.json');
  let jwk: Record<string, unknown>;
  if (await exists(path)) {
    jwk = await readKeyFile(path);
    say(`The key in ${path} is kept.`);
  } else {
    jwk = await makeMemberKey(member);
    await writeSecret(path, `${JSON.stringify(jwk, null, 1)}\n`);
  }
  const shown = publicHalf(jwk);
  await writeFile(join(folder, 'public.jwk.json'), `${JSON.stringify(shown, null, 1)}\n`);
  return shown;
}

/** The blinder's public keys by epoch: as given, or, with a word of warning, as the blinder itself says. */
async function pin(url: string, given: string | undefined): Promise<Record<number, string>> {
  if (given !== undefined) {
    const parts = /^(?:(\d+):)?([A-Za-z0-9_-]{43})$/.exec(given);
    if (!parts)
      throw new BongsuError(
        'CONFIG_INVALID',
        `"${given}" is not EPOCH:KEY (43 base64url characters).`,
        '--blinder-key',
      );
    return { [Number(parts[1] ?? 1)]: parts[2]! };
  }
  const door = new HttpDoor('blinder', url);
  try {
    const answer = await door.call({ method: 'GET', path: '/v1/epochs', timeoutMs: 10_000 });
    const epochs =
      (answer.body as { epochs?: { epoch: number; publicKey: string; state: string }[] } | null)?.epochs ?? [];
    const usable = epochs.filter((e) => e.state === 'active');
    if (usable.length === 0)
      throw new BongsuError(
        'CONFIG_INVALID',
        `The ${door.label} names no active epoch; give --blinder-key.`,
        '--blinder-key',
      );
    return Object.fromEntries(usable.map((e) => [e.epoch, e.publicKey]));
  } finally {
    await door.close();
  }
}

function choice<T extends string>(value: string, words: readonly T[], flag: string): T {
  const found = words.find((w) => w === value);
  if (!found) throw new BongsuError('CONFIG_INVALID', `${flag} is one of ${words.join(', ')}.`, flag);
  return found;
}

/** A path given from the working directory, as the configuration in `folder` writes it. */
function beside(folder: string, path: string): string {
  const from = relative(folder, resolve(path));
  return from.startsWith('..') ? resolve(path) : from || '.';
}

async function writeSecret(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await chmod(path, 0o600);
}

/** Asks at a terminal for what no flag gave; without a terminal the flag is required. */
function asker(): ((given: string | undefined, flag: string, question: string) => Promise<string>) & { close(): void } {
  const terminal = process.stdin.isTTY ? createInterface({ input: process.stdin, output: process.stderr }) : null;
  const ask = async (given: string | undefined, flag: string, question: string) => {
    const answer = given ?? (terminal ? (await terminal.question(`${question}: `)).trim() : '');
    if (answer === '') throw new BongsuError('CONFIG_INVALID', `${flag} is required: ${question}.`, flag);
    return answer;
  };
  return Object.assign(ask, { close: () => terminal?.close() });
}
