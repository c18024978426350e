import { Body, Controller, Delete, HttpCode, HttpStatus, Put, UseGuards } from '@nestjs/common';
import { JsonBodyGuard } from '../web/json-body.guard.js';
import { loadOrderSchema, type LoadOrder } from './load.dto.js';
import { LoadService } from './load.service.js';

/** The one load of this server: put there, changed or taken away. */
@Controller('load')
export class LoadController {
  constructor(private readonly load: LoadService) {}

  @Put()
  @HttpCode(HttpStatus.NO_CONTENT)
  @UseGuards(JsonBodyGuard)
  start(@Body({ schema: loadOrderSchema }) order: LoadOrder): void {
    this.load.start(order);
  }

  @Delete()
  @HttpCode(HttpStatus.NO_CONTENT)
  stop(): void {
    this.load.stop();
  }
}
