import { Module } from '@nestjs/common';
import { StandardModule } from '@app/standard';
import { Standings } from './standings.service.js';

/** What any process may read of assessments. The worker adds `Assess` itself, with what follows from a rise. */
@Module({ imports: [StandardModule], providers: [Standings], exports: [Standings] })
export class AssessmentsModule {}
