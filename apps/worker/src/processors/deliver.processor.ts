import { Processor } from '@nestjs/bullmq';
import type { Job } from 'bullmq';
import { JobHost, workerOptions } from '@app/infrastructure/queue';
import { DELIVER, PushDelivery } from '@app/recommendations';

@Processor(DELIVER.name, workerOptions(DELIVER))
export class DeliverProcessor extends JobHost {
  constructor(private readonly delivery: PushDelivery) {
    super();
  }

  async process({ data }: Job<{ memberId: number }>): Promise<void> {
    await this.delivery.deliver(data.memberId, this.stopping);
  }
}
