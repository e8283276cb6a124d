import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { Principal } from '@app/infrastructure/database';
import { BongsuError } from '@app/protocol';
import { type PollAnswer, PollDelivery, type PollRequest } from '@app/recommendations';
import { Allow, ByMember } from '../auth/allow.decorator.js';

const MOST_EVENTS = 100;
const MOST_ACKS = 1000;

/** Poll delivery of security event tokens (RFC 8936). */
@Controller('ssf')
export class PollController {
  constructor(private readonly delivery: PollDelivery) {}

  @Allow('events.receive')
  @Post('poll')
  @HttpCode(200)
  poll(
    @ByMember() member: Extract<Principal, { kind: 'member' }>,
    @Body() body: unknown,
    @Req() request: Request,
  ): Promise<PollAnswer> {
    // The request itself counts as destroyed once its body is read; only the socket says that the caller is gone.
    return this.delivery.poll(member, readPoll(body), () => request.socket.destroyed);
  }
}

/** @throws {BongsuError} BAD_INPUT */
function readPoll(body: unknown): PollRequest {
  const refuse = (where: string, what: string) => new BongsuError('BAD_INPUT', what, where);
  const {
    maxEvents = MOST_EVENTS,
    returnImmediately = false,
    ack = [],
    setErrs = {},
  } = (body ?? {}) as Record<string, unknown>;
  if (!Number.isInteger(maxEvents) || Number(maxEvents) < 0)
    throw refuse('maxEvents', 'maxEvents is a whole number from 0.');
  if (typeof returnImmediately !== 'boolean') throw refuse('returnImmediately', 'returnImmediately is true or false.');
  if (!Array.isArray(ack) || ack.length > MOST_ACKS || !ack.every((jti) => typeof jti === 'string'))
    throw refuse('ack', `ack is an array of at most ${MOST_ACKS} jti.`);
  if (
    typeof setErrs !== 'object' ||
    setErrs === null ||
    Object.keys(setErrs).length > MOST_EVENTS ||
    !Object.values(setErrs).every(isSetError)
  )
    throw refuse('setErrs', `setErrs maps at most ${MOST_EVENTS} jti to {err, description}.`);
  return {
    maxEvents: Math.min(Number(maxEvents), MOST_EVENTS),
    returnImmediately,
    ack: ack as string[],
    setErrs: setErrs as PollRequest['setErrs'],
  };
}

/** RFC 8936, section 2.6. */
function isSetError(value: unknown): value is { err: string; description?: string } {
  const { err, description } = (value ?? {}) as Record<string, unknown>;
  return typeof err === 'string' && (description === undefined || typeof description === 'string');
}
