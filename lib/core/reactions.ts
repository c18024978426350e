import type { PoolEvent } from './pool.events.js';

/** What is done about events of some types; the others do not matter. */
export type Reactions = {
  readonly [Type in PoolEvent['type']]?: (event: Extract<PoolEvent, { type: Type }>) => void;
};

export function react(reactions: Reactions, event: PoolEvent): void {
  const reaction = reactions[event.type] as ((event: PoolEvent) => void) | undefined;
  reaction?.(event);
}
