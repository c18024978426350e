import { setMaxListeners } from 'node:events';

type AbortListener = (() => void) | { handleEvent(): void };

/** Has the listener called when the signal aborts. Any number of callers may share a signal: Node 20 would take the eleventh for a leak. */
export function heedSignal(signal: AbortSignal, listener: AbortListener): void {
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
}
