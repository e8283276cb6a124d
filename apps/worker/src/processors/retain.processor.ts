import { Processor } from '@nestjs/bullmq';
import { ASSESS } from '@app/assessments';
import { JobHost, Jobs, workerOptions } from '@app/infrastructure/queue';
import { Retain, RETAIN } from '@app/signals';

@Processor(RETAIN.name, workerOptions(RETAIN))
export class RetainProcessor extends JobHost {
  constructor(
    private readonly retain: Retain,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async process(): Promise<void> {
    if (!(await this.retain.due())) return;
    await this.retain.run();
    await this.jobs.wake(ASSESS, {}, 'assess');
  }
}
