import { AccountWrites1790000000010 } from './1790000000010-account-writes.js';
import { Assessments1790000000003 } from './1790000000003-assessments.js';
import { AuditAndGrants1790000000016 } from './1790000000016-audit-and-grants.js';
import { Epochs1790000000021 } from './1790000000021-epochs.js';
import { FirstStandard1790000000011 } from './1790000000011-first-standard.js';
import { Identity1790000000014 } from './1790000000014-identity.js';
import { FollowingWork1790000000019 } from './1790000000019-following-work.js';
import { KeyRotation1790000000024 } from './1790000000024-key-rotation.js';
import { NarrowerWrites1790000000013 } from './1790000000013-narrower-writes.js';
import { RateCounters1790000000015 } from './1790000000015-rate-counters.js';
import { PersonalData1790000000017 } from './1790000000017-personal-data.js';
import { Reports1790000000012 } from './1790000000012-reports.js';
import { RolesAndAccounts1790000000001 } from './1790000000001-roles-and-accounts.js';
import { Signals1790000000002 } from './1790000000002-signals.js';
import { WarningLists1790000000020 } from './1790000000020-warning-lists.js';

/** Every migration, oldest first. A migration that has landed is never edited: expand, then contract. */
export const MIGRATIONS = [
  RolesAndAccounts1790000000001,
  Signals1790000000002,
  Assessments1790000000003,
  AccountWrites1790000000010,
  FirstStandard1790000000011,
  Reports1790000000012,
  NarrowerWrites1790000000013,
  Identity1790000000014,
  RateCounters1790000000015,
  AuditAndGrants1790000000016,
  PersonalData1790000000017,
  FollowingWork1790000000019,
  WarningLists1790000000020,
  Epochs1790000000021,
  KeyRotation1790000000024,
];
