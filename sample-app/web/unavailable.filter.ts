import { Catch, Logger, ServiceUnavailableException, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import type { Response } from 'express';
import { PoolError, type PoolErrorCode } from 'nestjs-pool';
import { TimeoutError } from 'rxjs';

const RETRY_AFTER_SECONDS = 1;

const PASSING_CODES: ReadonlySet<PoolErrorCode> = new Set<PoolErrorCode>([
  'ERR_POOL_TIMEOUT',
  'ERR_POOL_QUEUE_FULL',
  'ERR_POOL_CLOSED',
  'ERR_POOL_UNAVAILABLE',
  'ERR_POOL_LEASE_BROKEN',
]);

/** Asks clients to come back when a pool, or what is behind it, cannot serve them. What is wrong is for the log, not for them. */
@Catch()
export class UnavailableFilter extends BaseExceptionFilter {
  private readonly logger = new Logger(UnavailableFilter.name);

  override catch(error: unknown, host: ArgumentsHost): void {
    if (!isPassing(error)) return super.catch(error, host);
    this.logger.warn(error.message);
    host.switchToHttp().getResponse<Response>().setHeader('Retry-After', RETRY_AFTER_SECONDS);
    super.catch(new ServiceUnavailableException('Busy at the moment: try again'), host);
  }
}

/** Whether it may work when it is tried again. Anything else is a bug of ours. */
function isPassing(error: unknown): error is Error {
  if (error instanceof PoolError) return PASSING_CODES.has(error.code);
  return error instanceof TimeoutError || isGivenUp(error);
}

/** ioredis lost the connection while a command was in flight, and it does not come back. */
const isGivenUp = (error: unknown) => error instanceof Error && error.name === 'MaxRetriesPerRequestError';
