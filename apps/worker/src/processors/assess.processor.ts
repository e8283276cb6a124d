import { Processor } from '@nestjs/bullmq';
import { Assess, ASSESS } from '@app/assessments';
import { JobHost, Jobs, workerOptions } from '@app/infrastructure/queue';
import { DELIVER, PushDelivery } from '@app/recommendations';

@Processor(ASSESS.name, workerOptions(ASSESS))
export class AssessProcessor extends JobHost {
  constructor(
    private readonly assess: Assess,
    private readonly delivery: PushDelivery,
    private readonly jobs: Jobs,
  ) {
    super();
  }

  async process(): Promise<void> {
    if ((await this.assess.drain(this.stopping)) === 0) return;
    for (const memberId of await this.delivery.membersDue())
      await this.jobs.wake(DELIVER, { memberId }, `deliver-${memberId}`);
  }
}
