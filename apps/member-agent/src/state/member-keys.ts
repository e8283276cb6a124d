import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BongsuError, MemberKey, type KeyRing } from '@app/member-sdk';
import { exportJWK, generateKeyPair } from 'jose';
import { readKeyFile } from '../config/agent-config.js';
import { exists, syncFolder, writeDurably } from './files.js';

/** A private key as JWK, with a `kid` by which people know it. */
export type PrivateJwk = Record<string, unknown>;

/** Makes a key pair of a member: ES256. */
export async function makeMemberKey(member: string): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const kid = `${member}-${randomBytes(4).toString('hex')}`;
  return { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid };
}

/** The half of a key that others may see. */
export function publicHalf({ d: _private, ...rest }: PrivateJwk): PrivateJwk {
  return rest;
}

/** The keys that lie in the files, by what each is for. */
export interface FoundKeys {
  current: MemberKey;
  /** Made by a change of keys that has not been finished. */
  next: MemberKey | null;
  /** In use before, and kept until every blinder takes the current one. */
  previous: MemberKey | null;
}

/**
 * The member's key, and while it is being changed the one before and the one to come, in files beside each other: the
 * key file, `….previous`, `….next`. Each step of a change is one rename, so that whenever the machine stops the key
 * file holds a key that the hub takes, and the next try goes on from there. Files are read again when they change: a
 * running agent follows a change of keys by itself.
 */
export class MemberKeyFiles implements KeyRing {
  private read: { stamp: string; keys: FoundKeys } | null = null;

  /** @param path the key file */
  constructor(readonly path: string) {}

  get nextPath(): string {
    return `${this.path}.next`;
  }

  get previousPath(): string {
    return `${this.path}.previous`;
  }

  /** What is there now. @throws {BongsuError} CONFIG_INVALID for a file that is no private key, or that others can read */
  async look(): Promise<FoundKeys> {
    const stamp = await this.stamp();
    if (this.read?.stamp === stamp) return this.read.keys;
    try {
      const keys: FoundKeys = {
        current: await readKey(this.path),
        next: (await exists(this.nextPath)) ? await readKey(this.nextPath) : null,
        previous: (await exists(this.previousPath)) ? await readKey(this.previousPath) : null,
      };
      this.read = { stamp, keys };
      return keys;
    } catch (error) {
      // The files were exchanged while they were read.
      if ((await this.stamp()) !== stamp) return this.look();
      throw error;
    }
  }

  async keys(): Promise<readonly MemberKey[]> {
    const { current, next, previous } = await this.look();
    return [current, next, previous].filter((key) => key !== null);
  }

  /** Writes the key to come beside the current one, unless it is there already. */
  async begin(member: string): Promise<MemberKey> {
    if (!(await exists(this.nextPath)))
      await writeDurably(this.nextPath, `${JSON.stringify(await makeMemberKey(member), null, 1)}\n`);
    return (await this.look()).next!;
  }

  /** Makes the key to come the current one; the hub must have taken it. The one before is kept. */
  async switch(): Promise<void> {
    await writeDurably(this.previousPath, await readFile(this.path));
    const next = publicHalf(await readKeyFile(this.nextPath));
    await writeDurably(join(dirname(this.path), 'public.jwk.json'), `${JSON.stringify(next, null, 1)}\n`, 0o644);
    await rename(this.nextPath, this.path);
    await syncFolder(dirname(this.path));
  }

  /** Removes the key before, once every door has taken the current one. @param inUse the key's name at each door */
  async settle(inUse: readonly (string | null)[]): Promise<boolean> {
    const { current, next, previous } = await this.look();
    if (previous === null || next !== null || inUse.some((name) => name !== current.name)) return false;
    await rm(this.previousPath);
    await syncFolder(dirname(this.path));
    return true;
  }

  private async stamp(): Promise<string> {
    return (await Promise.all([this.path, this.nextPath, this.previousPath].map(stampOf))).join(' ');
  }
}

async function readKey(path: string): Promise<MemberKey> {
  const jwk = await readKeyFile(path);
  try {
    return await MemberKey.fromJwk(jwk);
  } catch {
    throw new BongsuError('CONFIG_INVALID', `keyFile: ${path} needs a private key, EC P-256 or Ed25519.`, 'keyFile');
  }
}

async function stampOf(path: string): Promise<string> {
  const info = await stat(path).catch(() => null);
  return info === null ? '-' : `${info.ino}:${info.mtimeMs}:${info.size}`;
}
