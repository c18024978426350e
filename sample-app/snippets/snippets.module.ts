import { Module } from '@nestjs/common';
import { SnippetsController } from './snippets.controller.js';
import { SnippetsService } from './snippets.service.js';

@Module({ controllers: [SnippetsController], providers: [SnippetsService], exports: [SnippetsService] })
export class SnippetsModule {}
