import { Global, Module } from '@nestjs/common';
import { StandardAdapter } from './persistence/standard.adapter.js';
import { StandardRepository } from './standard.repository.js';
import { Standards } from './standards.service.js';

/** Needs nothing but an open transaction. */
@Global()
@Module({
  providers: [{ provide: StandardRepository, useClass: StandardAdapter }, Standards],
  exports: [Standards],
})
export class StandardModule {}
