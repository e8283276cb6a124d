export * from './door.js';
export * from './health.js';
export {
  counter,
  gauge,
  gaugesFrom,
  timed,
  timer,
  type Counter,
  type Gauge,
  type Labels,
  type Timer,
} from './registry.js';
