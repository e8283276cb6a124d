import type { NextFunction, Request, Response } from 'express';
import helmet from 'helmet';

/** One year, seconds. */
const HSTS_S = 31_536_000;

/**
 * Headers of a door that serves programs and no page: nothing may be loaded, framed or guessed. HSTS in production
 * alone, for development speaks plain HTTP.
 */
export function securityHeaders(production: boolean): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] },
    },
    strictTransportSecurity: production ? { maxAge: HSTS_S, includeSubDomains: true } : false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}

/** No answer is kept by a cache; a route whose answer may be says so itself. */
export function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}
