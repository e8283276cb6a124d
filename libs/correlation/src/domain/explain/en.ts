import type { Finding } from '../assessment.js';
import { bucketOf, percent } from './buckets.js';
import type { Phrases } from './phrases.js';

function range(count: number): string {
  const { from, to } = bucketOf(count);
  return to === null ? `${from} or more` : from === to ? `${from}` : `${from} to ${to}`;
}

function counted(count: number, many: string): string {
  return `${range(count)} ${many}`;
}

function exchanges(finding: Finding): string {
  const n = finding.counts['exchanges'] ?? finding.exchanges.length;
  return n === 1 ? '1 exchange' : `${n} exchanges`;
}

function owners(finding: Finding): string {
  return `${counted(finding.counts['owners'] ?? 0, 'other owners')} on ${exchanges(finding)}`;
}

function days(finding: Finding): string {
  return counted(finding.counts['days'] ?? 0, 'days');
}

export const EN: Phrases = {
  rung: {
    none: 'No recommendation',
    monitor: 'Monitor',
    warn: 'Warn',
    reverify: 'Re-verify',
    expire: 'Expire',
  },
  headline: (a) =>
    `${EN.rung[a.rung]}: probability of lending ${percent(a.probability)}% (score ${a.score.toFixed(2)} nats)`,
  period: (from, to) => `Evidence from ${from} to ${to} (UTC).`,
  policy: (version) => `Policy ${version}.`,
  reasonsTitle: 'Reasons',
  noReasons: 'No detector found anything.',
  againstTitle: 'Strongest evidence against',
  clearTitle: 'What would clear it',
  reason: {
    N1: (f) => `addresses of this key are also on the allow-lists of ${owners(f)}.`,
    N2: (f) =>
      `${owners(f)} send from the addresses this key uses, with clients that look like one program (${days(f)}).`,
    N3: (f) => `${owners(f)} move with this key from address to address, at the same hours (${days(f)}).`,
    N4: (f) =>
      `from one address, ${counted(f.counts['owners'] ?? 0, 'owners')} drive keys of several exchanges each, on ${exchanges(f)} in all.`,
    K1: (f) =>
      `the key is used from two networks with two clients at once, more than it used to be (${counted(f.counts['windows'] ?? 0, 'five-minute windows')}, ${days(f)}).`,
    K2: (f) =>
      (f.counts['owners'] ?? 0) > 0
        ? `a new address and client took over and the old ones vanished; ${owners(f)} are at work on the new address.`
        : 'a new address and client took over and the old ones vanished; nobody else was seen on the new address.',
    K3: (f) =>
      (f.counts['owners'] ?? 0) > 0
        ? `validly signed requests were refused from an address that ${counted(f.counts['owners'] ?? 0, 'other owners')} had registered before (${days(f)}).`
        : `validly signed requests were refused from addresses that are not on the key's allow-list (${days(f)}).`,
    C1: (f) => `${owners(f)} that trade in step with this key use the same uncommon client.`,
    S1: (f) =>
      `order bursts fall into the same five-minute windows or hours as those of ${owners(f)}, beyond what chance and the market explain (${days(f)}).`,
  },
  against(e) {
    switch (e.kind) {
      case 'protection':
        return {
          AGGREGATOR: `the account is a registered aggregator.`,
          CORPORATE: `the account is corporate.`,
          MARKET_MAKER: `the account is a market maker.`,
          REVERIFIED: `the owner passed a re-verification recently.`,
          READ_ONLY: `the key can only read, not trade.`,
        }[e.code];
      case 'one_exchange':
        return 'part of the signs was left out, because it rests on the word of one other exchange alone.';
      case 'crowd':
        return `${Math.round(e.share * 100)}% of the traffic comes from an address that unrelated people share (${
          {
            warning_list: 'it is on a warning list',
            unrelated_clients: 'its users run unrelated programs',
            too_many_keys: 'it carries too many keys',
          }[e.reason]
        }); it was not counted.`;
      case 'few_days':
        return `the evidence covers only ${e.days === 1 ? '1 day' : `${e.days} days`}; expiry needs ${e.needed}.`;
      case 'absent_family':
        return {
          network: 'the key shares no address with other owners in a way that speaks of one operator.',
          key: 'nothing about the key itself changed: no takeover, no use from two places at once, no refused requests.',
          client: 'its client is not one that the group shares beyond chance.',
          sync: "its orders do not coincide with those of other owners' keys.",
        }[e.family];
      case 'prior':
        return `before any evidence, ${Math.round((1 - e.probability) * 100)} of 100 keys are not lent.`;
    }
  },
  clear: {
    network:
      'proof that the shared addresses belong to the owner (own servers, household, office), or use from own addresses only;',
    key: 'an explanation of the change of machine by the owner (moved server, own second machine) and up-to-date allow-list entries;',
    client: 'proof that the client is published software that the owner runs;',
    sync: 'proof that the orders follow a published signal on a machine of the owner;',
  },
  clearAlways: (p) =>
    `a passed re-verification (−${p.protections.reverified.nats} nats for ${p.protections.reverified.days} days); ${p.ladder.stepDownDays} days without such evidence lower the key by one rung.`,
  customer: {
    opening: {
      none: 'Nothing about your API key needs your attention.',
      monitor: 'Your API key shows signs that others may be using it; we are watching it, and nothing changes for you.',
      warn: 'Your API key shows signs that others may be using it. Lending an API key is not allowed.',
      reverify: 'Your API key shows strong signs that others are using it. Please verify your identity again.',
      expire: 'Your API key shows very strong signs that others are using it; it is to be expired.',
    },
    reason: {
      network: 'The key was used from addresses from which keys of other people are used too.',
      key: 'The key was used from a new or unregistered place, or from two places at once.',
      client: "The key was used with the same uncommon program as other people's keys.",
      sync: "The key traded at the same moments as other people's keys.",
    },
    against: (e) => `In your favour: ${EN.against(e)}`,
    clear(families, p) {
      const helps = families.map(
        (family) =>
          ({
            network: 'that the addresses are your own (servers, household, office)',
            key: 'why the place of use changed',
            client: 'which published program you run',
            sync: 'which published signal your program follows',
          })[family],
      );
      const show = helps.length > 0 ? `Tell your exchange ${helps.join(', ')}. ` : '';
      return `${show}A passed identity check, or ${p.ladder.stepDownDays} days without such signs, lowers the level.`;
    },
    closing: (from, to, version) => `Period: ${from} to ${to} (UTC). Standard: policy ${version}.`,
  },
};
