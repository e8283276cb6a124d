/** The newest policy that this build knows: what an evaluation runs unless it is given another. */
export { POLICY_1_0_0 as DEFAULT_POLICY } from './policy-1.0.0.js';
