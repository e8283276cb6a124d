import { Controller, Get } from '@nestjs/common';
import { Database } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import { Allow, PUBLIC } from '../auth/allow.decorator.js';

@Controller('health')
export class HealthController {
  /** The look at the database that is under way: however many ask, and no limit holds them off, it is one. */
  private looking: Promise<boolean> | null = null;

  constructor(private readonly database: Database) {}

  @Allow(PUBLIC)
  @Get('live')
  live() {
    return { status: 'ok' };
  }

  @Allow(PUBLIC)
  @Get('ready')
  async ready() {
    this.looking ??= this.database.alive().finally(() => (this.looking = null));
    if (!(await this.looking)) throw new BongsuError('UNAVAILABLE', 'The database is away; try again in a moment.');
    return { status: 'ok' };
  }
}
