import { Processor } from '@nestjs/bullmq';
import { ASSESS } from '@app/assessments';
import { JobHost, Jobs, workerOptions } from '@app/infrastructure/queue';
import { FOLD, Rotate, ROTATE } from '@app/signals';

@Processor(ROTATE.name, workerOptions(ROTATE))
export class RotateProcessor extends JobHost {
  constructor(
    private readonly rotate: Rotate,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async process(): Promise<void> {
    let turned = false;
    while (!this.stopping() && (await this.rotate.step())) turned = true;
    if (!turned) return;
    await this.jobs.wake(FOLD, {}, 'fold');
    await this.jobs.wake(ASSESS, {}, 'assess');
  }
}
