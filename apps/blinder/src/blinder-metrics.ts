import { counter, gauge, timer } from '@app/infrastructure/metrics';

export const ELEMENTS = counter({
  name: 'bongsu_blinder_elements_total',
  help: 'Elements that members asked for: evaluated, or refused by code.',
  labels: ['member', 'result'],
});

export const REFUSALS = counter({
  name: 'bongsu_blinder_refusals_total',
  help: 'Requests that were refused, by code; who asked may be unknown.',
  labels: ['code'],
});

export const EVALUATE_SECONDS = timer({
  name: 'bongsu_blinder_evaluate_seconds',
  help: 'Time that one batch of elements took to evaluate, waiting included.',
});

export const QUOTA = gauge({
  name: 'bongsu_blinder_quota_elements',
  help: 'Elements that a member may have evaluated in a UTC day, of members that have asked for some today.',
  labels: ['member'],
});

export const QUOTA_USED = gauge({
  name: 'bongsu_blinder_quota_used_elements',
  help: 'Elements of the UTC day that a member has used.',
  labels: ['member'],
});

export const LIST_REFUSED = gauge({
  name: 'bongsu_blinder_list_refused',
  help: '1 while the list of members as it lies there cannot be used and the last good one is in force, else 0.',
});
