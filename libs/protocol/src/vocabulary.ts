/** The closed word lists that cross the wire. Their order is their wire encoding: append, never reorder. */

/** The five values a member sees and blinds (docs/design.md). */
export const TOKEN_KINDS = ['key', 'ip', 'prefix', 'owner', 'client'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** What the exchange's own database says of an address. */
export const NETWORKS = ['residential', 'mobile', 'hosting', 'vpn', 'unknown'] as const;
export type Network = (typeof NETWORKS)[number];

export const ACCOUNT_TYPES = ['individual', 'corporate', 'market_maker', 'aggregator'] as const;
export type AccountType = (typeof ACCOUNT_TYPES)[number];

/** Bit i of a permission mask is entry i. */
export const PERMISSIONS = ['read', 'trade', 'withdraw'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** The ladder, lowest first. A key on no rung has `none`. */
export const RUNGS = ['monitor', 'warn', 'reverify', 'expire'] as const;
export type Rung = (typeof RUNGS)[number];
export type RungOrNone = Rung | 'none';

/** 0 for `none`, then 1 to 4 up the ladder: rungs compare by this number. */
export function rungRank(rung: RungOrNone): number {
  return rung === 'none' ? 0 : RUNGS.indexOf(rung) + 1;
}

/** What a member did with a recommendation, or found (docs/design.md). */
export const OUTCOMES = [
  'executed',
  'declined',
  'upheld',
  'cleared',
  'reverification_passed',
  'reverification_failed',
  'reverification_ignored',
] as const;
export type OutcomeKind = (typeof OUTCOMES)[number];

/** Why a member declined. */
export const DECLINE_REASONS = [
  'legitimate_multi_server',
  'corporate',
  'already_revoked',
  'false_positive',
  'under_investigation',
  'key_unknown',
  'other',
] as const;
export type DeclineReason = (typeof DECLINE_REASONS)[number];

/** Why a batch is sent (PIPA: the purpose of processing). */
export const PURPOSES = ['key_lending_detection'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** On what basis a batch is sent. */
export const LEGAL_BASES = ['user_protection_act_surveillance', 'contract_terms', 'legitimate_interest'] as const;
export type LegalBasis = (typeof LEGAL_BASES)[number];

/** A member's name: 2 to 31 characters, lower case, as in a host name. */
export const MEMBER_NAME = /^[a-z][a-z0-9-]{1,30}$/;
