import { DETECTORS, type Family, type Policy } from '@app/protocol';
import type { Assessment } from '../assessment.js';
import { strongestAgainst, type CounterEvidence } from './counter-evidence.js';
import { EN } from './en.js';
import { KO } from './ko.js';
import type { Phrases } from './phrases.js';

export type Language = 'ko' | 'en';
/** `analyst`: everything, with codes and nats. `customer`: short, fit to show the person who owns the key. */
export type Audience = 'analyst' | 'customer';

const LANGUAGES: Record<Language, Phrases> = { ko: KO, en: EN };

/**
 * Why an assessment says what it says: reasons with counts in buckets, the time window, the strongest evidence against,
 * what would clear it, the policy version. No token, of any kind, is in it.
 * @param policy the policy of the assessment's `policyVersion`
 */
export function explain(assessment: Assessment, policy: Policy, lang: Language, audience: Audience): string {
  const phrases = LANGUAGES[lang];
  return audience === 'analyst' ? forAnalyst(assessment, policy, phrases) : forCustomer(assessment, policy, phrases);
}

function forAnalyst(assessment: Assessment, policy: Policy, phrases: Phrases): string {
  const { from, to } = datesOf(assessment);
  const against = strongestAgainst(assessment, policy);
  const reasons = assessment.findings.map(
    (f) => `- ${f.code} ${DETECTORS[f.code].name} +${f.nats.toFixed(1)}: ${phrases.reason[f.code](f)}`,
  );
  return [
    phrases.headline(assessment),
    `${phrases.period(from, to)} ${phrases.policy(assessment.policyVersion)}`,
    `${phrases.reasonsTitle}:`,
    ...(reasons.length > 0 ? reasons : [`- ${phrases.noReasons}`]),
    `${phrases.againstTitle}${natsOf(against)}: ${phrases.against(against)}`,
    `${phrases.clearTitle}:`,
    ...familiesOf(assessment).map((family) => `- ${phrases.clear[family]}`),
    `- ${phrases.clearAlways(policy)}`,
  ].join('\n');
}

function forCustomer(assessment: Assessment, policy: Policy, phrases: Phrases): string {
  const { from, to } = datesOf(assessment);
  const { customer } = phrases;
  const families = assessment.rung === 'none' ? [] : familiesOf(assessment);
  return [
    customer.opening[assessment.rung],
    ...families.map((family) => customer.reason[family]),
    customer.against(strongestAgainst(assessment, policy)),
    customer.clear(families, policy),
    customer.closing(from, to, assessment.policyVersion),
  ].join('\n');
}

/** What the evidence against took off the score, where it did. */
function natsOf(against: CounterEvidence): string {
  return against.kind === 'protection' || against.kind === 'one_exchange' ? ` −${against.nats.toFixed(1)}` : '';
}

/** Families that speak, strongest first. */
function familiesOf(assessment: Assessment): Family[] {
  return (Object.keys(assessment.families) as Family[])
    .filter((family) => assessment.families[family] > 0)
    .sort((a, b) => assessment.families[b] - assessment.families[a]);
}

/** First and last day of the window; its end is exclusive. */
function datesOf(assessment: Assessment): { from: string; to: string } {
  const date = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
  return { from: date(assessment.window.from), to: date(assessment.window.to - 1) };
}
