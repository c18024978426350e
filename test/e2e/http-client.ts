import { once } from 'node:events';
import {
  request,
  type Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came over the wire: `fetch` would decompress it. */
  readonly body: Buffer;
}

export const jsonOf = <T = Record<string, unknown>>({ body }: Answer) => JSON.parse(body.toString()) as T;

/** One request and its whole answer. */
export async function ask(
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
    agent = false,
  }: { method?: string; headers?: OutgoingHttpHeaders; body?: string; agent?: Agent | false } = {},
): Promise<Answer> {
  return answerTo(request(url, { method, headers, agent }).end(body));
}

/** Sends a value as JSON. */
export function post(url: string, value: unknown): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json' };
  return ask(url, { method: 'POST', headers, body: JSON.stringify(value) });
}

/** A POST whose body comes in two pieces. */
export interface SlowPost {
  finish(): Promise<Answer>;
}

/** Resolves when the server has begun with the request, and waits for the rest of its body. */
export async function beginPost(url: string, json: string): Promise<SlowPost> {
  const headers = { 'Content-Type': 'application/json', Connection: 'keep-alive', Expect: '100-continue' };
  const outgoing = request(url, { method: 'POST', headers });
  const middle = json.length / 2;
  outgoing.write(json.slice(0, middle));
  await once(outgoing, 'continue');
  return { finish: () => answerTo(outgoing.end(json.slice(middle))) };
}

async function answerTo(outgoing: ReturnType<typeof request>): Promise<Answer> {
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await buffer(incoming) };
}
