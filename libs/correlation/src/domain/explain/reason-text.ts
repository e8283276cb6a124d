import type { Finding } from '../assessment.js';
import { EN } from './en.js';
import type { Language } from './explain.js';
import { KO } from './ko.js';

/** One finding in words, for an analyst: counts in buckets, no token of any kind. */
export function reasonText(finding: Finding, lang: Language): string {
  return (lang === 'ko' ? KO : EN).reason[finding.code](finding);
}
