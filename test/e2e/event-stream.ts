/** The first event of a type that a stream of server-sent events tells; the stream is left then. */
export async function firstEvent<T>(url: string, type: string): Promise<T> {
  const answer = await fetch(url);
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    const data = new RegExp(`^event: ${type}\\n(?:.+\\n)*?data: (.*)\\n`, 'm').exec(text)?.[1];
    if (data !== undefined) return JSON.parse(data) as T;
  }
  throw new Error(`the stream ended without an event of type ${type}: ${text}`);
}
