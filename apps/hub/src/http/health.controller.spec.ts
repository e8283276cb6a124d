import { Database } from '@app/infrastructure/database';
import { HealthController } from './health.controller.js';

class SlowDatabase extends Database {
  asked = 0;
  answer: () => void = () => undefined;
  transaction(): Promise<never> {
    return Promise.reject(new Error('unused'));
  }
  ping(): Promise<void> {
    this.asked++;
    return new Promise((resolve) => (this.answer = resolve));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

it('asks the database once for all who want to know at the same time, and anew for the next', async () => {
  const database = new SlowDatabase();
  const health = new HealthController(database);
  const many = Promise.all(Array.from({ length: 100 }, () => health.ready()));
  database.answer();
  expect(await many).toEqual(Array(100).fill({ status: 'ok' }));
  expect(database.asked).toBe(1);
  const next = health.ready();
  expect(database.asked).toBe(2);
  database.answer();
  await next;
});
