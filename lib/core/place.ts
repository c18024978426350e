/** A place in the code: the stack of whoever called a function. Putting it into words costs most, so that is left until somebody reads it. */
export class Place {
  readonly #holder: { stack?: string } = {};

  /** Where the present call of `callee` comes from. */
  constructor(callee: (...args: never[]) => unknown) {
    Error.captureStackTrace(this.#holder, callee);
  }

  toString(): string {
    return String(this.#holder.stack ?? '').replace(/^.*\n/, '');
  }
}
