import {
  Body,
  Controller,
  Get,
  Header,
  Param,
  ParseUUIDPipe,
  Post,
  Req,
  Res,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { JsonBodyGuard } from '../web/json-body.guard.js';
import { newSnippetSchema, type NewSnippet, type StoredSnippet } from './snippet.dto.js';
import { SnippetsService } from './snippets.service.js';

@Controller('snippets')
export class SnippetsController {
  constructor(private readonly snippets: SnippetsService) {}

  @Post()
  @UseGuards(JsonBodyGuard)
  store(@Body({ schema: newSnippetSchema }) snippet: NewSnippet): Promise<StoredSnippet> {
    return this.snippets.store(snippet);
  }

  /** Whoever accepts gzip gets the bytes as they are stored. */
  @Get(':id')
  @Header('Vary', 'Accept-Encoding')
  @Header('X-Content-Type-Options', 'nosniff')
  async find(
    @Param('id', ParseUUIDPipe) id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StreamableFile> {
    const gzipped = await this.snippets.find(id);
    if (request.acceptsEncodings('gzip', 'identity') !== 'gzip') {
      return plainText(await this.snippets.unzip(gzipped));
    }
    response.setHeader('Content-Encoding', 'gzip');
    return plainText(gzipped);
  }
}

const plainText = (bytes: Buffer) =>
  new StreamableFile(bytes, { type: 'text/plain; charset=utf-8', length: bytes.length });
