import { Processor } from '@nestjs/bullmq';
import { JobHost, workerOptions } from '@app/infrastructure/queue';
import { REPORT, Reports } from '@app/reports';

@Processor(REPORT.name, workerOptions(REPORT))
export class ReportProcessor extends JobHost {
  constructor(private readonly reports: Reports) {
    super();
  }

  async process(): Promise<void> {
    await this.reports.closeDue();
  }
}
