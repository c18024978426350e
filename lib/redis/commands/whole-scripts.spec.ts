import { expect, it } from '@jest/globals';
import { Redis, type Command } from 'ioredis';
import { sendScriptsWhole } from './whole-scripts.js';

const LUA = 'return redis.call("INCR", KEYS[1])';
const definition = { lua: LUA, numberOfKeys: 1 };

/** A client that is never connected, with a script from its options and one that was defined later. */
function aClient(): Redis {
  const client = sendScriptsWhole(new Redis({ lazyConnect: true, scripts: { early: definition } }));
  client.defineCommand('later', definition);
  return client;
}

/** The names of the commands that a chain sends over a socket, in order. */
function sentBy(chain: object, socket: object): string[] {
  const { _queue: queue } = chain as { _queue: Command[] };
  for (const command of queue) command.toWritable(socket);
  return queue.map(({ name }) => name);
}

it.each(['early', 'later'])('A script (defined %s) is sent by its text once over a socket', (script) => {
  const chain = aClient().pipeline([
    [script, 'key'],
    [script, 'key'],
  ]);
  expect(sentBy(chain, {})).toEqual(['eval', 'evalsha']);
});

it.each(['early', 'later'])(
  'A script (defined %s) is sent by its text each time in a transaction',
  (script) => {
    const client = aClient();
    const socket = {};
    const chain = client.pipeline([['multi'], [script, 'key'], [script, 'key']]);
    expect(sentBy(chain, socket)).toEqual(['multi', 'eval', 'eval']);
    expect(sentBy(chain, {})).toEqual(['multi', 'eval', 'eval']); // sent again over another one
    // And that is no reason to take it for known.
    expect(sentBy(client.pipeline([[script, 'key']]), socket)).toEqual(['eval']);
  },
);
