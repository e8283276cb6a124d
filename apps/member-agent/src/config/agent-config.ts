import { readFile, stat } from 'node:fs/promises';
import { readEpochs } from '../epochs/epoch-file.js';
import { dirname, resolve } from 'node:path';
import { BongsuError, LEGAL_BASES, MEMBER_NAME, PURPOSES, type LegalBasis, type Purpose } from '@app/member-sdk';
import { parse as parseYaml } from 'yaml';
import type { ActingRules } from '../acting/actor.js';
import { readGatewayMapping, type GatewayMapping } from '../input/gateway-mapping.js';
import type { NetworkSource } from '../pipeline/labels.js';
import { invalid, Section } from './reader.js';

/** One input file. */
export type InputConfig =
  | { kind: 'usage'; path: string }
  | { kind: 'keys'; path: string }
  | { kind: 'gateway'; path: string; mapping: GatewayMapping };

/** The agent's configuration, checked. Paths are absolute. */
export interface AgentConfig {
  /** The file it was read from. */
  file: string;
  member: string;
  hub: { url: string; issuer: string | undefined };
  /** One blinder, or two asked one after the other. */
  blinders: { url: string; audience: string | undefined; publicKeys: Map<number, Uint8Array> }[];
  epoch: number;
  keyFile: string;
  stateDir: string;
  purpose: Purpose;
  legalBasis: LegalBasis;
  inputs: InputConfig[];
  /** Who says of which network class an address is where a line does not: the bundled table, or nobody. */
  network: NetworkSource;
  spoolBytes: number;
  receive: 'push' | 'poll';
  /** Where the agent's own door listens; null for none. */
  listen: { host: string; port: number } | null;
  /** What the hub's pushes must carry in Authorization; null when polling. */
  pushAuthorization: string | null;
  acting: ActingRules;
  /** Real milliseconds between two rounds of `run`. */
  loopMs: number;
}

/**
 * Reads and checks a configuration file.
 * @throws {BongsuError} CONFIG_INVALID naming the setting and what was expected
 */
export async function readAgentConfig(file: string): Promise<AgentConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    throw new BongsuError(
      'CONFIG_INVALID',
      `The configuration ${resolve(file)} cannot be read; write one with \`init\`, or name it with --config.`,
      '--config',
    );
  }
  let values: unknown;
  try {
    values = parseYaml(text);
  } catch (error) {
    throw new BongsuError('CONFIG_INVALID', `${file} is not YAML: ${(error as Error).message}`, file);
  }
  const folder = dirname(resolve(file));
  const root = Section.of(values, '');
  const member = root.text('member');
  if (!MEMBER_NAME.test(member)) throw invalid('member', member, 'a name of 2 to 31 characters of a-z, 0-9 and -');
  const blinders = root.sections('blinders').map(readBlinder);
  if (blinders.length < 1 || blinders.length > 2) throw invalid('blinders', undefined, 'one or two blinders');
  const epochs = [...blinders[0]!.publicKeys.keys()].filter((e) => blinders.every((b) => b.publicKeys.has(e)));
  if (epochs.length === 0) throw invalid('blinders', undefined, 'a public key of every blinder for one epoch');
  const receive = root.oneOf('receive', ['push', 'poll'], 'poll');
  const config: AgentConfig = {
    file: resolve(file),
    member,
    hub: readHub(root),
    blinders,
    epoch: Math.max(...epochs),
    keyFile: resolve(folder, root.text('keyFile')),
    stateDir: resolve(folder, root.text('stateDir')),
    purpose: root.oneOf('purpose', PURPOSES, 'key_lending_detection'),
    legalBasis: root.oneOf('legalBasis', LEGAL_BASES),
    inputs: root.sections('inputs').map((section) => readInput(section, folder)),
    network: root.oneOf('network', ['asn', 'field'], 'field'),
    spoolBytes: root.whole('spoolMegabytes', 1024, 1, 1_000_000) * 1024 * 1024,
    receive,
    listen: readListen(root),
    pushAuthorization: await readPushAuthorization(root, folder, receive),
    acting: readActing(root),
    loopMs: root.whole('loopMilliseconds', 1000, 10, 3_600_000),
  };
  root.end();
  await followEpochs(config);
  if (receive === 'push' && config.listen === null)
    throw invalid('listen', undefined, 'host:port, since receive is push');
  return config;
}

/** The epoch that the agent has come to since, with the keys that were confirmed for it. */
async function followEpochs(config: AgentConfig): Promise<void> {
  const memory = await readEpochs(config.stateDir);
  if (memory === null) return;
  config.epoch = memory.current;
  for (const [epoch, keys] of Object.entries(memory.keys))
    config.blinders.forEach((blinder, i) => {
      const key = keys[i];
      if (key !== undefined && !blinder.publicKeys.has(Number(epoch)))
        blinder.publicKeys.set(Number(epoch), new Uint8Array(Buffer.from(key, 'base64url')));
    });
}

function readHub(root: Section): AgentConfig['hub'] {
  const section = root.section('hub');
  if (!section) throw invalid('hub', undefined, 'a mapping with the url');
  const hub = { url: section.url('url'), issuer: section.optionalUrl('issuer') };
  section.end();
  return hub;
}

function readBlinder(section: Section): AgentConfig['blinders'][number] {
  const url = section.url('url');
  const audience = section.optionalText('audience');
  const keys = section.section('publicKeys');
  if (!keys) throw invalid(section.name('publicKeys'), undefined, 'a mapping of epoch numbers to public keys');
  const publicKeys = new Map<number, Uint8Array>();
  for (const [epoch, value] of keys.entries()) {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64url') : Buffer.alloc(0);
    if (!/^\d+$/.test(epoch) || bytes.length !== 32)
      throw invalid(`${section.name('publicKeys')}.${epoch}`, value, 'an epoch number and 32 bytes in base64url');
    publicKeys.set(Number(epoch), new Uint8Array(bytes));
  }
  section.end();
  return { url, audience, publicKeys };
}

function readInput(section: Section, folder: string): InputConfig {
  const kinds = (['usage', 'keys', 'gateway'] as const).filter((kind) => section.has(kind));
  if (kinds.length !== 1) throw invalid(section.name('usage'), undefined, 'one of usage, keys, gateway with a path');
  const kind = kinds[0]!;
  const path = resolve(folder, section.text(kind));
  const input: InputConfig = kind === 'gateway' ? { kind, path, mapping: readGatewayMapping(section) } : { kind, path };
  section.end();
  return input;
}

function readListen(root: Section): AgentConfig['listen'] {
  const text = root.optionalText('listen');
  if (text === undefined) return null;
  const parts = /^(?:\[([0-9a-fA-F:]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (!parts || Number(parts[3]) > 65535) throw invalid('listen', text, 'host:port');
  return { host: (parts[1] ?? parts[2])!, port: Number(parts[3]) };
}

async function readPushAuthorization(root: Section, folder: string, receive: string): Promise<string | null> {
  const value = root.optionalText('pushAuthorization');
  const file = root.optionalText('pushAuthorizationFile');
  if (value !== undefined && file !== undefined)
    throw invalid('pushAuthorizationFile', undefined, 'either it or pushAuthorization, not both');
  if (receive !== 'push') return null;
  if (value !== undefined) return value;
  if (file === undefined) throw invalid('pushAuthorization', undefined, 'the value registered with the alliance');
  try {
    return (await readFile(resolve(folder, file), 'utf8')).trim();
  } catch {
    throw invalid('pushAuthorizationFile', file, 'the path of a readable file');
  }
}

function readActing(root: Section): ActingRules {
  const section = root.section('hook');
  const rules: ActingRules = {
    mode: root.oneOf('act', ['dry-run', 'live'], 'dry-run'),
    expire: root.oneOf('expire', ['hold', 'auto'], 'hold'),
    capPerHour: root.whole('capPerHour', 20, 0, 1_000_000),
    hook: null,
  };
  if (!section) {
    if (rules.mode === 'live') throw invalid('hook', undefined, 'a url or a command, since act is live');
    return rules;
  }
  const url = section.optionalUrl('url');
  const command = section.has('command') ? section.texts('command', []) : undefined;
  if ((url === undefined) === (command === undefined))
    throw invalid(section.name('url'), undefined, 'either it or command');
  rules.hook = {
    url,
    command,
    authorization: section.optionalText('authorization'),
    timeoutMs: section.whole('timeoutSeconds', 30, 1, 3600) * 1000,
    idempotent: section.flag('idempotent', false),
  };
  section.end();
  return rules;
}

/**
 * Reads the member's private key (JWK).
 * @throws {BongsuError} CONFIG_INVALID when it cannot be read, others can read it, or it is none
 */
export async function readKeyFile(path: string): Promise<Record<string, unknown>> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0)
      throw new BongsuError(
        'CONFIG_INVALID',
        `keyFile: ${path} can be read by others; run \`chmod 600 ${path}\`.`,
        'keyFile',
      );
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof BongsuError) throw error;
    throw new BongsuError(
      'CONFIG_INVALID',
      `keyFile: ${path} cannot be read as a private JWK; \`init\` writes one.`,
      'keyFile',
    );
  }
}
