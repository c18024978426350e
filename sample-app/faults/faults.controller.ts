import { Body, Controller, HttpCode, HttpStatus, Post, UseGuards } from '@nestjs/common';
import { JsonBodyGuard } from '../web/json-body.guard.js';
import { faultOrderSchema, type FaultOrder } from './fault.dto.js';
import { FaultsService } from './faults.service.js';

@Controller('faults')
export class FaultsController {
  constructor(private readonly faults: FaultsService) {}

  /** Answers as soon as the fault is there; it heals by itself. */
  @Post()
  @HttpCode(HttpStatus.NO_CONTENT)
  @UseGuards(JsonBodyGuard)
  cause(@Body({ schema: faultOrderSchema }) order: FaultOrder): Promise<void> {
    return this.faults.cause(order);
  }
}
