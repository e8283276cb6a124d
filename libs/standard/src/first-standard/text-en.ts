import type { Policy } from '@app/protocol';

/** The English text. Its clauses, and every number in them, are those of the Korean text; the policy gives the numbers. */
export function textEn(policy: Policy): string {
  const { ladder, detectors, families, protections, retention, reports } = policy;
  const { probability, deadlineHours, expire } = ladder;
  return `# Alliance standard against lent and shared API keys

Version ${policy.version}, in force from 28 May 2026, 00:00 Korea Standard Time

## 1. Purpose and scope

**C-1.1** This standard is how the member exchanges of the alliance together find API keys that somebody other than the account's owner uses, and how they act on what they find, in stages and for reasons that can be checked.

**C-1.2** Trading through an API stays welcome. Writing or running one's own trading program, using several servers, changing one's address, and reading one's own balances through a registered portfolio service are ordinary use. No clause of this standard is a reason to restrict API trading as such.

**C-1.3** What this standard is directed against is handing the use of one's account over to somebody else: lending a key to an acquaintance, letting an operator trade with the keys of many people, gathering accounts of others under one program, and giving a key with the permission to trade to a copy-trading service that is not registered.

**C-1.4** It applies to every API key that a member issues, whatever its permissions.

**C-1.5** A signal or recommendation under this standard is no report of an abnormal trade. The continuous surveillance of abnormal trades under the Act on the Protection of Virtual Asset Users goes on beside it, and the two kinds of records are kept apart.

**C-1.6** The standard consists of this text, in Korean and in English, and of the policy, its machine-readable part. The numbers in the text are those of the policy of the same version. Where the two languages differ, the Korean text prevails.

## 2. Definitions

**C-2.1** *Key*: an API key that a member issued for an account. *Owner*: the person, natural or legal, whose account it is.

**C-2.2** *Address*: the IP address that a request comes from. *Prefix*: the network that it lies in, /24 for IPv4 and /48 for IPv6. *Network class*: what the member's own database says of the address: residential, mobile, hosting, VPN or unknown.

**C-2.3** *Client*: the caller's software as the member fingerprints it, always in the same way.

**C-2.4** *Lent key*: a key whose use the owner has handed over to somebody else, for pay or for nothing, on one occasion or for good. An employee who acts for a legal person that is the owner is not somebody else.

**C-2.5** *Blinder*: the service that helps members to turn values into tokens without learning either. *Token*: the blinded form of a key, address, prefix, owner or client. *Hub*: the service that receives tokens and sends recommendations.

**C-2.6** *Observation*: what one key did from one address with one client in one hour.

**C-2.7** *Evidence* is measured in nats, units of the natural logarithm of a likelihood ratio: each nat multiplies the odds that a key is lent by about 2.7.

**C-2.8** *Rung*: one of the four stages of section 7. *Recommendation*: the hub's notice to the member that issued a key that the key has reached a rung. *Outcome*: what the member did about it and what it found.

**C-2.9** *Crowd*: an address that unrelated people share, such as the exit of a mobile carrier, an office, a VPN or a cloud.

## 3. Registration of addresses

**C-3.1** A key that may trade or withdraw works only from addresses that its owner has registered for it. Requests from other addresses are refused.

**C-3.2** An entry is a single address. A key has at most 10 entries; a member may set a lower limit.

**C-3.3** Registering an address asks for the same authentication of the owner as issuing a key, and the member tells the owner about each new entry by a way other than the API.

**C-3.4** The member records when an entry was added and when it was removed. An entry counts from the time at which it was added.

**C-3.5** Of the refused requests only those count as evidence that carry a valid signature and were refused because the address was not registered. A request without a valid signature never counts: otherwise anyone who knows a key's identifier could incriminate its owner.

**C-3.6** When a key is issued or replaced, the member shows the owner the addresses still registered and asks for those no longer used to be removed.

## 4. Limits and life of keys

**C-4.1** An account has at most 10 keys. A key lives for at most 1 year and is not extended: its owner issues a new one.

**C-4.2** The permissions to read, to trade and to withdraw are given separately, and no more of them than the owner asks for. A change of permissions takes a new key.

**C-4.3** Before it issues a key the member tells the owner, in plain words, that letting somebody else use it is forbidden and what follows from it under this standard.

**C-4.4** A member may register an account as corporate, as a market maker's, or as an aggregator's (a service that reads or trades for many customers by contract with the member) once it has checked the documents. It reports that account type with the key's facts and checks it again at least once in 1 year.

**C-4.5** Rate limits are each member's own.

## 5. Signals and their blinding

**C-5.1** Members send an observation for each key, address, client and hour with any request: the numbers of requests, of orders and of refusals under C-3.5; the 5-minute windows with any request and those with a burst of orders; the network class; and the names of public warning lists that the address is on.

**C-5.2** A window holds a burst when its orders number at least 5 and exceed 3 times the key's own median active window of the 7 days before.

**C-5.3** They also send the dated entries of C-3.4 and each key's facts: its owner's token, account type, permissions, and the times of its issue and expiry.

**C-5.4** Never sent are names, contacts, account numbers, balances, the content of orders, raw addresses, raw keys, and the identification value that links a person between companies (CI). The CI is blinded at the member and leaves it in no other form.

**C-5.5** The five values of C-2.5 are blinded by a verifiable oblivious pseudorandom function (RFC 9497, ristretto255-SHA512). The blinder sees neither the values nor the tokens, the hub sees only the tokens, and the two are run apart from each other. The blinding key changes every ${policy.epochDays} days.

**C-5.6** Every batch carries its purpose and its legal basis, and counts once. A member may withdraw a batch that it sent in error; what rested on it is then assessed again.

**C-5.7** An observation is sent without delay after its hour. What a fault held up is sent afterwards, as long as it is not older than ${retention.observationDays} days.

**C-5.8** A member sends the signals of all its keys and selects none. It sends nothing that it knows to be false.

## 6. Detection

**C-6.1** Before any evidence the probability that a key is lent is taken to be ${fixed(policy.priorProbability)}. Each detector adds evidence in nats up to its own limit, protections subtract, and the sum is turned into a probability by the calibration that the policy states for the network class.

**C-6.2** The detectors, with the most nats that each may add:
- N1, other owners have registered an address that the key uses: ${detectors.N1.cap}
- N2, other owners send from the key's addresses, by the share of its traffic: ${detectors.N2.cap}
- N3, owners move together over several addresses on the same days: ${detectors.N3.cap}
- N4, owners with accounts at ${detectors.N4.minExchanges} or more exchanges each, at least ${detectors.N4.minOwners} of them, on one address: ${detectors.N4.cap}
- K1, the key trades from different networks and clients at the same time, more than it used to: ${detectors.K1.cap}
- K2, a new address and client take over as the old ones vanish: ${detectors.K2.cap}
- K3, refused requests under C-3.5, above all from an address that another owner registered before: ${detectors.K3.cap}
- C1, a rare client is shared within a group found by other detectors: ${detectors.C1.cap}
- S1, keys of different owners place their bursts of orders in the same rare windows: ${detectors.S1.cap}

**C-6.3** Detectors form four families, because what they see overlaps: network (N), key (K), client (C) and sync (S). Within a family the strongest finding counts whole and the others at ${fixed(policy.familyRestShare)}, up to ${families.network.cap} nats for network, ${families.key.cap} for key, ${families.client.cap} for client and ${families.sync.cap} for sync.

**C-6.4** Evidence loses half of its weight in ${policy.halfLifeDays} days. An assessment looks back ${policy.lookBackDays} days.

**C-6.5** A crowd adds nothing, and is shown as suppressed. Whether an address is a crowd is judged by whether its owners' clients are more alike than chance would have it, so that neither a carrier's customers become suspects nor an operator hides among them.

**C-6.6** Evidence about a group becomes a key's own only in proportion to the key's traffic that it concerns, and not at all below a share of ${fixed(policy.attribution.minTrafficShare)}.

**C-6.7** Evidence that rests on any one other exchange counts for at most ${policy.singleExchangeCap} nats: no member alone can expire the key of another member's customer.

**C-6.8** In a key's favour count, in nats: the account type aggregator, ${protections.aggregator}; corporate, ${protections.corporate}; market maker, ${protections.marketMaker}; a re-verification passed in the last ${protections.reverified.days} days, ${protections.reverified.nats}. For a key with the permission to read alone that is not an aggregator's, the evidence is multiplied by ${fixed(protections.readOnlyScale)}.

**C-6.9** Equal timing alone, with or without a shared client, cannot tell accounts under one control from people who follow the same signal with the same program on servers of their own. It leads no further than to ${ladder.syncAlone.maxRung}, until evidence of the network or key family reaches ${ladder.syncAlone.controlNats} nat.

**C-6.10** A link is no guilt: a household shares an address. A probability is an estimate that calls for a look, never a finding that the owner broke the rules.

## 7. The four rungs

**C-7.1** A key reaches a rung when its probability reaches
- monitor: ${fixed(probability.monitor)}
- warn: ${fixed(probability.warn)}
- reverify: ${fixed(probability.reverify)}
- expire: ${fixed(probability.expire)}

**C-7.2** Expiry also needs at least ${expire.minFamilies} families with at least ${expire.minFamilyNats} nats each, one of them network or sync, from at least ${expire.minDays} different days, and no protection under C-6.8. It must also hold without the keys of the key's own exchange: leaving those out, the probability must still reach ${fixed(expire.minProbabilityElsewhere)}.

**C-7.3** After a re-verification that failed or was ignored, expiry is reached at ${fixed(ladder.expireAfterFailedReverification)}. The other conditions of C-7.2 stay.

**C-7.4** Once ${ladder.upheldWarnings.count} warnings of a key were upheld by its member within ${ladder.upheldWarnings.withinDays} days, the next recommendation starts at reverify.

**C-7.5** A key comes down one rung after ${ladder.stepDownDays} days without the evidence that holds it there.

**C-7.6** Every recommendation states its reasons with their nats, counts in ranges, the time it looked at, the strongest evidence against it, what would clear the key, and the version of this standard. It never contains a token of another owner.

## 8. What members do

**C-8.1** A recommendation is advice: the member that issued the key decides. It acts, or declines with a reason, and reports the outcome, counted from the issue of the recommendation, within
- monitor: ${deadlineHours.monitor} hours
- warn: ${deadlineHours.warn} hours
- reverify: ${deadlineHours.reverify} hours
- expire: ${deadlineHours.expire} hours

**C-8.2** Monitor: the member watches the key closely. It restricts nothing and need not tell the owner.

**C-8.3** Warn: the member tells the owner what was seen, that lending a key is forbidden, and how to contest it. It restricts nothing.

**C-8.4** Reverify: the member asks the owner to prove their identity again, at least as strictly as when the account was opened, and names the deadline. An owner who does not answer in time has ignored it. Until it is passed the member may refuse new orders by that key, never a withdrawal or an order that the owner makes by other ways.

**C-8.5** Expire: the member ends the key, after a person at the member has looked at the reasons, unless the member has decided and published that it does so without one. It tells the owner at once, with the reasons and how to contest it. The account and its assets stay untouched. The owner may have a new key after a re-verification and with addresses registered anew.

**C-8.6** A member declines with one of these reasons: several servers of the owner's own; a corporate account; the key is already revoked; a false positive; an investigation under way; the key is unknown; another, in words.

**C-8.7** A member reports what it finds later as well: upheld, where lending was confirmed; cleared, where it was not; and whether a re-verification was passed, failed or ignored. The precision of every detector is measured by it.

**C-8.8** A member limits how many expiries it carries out in an hour, carries each out once only, and keeps a switch that stops them all.

**C-8.9** A member that cannot meet a deadline reports so before it ends, with the reason.

## 9. Rights of customers

**C-9.1** An owner who was warned, asked to re-verify, or whose key was ended is told the reasons in plain Korean, or in English on request, without the data of others.

**C-9.2** The owner may contest it with the member, without cost and without a form, and may hand in anything that speaks for them. The member answers without delay, at the latest within 30 days, in writing and with reasons.

**C-9.3** A person decides about what is contested, and not one who took part in the first decision. An owner has the right not to be subject to a decision made by fully automated means that affects their rights or duties significantly, and the right to an explanation and a review of any such decision (Article 37-2 of the Personal Information Protection Act).

**C-9.4** Where the owner is right, the member undoes the measure at once, reports the outcome cleared, and the hub takes it into account in every later assessment.

**C-9.5** Nobody is placed at a disadvantage for contesting. No signal, probability or rung is used for anything other than this standard's purpose, in particular not for credit, prices or advertising.

**C-9.6** Every member publishes with its privacy policy that it takes part, what is processed and by which criteria, and how to use these rights.

## 10. Data protection and retention

**C-10.1** Tokens are pseudonymised and remain personal data. Whoever holds them protects them as such.

**C-10.2** The only purpose of processing is the detection of lent and shared keys. The legal basis is one of these, and stands in every batch: surveillance under the Act on the Protection of Virtual Asset Users; the contract with the owner; a legitimate interest that clearly outweighs the owner's.

**C-10.3** Only the member that made a token can tell what stands behind it. The hub and other members neither can nor try to.

**C-10.4** A member sees the recommendations for its own keys only. Staff of the alliance see tokens in a shortened form. Regulators see aggregated counts only.

**C-10.5** Observations are deleted after ${retention.observationDays} days, assessments, recommendations and outcomes after ${retention.assessmentDays} days. The blinding key of a closed period is destroyed once the tokens still in use have been renewed.

**C-10.6** At a member's request the hub erases what it holds about one key or one owner, and confirms it.

**C-10.7** Every change and every refused access is recorded in an audit that can be added to and not altered.

**C-10.8** Whoever finds a breach tells the alliance and the members concerned without delay. The notification duties of the law remain.

## 11. Reports

**C-11.1** The alliance closes a report for every calendar month: signals received, keys on each rung, recommendations and their outcomes.

**C-11.2** A count of persons or keys below ${reports.suppressBelow} is suppressed, and so are the counts that it could be computed from.

**C-11.3** A report holds no key, address, owner or token. It is signed, and is corrected by a new one only, never altered.

**C-11.4** Every member sees what it has given and what it got back.

## 12. Changes of this standard

**C-12.1** A version has three numbers. The first rises when duties or rights change, the second when detection or thresholds change, the third when only wording changes.

**C-12.2** A change is drafted by one person, tried on past data, and approved by another. It is published with both texts, the policy and a hash over them before it comes into force.

**C-12.3** The number of a clause keeps its meaning in every version. The number of a clause that is dropped is not used again.

**C-12.4** Every recommendation names the version that it was made under. Earlier versions stay available to all.

**C-12.5** A member that breaks C-5.8 or C-9.5, or that leaves recommendations unanswered again and again, may be suspended. While it is suspended it neither sends nor receives; the rights of its customers stay.
`;
}

const fixed = (value: number) => value.toFixed(2);
