import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CONTENDER = fileURLToPath(new URL('contender.mjs', import.meta.url));
const NO_SERVERS = { context: {}, stop: async () => undefined };

/**
 * Runs the scenarios of a suite and resolves with the figures of every round. Each contender has a process of its own, for in one
 * process they would share, and spoil, the compiled code of what they have in common. They make their rounds by turns, so that what slows
 * the machine slows all of them.
 */
export async function runSuite(suite, url, { scenarios, rounds, roundMs, progress }) {
  const { context, stop } = (await suite.start?.()) ?? NO_SERVERS;
  try {
    const results = [];
    for (const scenario of scenarios) {
      const play = new Play({ suite, url, scenario, context: { ...context, roundMs } });
      results.push(await play.run(rounds, progress));
    }
    return results;
  } finally {
    await stop();
  }
}

/** How many rounds that makes, of all contenders, for the progress bar. */
export function countRounds(suite, scenarios, rounds) {
  const perContender = suite.freshProcess ? rounds : rounds + suite.warmUpRounds;
  const contenders = scenarios.flatMap((scenario) => present(suite, scenario));
  return contenders.length * perContender;
}

const present = ({ contenders }, scenario) =>
  Object.keys(contenders).filter((name) => contenders[name].missing?.(scenario) === undefined);

/** One scenario, with all its contenders. */
class Play {
  constructor(parts) {
    Object.assign(this, parts);
    this.rows = new Map(present(this.suite, this.scenario).map((name) => [name, []]));
  }

  async run(rounds, progress) {
    await (this.suite.freshProcess ? this.#afresh(rounds, progress) : this.#inPlace(rounds, progress));
    const { contenders } = this.suite;
    const absent = Object.keys(contenders).filter((name) => !this.rows.has(name));
    return {
      name: this.scenario.name,
      x: this.scenario.x,
      curve: this.scenario.curve,
      rows: [...this.rows].map(([contender, figures]) => ({ contender, rounds: figures })),
      missing: absent.map((name) => ({ contender: name, because: contenders[name].missing(this.scenario) })),
    };
  }

  async #inPlace(rounds, progress) {
    const players = [];
    try {
      for (const name of this.rows.keys()) players.push([name, await this.#open(name)]);
      for (let round = -this.suite.warmUpRounds; round < rounds; round += 1) {
        for (const [name, player] of inTurn(players, round)) {
          progress(this.scenario.name, name);
          const figures = await player.play();
          if (round >= 0) this.rows.get(name).push(figures);
        }
      }
    } finally {
      for (const [, player] of players) await player.close();
    }
  }

  async #afresh(rounds, progress) {
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, figures] of inTurn([...this.rows], round)) {
        progress(this.scenario.name, name);
        const player = await this.#open(name);
        try {
          figures.push(await player.play());
        } finally {
          await player.close();
        }
      }
    }
  }

  async #open(name) {
    const { url, scenario, context } = this;
    const child = fork(CONTENDER, [url, scenario.name, name, JSON.stringify(context)]);
    const player = new Player(child, `${name}, ${scenario.name}`);
    await player.answer();
    return player;
  }
}

class Player {
  #child;
  #title;

  constructor(child, title) {
    this.#child = child;
    this.#title = title;
  }

  async play() {
    this.#child.send('go');
    return (await this.answer()).figures;
  }

  async answer() {
    const heard = new AbortController();
    const ways = ['message', 'exit'].map((event) => once(this.#child, event, { signal: heard.signal }));
    const [answer] = await Promise.race(ways).finally(() => heard.abort());
    if (typeof answer !== 'object' || answer === null)
      throw new Error(`${this.#title}: ended without a result`);
    if (answer.failure !== undefined) throw new Error(`${this.#title}: ${answer.failure}`);
    return answer;
  }

  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** None goes twice in a row, when its caches would still be warm: each round begins with the next one, and every other goes backwards. */
function inTurn(entries, round) {
  const first = Math.abs(round) % entries.length;
  const turned = [...entries.slice(first), ...entries.slice(0, first)];
  return round % 2 === 0 ? turned : turned.toReversed();
}
