import { createHash } from 'node:crypto';
import type { Policy } from '@app/protocol';
import { canonicalJson } from './canonical-json.js';

/** A version of the standard: what people read, in two languages that say the same, and what machines read. */
export interface Standard {
  /** `major.minor.patch`; the policy carries the same. */
  version: string;
  effectiveFrom: Date;
  /** Markdown. */
  textKo: string;
  /** Markdown. */
  textEn: string;
  policy: Policy;
  /** {@link standardHash} of the above. */
  contentHash: string;
}

/** SHA-256, hex, over the canonical JSON of what was published: whoever holds the text can recompute it. */
export function standardHash(standard: Pick<Standard, 'version' | 'textKo' | 'textEn' | 'policy'>): string {
  const { version, textKo, textEn, policy } = standard;
  return createHash('sha256').update(canonicalJson({ version, textKo, textEn, policy })).digest('hex');
}
