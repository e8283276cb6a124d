import { Controller, Get } from '@nestjs/common';
import { Database } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import { Allow, PUBLIC } from '../auth/allow.decorator.js';

@Controller('health')
export class HealthController {
  constructor(private readonly database: Database) {}

  @Allow(PUBLIC)
  @Get('live')
  live() {
    return { status: 'ok' };
  }

  @Allow(PUBLIC)
  @Get('ready')
  async ready() {
    if (!(await this.database.alive()))
      throw new BongsuError('UNAVAILABLE', 'The database is away; try again in a moment.');
    return { status: 'ok' };
  }
}
