import { POLICY_1_0_0 } from '@app/protocol';
import { standardHash, type Standard } from '../domain/standard.js';
import { textEn } from './text-en.js';
import { textKo } from './text-ko.js';

/** The alliance's first standard, in force from midnight in Seoul on 28 May 2026. */
export const FIRST_STANDARD: Standard = firstStandard();

function firstStandard(): Standard {
  const content = {
    version: '1.0.0',
    textKo: textKo(POLICY_1_0_0),
    textEn: textEn(POLICY_1_0_0),
    policy: POLICY_1_0_0,
  };
  return { ...content, effectiveFrom: new Date('2026-05-28T00:00:00+09:00'), contentHash: standardHash(content) };
}
