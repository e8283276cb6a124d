import type { Server } from 'node:http';
import type { NextFunction, Request, Response } from 'express';

/** Longest time that requests under way are waited for, ms; a supervisor gives a process twenty seconds or more. */
const LONGEST_MS = 12_000;
const LOOK_EVERY_MS = 50;

/** Ends a server in order: no new connections, every request under way answered, then every connection closed. */
export class Drain {
  private draining = false;

  /** While draining, an answer is the last on its connection: the caller's next request goes to another hub. */
  readonly lastAnswers = (_: Request, response: Response, next: NextFunction): void => {
    if (this.draining) response.setHeader('connection', 'close');
    next();
  };

  async drain(server: Server): Promise<void> {
    this.draining = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const idle = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
    const force = setTimeout(() => server.closeAllConnections(), LONGEST_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(force);
  }
}
