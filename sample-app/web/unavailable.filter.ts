import { Catch, Logger, ServiceUnavailableException, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import type { Response } from 'express';
import { PoolError, type PoolErrorCode } from 'nestjs-pool';

const RETRY_AFTER_SECONDS = 1;

/** What may work when it is tried again. Anything else is a bug of ours. */
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
    if (!(error instanceof PoolError) || !PASSING_CODES.has(error.code)) return super.catch(error, host);
    this.logger.warn(error.message);
    host.switchToHttp().getResponse<Response>().setHeader('Retry-After', RETRY_AFTER_SECONDS);
    super.catch(new ServiceUnavailableException('Busy at the moment: try again'), host);
  }
}
