import { describe, expect, it } from '@jest/globals';
import { Answers, HeadOfLine } from './head-of-line.js';
import { fakeCommand, FakeRedisClient } from '../redis-client.fake.js';

/** Clients that are looked at together; what is returned tells which of them are overtaken. */
function clients(count: number) {
  const answers = new Answers();
  const fakes = Array.from({ length: count }, () => new FakeRedisClient());
  const heads = fakes.map((fake) => new HeadOfLine(fake.asRedis, answers));
  const overtaken = () => {
    for (const head of heads) head.look();
    return heads.map((head) => head.isOvertaken);
  };
  return { fakes, overtaken };
}

describe('The head of a line', () => {
  it('is overtaken when another client has answered since', () => {
    const { fakes, overtaken } = clients(2);
    for (const fake of fakes) {
      fake.owe(fakeCommand('get'));
      fake.owe(fakeCommand('get'));
    }
    expect(overtaken()).toEqual([false, false]);
    fakes[1]?.commandQueue.shift();
    expect(overtaken()).toEqual([true, false]);
    fakes[1]?.commandQueue.shift();
    expect(overtaken()).toEqual([true, false]);
    fakes[0]?.commandQueue.shift();
    expect(overtaken()).toEqual([false, false]);
  });

  it('is not overtaken while nobody answers', () => {
    const { fakes, overtaken } = clients(2);
    for (let sent = 0; sent < 10; sent += 1) {
      fakes[sent % 2]?.owe(fakeCommand('get'));
      expect(overtaken()).toEqual([false, false]);
    }
  });

  it('is nobody where nothing is waited for', () => {
    const { fakes, overtaken } = clients(2);
    fakes[0]?.owe(fakeCommand('get'));
    overtaken();
    fakes[0]?.commandQueue.shift();
    expect(overtaken()).toEqual([false, false]);
  });
});
