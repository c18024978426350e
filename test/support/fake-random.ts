/** Numbers that look random and are the same for the same seed (mulberry32). */
export class FakeRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below 1, as `Math.random`. */
  next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };

  /** A whole number, both ends included. */
  from(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** One of several; what stands there more often is more likely. */
  oneOf<V>(...choices: [V, ...V[]]): V {
    return choices[this.from(0, choices.length - 1)] ?? choices[0];
  }
}
