import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { OpenConnections } from './open-connections.js';
import { UnavailableFilter } from './unavailable.filter.js';

/** How this application speaks HTTP, whatever the route. */
@Module({
  providers: [
    OpenConnections,
    { provide: APP_PIPE, useClass: StandardSchemaValidationPipe },
    { provide: APP_FILTER, useClass: UnavailableFilter },
  ],
})
export class WebModule {}
