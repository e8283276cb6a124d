import { existsSync, readFileSync } from 'node:fs';
import { BongsuError } from '@app/protocol';
import { LOCAL_HUB_FILE, type LocalHub } from '../commands/start.js';
import { REGULATOR_NAME, STAFF_NAME } from '../stack/identities.js';
import { HubApi } from './hub-api.js';

/** Options that every command of a person takes. */
export interface PersonOptions {
  hub?: string;
  key?: string;
  name?: string;
}

/** The hub that `npm start` runs in this checkout, if it wrote down where. */
export function localHub(): LocalHub | undefined {
  return existsSync(LOCAL_HUB_FILE) ? (JSON.parse(readFileSync(LOCAL_HUB_FILE, 'utf8')) as LocalHub) : undefined;
}

/** Opens the hub's door as a person: by options, then environment, then the hub that runs in this checkout. */
export async function openAs(kind: 'staff' | 'regulator', options: PersonOptions): Promise<HubApi> {
  const local = localHub();
  const hub = options.hub ?? process.env['HUB_URL'] ?? local?.hubUrl;
  const key =
    options.key ?? process.env['PERSON_KEY_FILE'] ?? (kind === 'staff' ? local?.staffKeyFile : local?.regulatorKeyFile);
  if (!hub)
    throw new BongsuError(
      'CONFIG_INVALID',
      'No hub is known: give --hub URL, or start one here with `npm start`.',
      '--hub',
    );
  if (!key) throw new BongsuError('CONFIG_INVALID', 'No key is known: give --key FILE, your private JWK.', '--key');
  const name = options.name ?? process.env['PERSON_NAME'] ?? (kind === 'staff' ? STAFF_NAME : REGULATOR_NAME);
  return HubApi.open(hub, `${kind}:${name}`, key);
}
