import { Processor } from '@nestjs/bullmq';
import { ASSESS } from '@app/assessments';
import { JobHost, Jobs, workerOptions } from '@app/infrastructure/queue';
import { Erase, ERASE } from '@app/signals';

@Processor(ERASE.name, workerOptions(ERASE))
export class EraseProcessor extends JobHost {
  constructor(
    private readonly erase: Erase,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async process(): Promise<void> {
    let steps = 0;
    while (await this.erase.eraseNext()) steps++;
    if (steps > 0) await this.jobs.wake(ASSESS, {}, 'assess');
  }
}
