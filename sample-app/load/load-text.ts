import { LOAD_LIMITS } from './load.dto.js';

const LEVELS = ['debug', 'info', 'warn', 'error'];
const WORDS =
  'pool lease waiter snippet archive cache connection context served in ms after retry by user'.split(' ');

/** Lines of a log: about as compressible as what people store. Made once; rounds take different parts of it. */
const LINES = linesOf(2 * LOAD_LIMITS.bytes);

/** A text of so many bytes. */
export function textOf(bytes: number): string {
  const from = Math.floor(Math.random() * (LINES.length - bytes));
  return LINES.slice(from, from + bytes);
}

function linesOf(bytes: number): string {
  let text = '';
  for (let at = 0; text.length < bytes; at++) text += `${lineOf(at)}\n`;
  return text;
}

function lineOf(at: number): string {
  const time = new Date(at * 37_000).toISOString();
  const words = Array.from({ length: 8 }, () => oneOf(WORDS)).join(' ');
  return `${time} ${oneOf(LEVELS)} ${words} ${Math.random().toString(36).slice(2, 10)}`;
}

function oneOf(list: readonly string[]): string | undefined {
  return list[Math.floor(Math.random() * list.length)];
}
