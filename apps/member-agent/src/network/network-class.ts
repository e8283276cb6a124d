import { parseCidr, type Network } from '@app/member-sdk';
import { AddressRanges } from './address-ranges.js';
import { AS_CLASSES, type AsClass } from './as-classes.js';
import type { AutonomousSystem } from './as-table.js';

const BY_ASN = new Map(AS_CLASSES.flatMap((entry) => entry.asns.map((asn) => [asn, entry] as const)));

const MOBILE = new Map<AsClass, AddressRanges>(
  AS_CLASSES.filter((entry) => entry.mobile !== undefined).map((entry) => [
    entry,
    AddressRanges.of(entry.mobile!.map(parseCidr).sort((a, b) => (a.first < b.first ? -1 : 1))),
  ]),
);

/** Words that only who rents out machines has in its name. */
const HOSTING =
  /\b(web ?)?host(ing|er)\b|\b(web|vps)hosting\b|\bvps\b|\bdata ?cent(er|re)s?\b|\bdedicated servers?\b|\bcolocation\b|\bcloud (hosting|servers?|computing)\b/i;
/** Words of those who also connect people, or sit in a data centre of their own. */
const OTHERS =
  /telecom|telekom|telco|\bisp\b|internet|broadband|cable|wireless|mobile|fib(er|re|ra)\b|commun|network|\bnet\b|universi|college|school|bank|hospital|government|ministry|police/i;

/** What an organisation's name alone says: obvious hosts, nothing else. */
export function classOfName(organisation: string): Network {
  return HOSTING.test(organisation) && !OTHERS.test(organisation) ? 'hosting' : 'unknown';
}

/** The network class of an address that a system announces. */
export function networkClass(ip: string, { asn, organisation }: AutonomousSystem): Network {
  const entry = BY_ASN.get(asn);
  if (entry === undefined) return classOfName(organisation);
  return MOBILE.get(entry) !== undefined && MOBILE.get(entry)!.find(ip) >= 0 ? 'mobile' : entry.network;
}
