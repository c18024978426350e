import { SingleBar } from 'cli-progress';

const FORMAT = ' {bar} {percentage} %  {eta_formatted} left  {scenario}: {contender}';

/** A bar on the terminal; nothing where the output goes elsewhere. */
export class Progress {
  #bar;

  constructor(total) {
    this.#bar = new SingleBar({ format: FORMAT, clearOnComplete: true, hideCursor: true, etaBuffer: 50 });
    this.#bar.start(total, 0, { scenario: '', contender: '' });
  }

  /** The next round begins. */
  step = (scenario, contender) => this.#bar.increment({ scenario, contender });

  stop() {
    this.#bar.stop();
  }
}
