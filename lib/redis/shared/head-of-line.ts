import type { Redis } from 'ioredis';

/** How often, over several connections, a command was seen to be answered. */
export class Answers {
  seen = 0;
}

/**
 * Watches the command that a client is to answer next. A client is overtaken when others have answered something while that command was
 * waiting: its reply is a large one on its way, or the connection is slow, and a new command would be answered late behind it. It is
 * seen only as often as somebody looks, and so without any work for each reply.
 */
export class HeadOfLine {
  readonly #client: Redis;
  readonly #answers: Answers;
  #head: unknown;
  #answersBefore = 0;

  constructor(client: Redis, answers: Answers) {
    this.#client = client;
    this.#answers = answers;
  }

  look(): void {
    const head = this.#client.commandQueue.peekFront();
    if (head === this.#head) return;
    if (this.#head !== undefined) this.#answers.seen += 1;
    this.#head = head;
    this.#answersBefore = this.#answers.seen;
  }

  /** As of the last look. */
  get isOvertaken(): boolean {
    return this.#head !== undefined && this.#answers.seen > this.#answersBefore;
  }
}
