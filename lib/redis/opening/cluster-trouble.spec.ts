import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Command, type Cluster } from 'ioredis';
import { fakeCommand, FakeRedisClient } from '../redis-client.fake.js';
import { ClusterTrouble } from './cluster-trouble.js';

/** As much of a cluster client as asks its only node for the slots. */
class FakeCluster extends EventEmitter {
  readonly isCluster = true;
  status = 'connecting';
  readonly node = { duplicate: () => new FakeRedisClient() };
  readonly sendCommand = ({ promise }: Command): unknown => promise;

  nodes(): unknown[] {
    return [this.node];
  }

  /** Opens the connection for a question. */
  ask(): FakeRedisClient {
    const question = this.node.duplicate();
    void question.connect();
    return question;
  }

  /** Asks the node whether all is well, as ioredis does when it knows the slots. */
  check(): Command {
    const command = new Command('cluster', ['INFO']);
    this.status = 'connect';
    this.emit('connect');
    this.sendCommand(command);
    return command;
  }
}

describe('A cluster client that is not ready says', () => {
  let client: FakeCluster;
  let trouble: ClusterTrouble;

  beforeEach(() => {
    client = new FakeCluster();
    trouble = new ClusterTrouble(client as unknown as Cluster);
  });

  it('what became of a question that a node hung up on, and not that it was closed', () => {
    const question = client.ask();
    question.moveTo('connect');
    question.giveUp(Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' }));
    question.disconnect();
    client.emit('node error', new Error('Connection is closed.'));
    expect(trouble.cause?.message).toMatch(/^the server closed the connection before it answered/);
    expect(trouble.exists).toBe(true);
  });

  it('what the silence of a node may mean, and not that the time was up', () => {
    const question = client.ask();
    question.moveTo('connect');
    question.owe(fakeCommand('client', 'setname'));
    question.disconnect();
    client.emit('node error', new Error('timeout'));
    expect(trouble.cause?.message).toMatch(/^the server accepted the connection and does not answer/);
  });

  it('what one node said rather than that another is silent', () => {
    client.emit('node error', new Error('WRONGPASS '));
    const question = client.ask();
    question.moveTo('connect');
    question.owe(fakeCommand('client', 'setname'));
    question.disconnect();
    expect(trouble.cause?.message).toMatch(/^the server refuses this user or password/);
  });

  it('what a node answers, in words that help', () => {
    const question = client.ask();
    question.becomeReady();
    question.disconnect();
    client.emit('node error', new Error('ERR This instance has cluster support disabled'));
    expect(trouble.cause?.message).toMatch(/^the server is not a node of a cluster/);
  });

  it('that the cluster is down, when a node tells so', () => {
    client.check();
    client.emit('close');
    expect(trouble.cause?.message).toMatch(/^the cluster is down/);
  });

  it('why a node did not tell whether the cluster is up', async () => {
    client.check().reject(new Error('NOPERM'));
    await Promise.resolve();
    client.emit('close');
    expect(trouble.cause?.message).toBe('NOPERM');
  });

  it('nothing of a question that was answered', () => {
    const question = client.ask();
    question.becomeReady();
    question.disconnect();
    expect(trouble.exists).toBe(false);
  });

  it('nothing any more as soon as it is ready', () => {
    client.emit('node error', new Error('WRONGPASS'));
    client.status = 'ready';
    client.emit('ready');
    expect(trouble.cause).toBeUndefined();
  });
});

it('A connection that has ended is not disconnected again, for which ioredis would keep a timer', () => {
  const client = new FakeCluster();
  const disconnect = jest.spyOn(FakeRedisClient.prototype, 'disconnect');
  new ClusterTrouble(client as unknown as Cluster);
  const question = client.ask();
  question.giveUp(new Error('ECONNREFUSED'));
  question.disconnect();
  expect(disconnect).not.toHaveBeenCalled();
  disconnect.mockRestore();
});
