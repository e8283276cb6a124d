import { readFileSync } from 'node:fs';
import { BongsuError } from '@app/protocol';
import type { HubApi } from './hub-api.js';

/** What `agent init` prints for the alliance. */
export interface Joining {
  name: string;
  jwk: Record<string, unknown>;
  delivery: { method: 'push' | 'poll'; url?: string; authorization?: string };
  contacts?: { name: string; email: string }[];
}

/** A member as staff see it. */
export interface MemberRow {
  name: string;
  state: string;
  deliveryMethod: string;
  endpointUrl: string | null;
}

/** @throws {BongsuError} BAD_INPUT for a file that holds something else */
export function readJoining(file: string): Joining {
  try {
    const joining = JSON.parse(readFileSync(file, 'utf8')) as Joining;
    if (joining.name && joining.jwk && joining.delivery?.method) return joining;
  } catch {
    // Told below, in the same words as a file that holds something else.
  }
  throw new BongsuError(
    'BAD_INPUT',
    `${file} is not what a member's \`agent init\` prints: {name, jwk, delivery}.`,
    file,
  );
}

/** Registers a member at the hub. */
export async function registerMember(staff: HubApi, joining: Joining): Promise<MemberRow> {
  const { name, jwk, delivery, contacts } = joining;
  const { addMember } = await staff.query<{ addMember: MemberRow }>(
    'mutation ($input: AddMemberInput!) { addMember(input: $input) { name state deliveryMethod endpointUrl } }',
    {
      input: {
        name,
        jwk: JSON.stringify(jwk),
        deliveryMethod: delivery.method.toUpperCase(),
        endpointUrl: delivery.url ?? null,
        authorization: delivery.authorization ?? null,
        contacts: contacts ?? [],
      },
    },
  );
  return addMember;
}
