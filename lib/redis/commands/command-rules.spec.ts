import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { fixedKindOf, kindOf, titleOf } from './command-rules.js';

const words = (line: string) => line.split(' ');

/** The kind of a command as one would type it. */
function kindOfLine(line: string) {
  const [name = '', ...args] = words(line);
  return kindOf(name, args);
}

describe('The kind of a command', () => {
  it.each([
    'blpop list 0',
    'BRPOP list 0',
    'brpoplpush a b 0',
    'blmove a b LEFT RIGHT 0',
    'blmpop 0 1 list LEFT',
    'bzpopmin set 0',
    'bzpopmax set 0',
    'bzmpop 0 1 set MIN',
    'wait 1 100',
    'waitaof 1 0 100',
    'xread BLOCK 0 STREAMS s $',
    'xread count 5 block 0 streams s $',
    'xreadgroup GROUP g c BLOCK 0 STREAMS s >',
    'xreadgroup group streams c block 0 streams s >',
  ])('%s is blocking', (line) => {
    expect(kindOfLine(line)).toBe('blocking');
  });

  it.each([
    'select 1',
    'SELECT 1',
    'watch key',
    'unwatch',
    'multi',
    'exec',
    'discard',
    'subscribe news',
    'psubscribe n*',
    'ssubscribe news',
    'unsubscribe',
    'punsubscribe',
    'sunsubscribe',
    'monitor',
    'auth secret',
    'hello 3',
    'reset',
    'quit',
    'readonly',
    'readwrite',
    'asking',
    'sync',
    'psync ? -1',
    'script debug yes',
    'client reply off',
    'client TRACKING on',
    'client no-evict on',
    'client no-touch on',
    'client setname me',
    'client setinfo LIB-NAME me',
    'client caching yes',
    'client some-subcommand-of-tomorrow',
    'himport prepare set field',
  ])('%s is stateful', (line) => {
    expect(kindOfLine(line)).toBe('stateful');
  });

  it.each([
    'get key',
    'xread COUNT 1 STREAMS block 0',
    'xread streams s $',
    'xreadgroup GROUP block block STREAMS s >',
    'client id',
    'CLIENT LIST',
    'client kill id 5',
    'client unblock 5',
    'script load return',
    'himport set key fields value',
    'config get maxmemory',
    'some.command of a module',
  ])('%s is ordinary', (line) => {
    expect(kindOfLine(line)).toBe('ordinary');
  });

  it('is read from buffers, too', () => {
    expect(kindOf('xread', [Buffer.from('Block'), 0, 'STREAMS', 's', '$'])).toBe('blocking');
    expect(kindOf('client', [Buffer.from('SETNAME'), 'me'])).toBe('stateful');
  });

  it('is known for every command that ioredis calls blocking', () => {
    const flags = Redis.Command.FLAGS.BLOCKING_COMMANDS.filter((name) => !name.startsWith('xread'));
    expect(flags.filter((name) => fixedKindOf(name) !== 'blocking')).toEqual([]);
  });

  it('is known beforehand unless the arguments decide', () => {
    expect(fixedKindOf('get')).toBe('ordinary');
    expect(fixedKindOf('select')).toBe('stateful');
    expect(fixedKindOf('client')).toBeUndefined();
    expect(fixedKindOf('xread')).toBeUndefined();
  });
});

describe('The title of a command', () => {
  it('has the subcommand where it matters, and no other argument', () => {
    expect(titleOf('client', ['setname', 'me'])).toBe('CLIENT SETNAME');
    expect(titleOf('auth', ['secret'])).toBe('AUTH');
    expect(titleOf('select', [1])).toBe('SELECT');
  });
});
