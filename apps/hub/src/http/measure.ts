import type { NextFunction, Request, Response } from 'express';
import { counter } from '@app/infrastructure/metrics';

const RESPONSES = counter({
  name: 'bongsu_http_responses_total',
  help: 'Answers of the hub by door and status: 401 is a denied sign-in or token, 429 a rate limit that was hit.',
  labels: ['door', 'status'],
});

/** The doors that are told apart, by how their paths begin. */
const DOORS = [
  ['/graphql', 'graphql'],
  ['/oauth/', 'token'],
  ['/ssf/', 'ssf'],
  ['/.well-known/', 'well_known'],
  ['/health/', 'health'],
] as const;

/** Counts every answer, also those that are given before any route is found. */
export function measureResponses(request: Request, response: Response, next: NextFunction): void {
  const path = request.path;
  response.once('finish', () => {
    const door = DOORS.find(([start]) => path.startsWith(start))?.[1] ?? 'other';
    RESPONSES.add({ door, status: String(response.statusCode) });
  });
  next();
}
