/** How often the sweep runs, ms of real time. */
export class SweepInterval {
  constructor(readonly ms: number) {}
}
