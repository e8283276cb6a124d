import { StandardRepository, type StoredStandard } from './standard.repository.js';

export class FakeStandardRepository extends StandardRepository {
  /** Oldest first; the last is in force. */
  readonly standards: StoredStandard[] = [];

  async inForce(): Promise<StoredStandard | null> {
    return this.standards.at(-1) ?? null;
  }

  async byVersion(_tx: unknown, version: string): Promise<StoredStandard | null> {
    return this.standards.find((s) => s.version === version) ?? null;
  }
}
