import { DataSource, type EntityManager, type EntitySchema, type MixedList } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { BongsuError } from '@app/protocol';
import { gauge, gaugesFrom } from '../metrics/index.js';
import { principalName, type Principal } from './principal.js';

/** The roles that own nothing: what a process may do at most. */
export type DatabaseRole = 'bongsu_hub' | 'bongsu_worker';

/** A transaction in a principal's name. */
export type Tx = EntityManager;

/** The only way to the tables: every unit of work is a transaction that carries its principal. */
export abstract class Database {
  /**
   * Runs `work` in one transaction; an error rolls it back.
   * @throws {BongsuError} UNAVAILABLE when PostgreSQL is away
   */
  abstract transaction<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T>;

  /** @throws what keeps PostgreSQL from answering in this process's role */
  abstract ping(): Promise<void>;

  /** Whether PostgreSQL answers. */
  alive(): Promise<boolean> {
    return this.ping().then(
      () => true,
      () => false,
    );
  }

  /**
   * That every migration this process knows of has run; newer ones may have.
   * @throws {BongsuError} UNAVAILABLE with the names of those that have not
   */
  async checkMigrations(known: readonly string[]): Promise<void> {
    const ran = await this.transaction({ kind: 'job', name: 'health' }, async (tx) => {
      const [row] = await tx.query<{ names: string[] }[]>('SELECT migrations_run() AS names');
      return new Set(row?.names);
    });
    const missing = known.filter((name) => !ran.has(name));
    if (missing.length > 0)
      throw new BongsuError('UNAVAILABLE', `Run the migrations first: ${missing.join(', ')} have not run.`);
  }

  abstract close(): Promise<void>;
}

const CONNECTIONS = gauge({
  name: 'bongsu_database_connections',
  help: 'Connections of the pool to PostgreSQL, and requests that wait for one.',
  labels: ['role', 'state'],
});

export interface DatabaseOptions {
  url: string;
  role: DatabaseRole;
  poolSize: number;
  /** Longest time of one statement, ms; five minutes unless given. */
  statementTimeoutMs?: number;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- TypeORM's own type for entity classes
  entities: MixedList<Function | string | EntitySchema>;
  onPoolError?: (error: Error) => void;
}

/** SQLSTATE classes and errno codes that say "PostgreSQL is away", not "the statement is wrong". */
const AWAY = /^(08|57P0|53300)|^(ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH)$/;

export class TypeOrmDatabase extends Database {
  private opening: Promise<DataSource> | null = null;
  private readonly unwatch = gaugesFrom(() => this.showPool());

  constructor(private readonly options: DatabaseOptions) {
    super();
  }

  async transaction<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      const source = await this.source();
      return await source.transaction(async (tx) => {
        const memberId = principal.kind === 'member' ? String(principal.memberId) : '';
        const roles = principal.kind === 'staff' ? (principal.roles ?? []).join(',') : '';
        await tx.query(
          `SELECT set_config('bongsu.principal', $1, true), set_config('bongsu.member_id', $2, true),
             set_config('bongsu.roles', $3, true)`,
          [principalName(principal), memberId, roles],
        );
        return work(tx);
      });
    } catch (error) {
      throw isAway(error) ? new BongsuError('UNAVAILABLE', 'The database is away; try again in a moment.') : error;
    }
  }

  async ping(): Promise<void> {
    await (await this.source()).query('SELECT 1');
  }

  async close(): Promise<void> {
    this.unwatch();
    const source = await this.opening?.catch(() => null);
    await source?.destroy();
  }

  private async showPool(): Promise<void> {
    const source = await this.opening?.catch(() => null);
    if (!source?.isInitialized) return;
    const { totalCount, idleCount, waitingCount } = (source.driver as PostgresDriver).master as Record<string, number>;
    const { role } = this.options;
    CONNECTIONS.set({ role, state: 'busy' }, (totalCount ?? 0) - (idleCount ?? 0));
    CONNECTIONS.set({ role, state: 'idle' }, idleCount ?? 0);
    CONNECTIONS.set({ role, state: 'waiting' }, waitingCount ?? 0);
  }

  /** Connects at the first use, and again at the next one if that failed: PostgreSQL may come later. */
  private source(): Promise<DataSource> {
    this.opening ??= new DataSource({
      type: 'postgres',
      url: this.options.url,
      entities: this.options.entities,
      poolSize: this.options.poolSize,
      poolErrorHandler: (error: Error) => this.options.onPoolError?.(error),
      connectTimeoutMS: 5000,
      extra: {
        options: `-c role=${this.options.role} -c statement_timeout=${this.options.statementTimeoutMs ?? 300_000}`,
      },
    })
      .initialize()
      .catch((error: unknown) => {
        this.opening = null;
        throw error;
      });
    return this.opening;
  }
}

/** Whether an error says that PostgreSQL is away, and not that a statement is wrong. */
export function isAway(error: unknown): boolean {
  const { code, message, driverError } = error as { code?: string; message?: string; driverError?: { code?: string } };
  return (
    AWAY.test(String(code ?? driverError?.code ?? '')) ||
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
      message ?? '',
    )
  );
}
