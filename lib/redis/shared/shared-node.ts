import type { Command, Redis } from 'ioredis';
import { AnswerWatch } from './answer-watch.js';
import { keepDiscreet } from '../opening/discretion.js';

interface Limits {
  /** How long the node may take to greet. */
  readonly greetingTimeoutMs: number;
  /** How long a command may take; 0 is no limit. */
  readonly commandTimeoutMs: number;
}

/** Sees to the connection that a shared client has to one node of a cluster, before it is opened. */
export function attendToNode(node: Redis, { greetingTimeoutMs, commandTimeoutMs }: Limits): void {
  keepDiscreet(node);
  forgetSettled(node);
  expectGreeting(node, greetingTimeoutMs);
  if (commandTimeoutMs > 0) expectAnswers(node, commandTimeoutMs);
}

/** The commands that wait for an answer of a node. */
export function* sentTo({ commandQueue }: Redis): Generator<Command, void> {
  for (let at = 0; at < commandQueue.length; at += 1) yield commandQueue.peekAt(at)!.command as Command;
}

/** Nobody waits for a command that is settled, so ioredis must not send it again, after a pause or to another node. */
function forgetSettled(node: Redis): void {
  const send = node.sendCommand.bind(node);
  node.sendCommand = (command, stream) =>
    command.isSettled && !stream ? command.promise : send(command, stream);
}

/** ioredis waits for ever for a server that accepts a connection and then says nothing. */
function expectGreeting(node: Redis, ms: number): void {
  const error = () => new Error(`the node accepted the connection and did not answer within ${ms} ms`);
  let silence: NodeJS.Timeout | undefined;
  const answered = () => clearTimeout(silence);
  node.once('connect', () => {
    silence = setTimeout(() => node.stream.destroy(error()), ms);
  });
  node.once('ready', answered);
  node.once('end', answered);
}

/** When a node is silent its connection is closed, and ioredis looks for who has its slots now. */
function expectAnswers(node: Redis, timeoutMs: number): void {
  const unanswered = { [Symbol.iterator]: () => sentTo(node) };
  const late = () => {
    if (watch.isSilent) node.stream.destroy(new Error(SILENT));
  };
  const watch = new AnswerWatch({ client: node, unanswered, timeoutMs, late });
  node.once('end', () => watch.stop());
}

const SILENT = 'nothing came over the connection all that time, so it was closed';
