import { Module, type DynamicModule } from '@nestjs/common';
import { KeysOptions } from './keys.options.js';
import { SigningKeyAdapter } from './persistence/signing-key.adapter.js';
import { SigningKeyRepository } from './signing-key.repository.js';
import { SigningKeys } from './signing-keys.service.js';

/** Needs `Database` and `Clock` from the app. */
@Module({})
export class KeysModule {
  static forRoot(options: KeysOptions): DynamicModule {
    return {
      module: KeysModule,
      global: true,
      providers: [
        { provide: KeysOptions, useValue: options },
        { provide: SigningKeyRepository, useClass: SigningKeyAdapter },
        SigningKeys,
      ],
      exports: [SigningKeys],
    };
  }
}
