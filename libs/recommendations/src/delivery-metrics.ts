import { counter, timer } from '@app/infrastructure/metrics';

export const DELIVERIES = counter({
  name: 'bongsu_delivery_attempts_total',
  help: 'Attempts to deliver an event: acknowledged, to be tried again, put aside as dead, or handed over in a poll.',
  labels: ['member', 'by', 'result'],
});

export const PUSH_SECONDS = timer({
  name: 'bongsu_delivery_push_seconds',
  help: 'Time from an event sent to the receiver’s answer, or to giving up on it.',
});
