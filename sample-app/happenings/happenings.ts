import { Injectable } from '@nestjs/common';
import type { Happening, Noted } from './happening.js';

const KEPT = 30;

/** What happened lately. The same thing many times in a row, as in an outage, is one entry with a count. */
@Injectable()
export class Happenings {
  private kept: readonly Happening[] = [];
  private total = 0;

  /** Nothing is nothing to tell. */
  tell(noted: Noted | undefined): void {
    if (noted === undefined) return;
    const last = this.kept.at(-1);
    const at = Date.now();
    if (last?.source === noted.source && last.text === noted.text) {
      this.kept = [...this.kept.slice(0, -1), { ...last, at, count: last.count + 1 }];
    } else {
      this.kept = [...this.kept.slice(1 - KEPT), { ...noted, at, count: 1, number: ++this.total }];
    }
  }

  /** The oldest first. */
  get recent(): readonly Happening[] {
    return this.kept;
  }
}
