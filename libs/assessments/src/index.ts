/** Loads rows, runs the engine, keeps assessments. */
export { Assess } from './assess.service.js';
export { AssessmentsModule } from './assessments.module.js';
export { ASSESS } from './jobs.js';
export { expireStates, forgetStates, holdAssessing, reassessInStep } from './persistence/forget.js';
export { type Rise, RungRises } from './rung-rises.js';
export { type Backlog, type Standing, Standings, type Waiting } from './standings.service.js';
