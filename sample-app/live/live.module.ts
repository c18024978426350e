import { Module } from '@nestjs/common';
import { LastDrain } from '../drains/last-drain.js';
import { EmbeddedRedisModule } from '../embedded-redis/embedded-redis.module.js';
import { FaultsController } from '../faults/faults.controller.js';
import { FaultsService } from '../faults/faults.service.js';
import { LoadController } from '../load/load.controller.js';
import { LoadRound } from '../load/load-round.js';
import { LoadService } from '../load/load.service.js';
import { SnippetsModule } from '../snippets/snippets.module.js';
import { CommandMeter } from './command-meter.js';
import { Happenings } from '../happenings/happenings.js';
import { LiveController } from './live.controller.js';
import { Pulse } from './pulse.js';

/** What the page is made of: the stream that it draws, and what its controls do. */
@Module({
  imports: [EmbeddedRedisModule, SnippetsModule],
  controllers: [LiveController, LoadController, FaultsController],
  providers: [CommandMeter, Happenings, Pulse, LoadRound, LoadService, FaultsService, LastDrain],
})
export class LiveModule {}
