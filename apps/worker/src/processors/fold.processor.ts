import { Processor } from '@nestjs/bullmq';
import { ASSESS } from '@app/assessments';
import { JobHost, Jobs, workerOptions } from '@app/infrastructure/queue';
import { Fold, FOLD } from '@app/signals';

@Processor(FOLD.name, workerOptions(FOLD))
export class FoldProcessor extends JobHost {
  constructor(
    private readonly fold: Fold,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async process(): Promise<void> {
    let folded = 0;
    while (!this.stopping() && (await this.fold.foldNext())) folded++;
    if (folded > 0) await this.jobs.wake(ASSESS, {}, 'assess');
  }
}
