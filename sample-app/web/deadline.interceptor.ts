import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { timeout, type Observable } from 'rxjs';

const DEADLINE_MS = 8_000;

/** Nobody waits for ever: the pools limit the wait for a connection, this limits the wait for the server behind it. */
@Injectable()
export class DeadlineInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(timeout(DEADLINE_MS));
  }
}
