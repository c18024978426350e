/**
 * What a suite of benchmarks is. Each file in `suites/` has one as its default export; `index.mjs` lists them.
 *
 * @typedef {object} Suite
 * @property {string} name What `--only` looks for, together with the names of the scenarios.
 * @property {string} title
 * @property {string} about What is measured and how to read it, in Markdown.
 * @property {Metric[]} metrics What a round tells. Ratios are of the first, where nothing else is said.
 * @property {string} baseline The contender that all others are divided by.
 * @property {Record<string, Contender>} contenders By name. The names of ours begin with `nestjs-pool`.
 * @property {Scenario[]} scenarios
 * @property {Expectation[]} [expectations] What the library promises; missing one by more than the spread ends the run with 1.
 * @property {() => Promise<Servers>} [start] Starts what the contenders talk to.
 * @property {number} [rounds] That count, of each contender in each scenario. Default 15.
 * @property {number} [warmUpRounds] That do not. Default 3.
 * @property {boolean} [freshProcess] A new process for each round: for what a process can do once only, such as reach its peak of memory.
 * @property {Curve} [curve] The scenarios are points of a curve, to be drawn.
 *
 * @typedef {object} Metric
 * @property {string} key Of what a round gives.
 * @property {string} title With its unit.
 * @property {number} [digits] After the point. Default 0.
 * @property {'more' | 'less'} [better] Default: more of what is counted by the second (its title ends with `/s`), less of anything else.
 *
 * @typedef {object} Contender
 * @property {string} how What it is set up with.
 * @property {string} source Where its own documentation recommends or explains that; of ours, a path in this repository.
 * @property {boolean} [isControl] It tells what the figures are worth, and is no rival.
 * @property {(scenario: Scenario) => string | undefined} [missing] Why it does not take part, if it does not.
 * @property {(scenario: Scenario, context: object) => Promise<Round>} open Gets ready, in a process of its own, and checks that its results
 *   are right. The context is what `start()` gave, and `roundMs`.
 *
 * @typedef {() => Promise<Record<string, number>>} Round
 *
 * @typedef {object} Scenario A name, and whatever its contenders want to know.
 * @property {string} name A long table is taken apart by what comes before the first comma.
 * @property {number} [x] Its place on the curve.
 * @property {string} [curve] The name of the curve that it is on, if there are several.
 *
 * @typedef {object} Expectation
 * @property {(scenario: Scenario) => boolean} of
 * @property {string} ours
 * @property {string} rival
 * @property {string} [metric] Default: the first.
 * @property {number} [atLeast] What ours divided by the rival's is to be, or `atMost`.
 * @property {number} [atMost]
 *
 * @typedef {object} Servers
 * @property {object} context What contenders need to reach them; goes to their processes as JSON.
 * @property {() => Promise<unknown>} stop
 *
 * @typedef {object} Curve
 * @property {string} x What grows, with its unit.
 * @property {string | string[]} metric The key of what is drawn; a picture for each, if there are several.
 */

/** @param {Suite} suite */
export const defineSuite = (suite) => ({ rounds: 15, warmUpRounds: 3, expectations: [], ...suite });

/**
 * Contenders that differ only in what they open: `play(open, scenario, context)` opens it, and makes their rounds.
 * @returns {Record<string, Contender>}
 */
export const contendersOf = (candidates, play) =>
  Object.fromEntries(
    Object.entries(candidates).map(([name, { open, ...contender }]) => [
      name,
      { ...contender, open: (scenario, context) => play(open, scenario, context) },
    ]),
  );
