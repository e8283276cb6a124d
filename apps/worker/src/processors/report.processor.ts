import { Processor, WorkerHost } from '@nestjs/bullmq';
import { workerOptions } from '@app/infrastructure/queue';
import { REPORT, Reports } from '@app/reports';

@Processor(REPORT.name, workerOptions(REPORT))
export class ReportProcessor extends WorkerHost {
  constructor(private readonly reports: Reports) {
    super();
  }

  async process(): Promise<void> {
    await this.reports.closeDue();
  }
}
