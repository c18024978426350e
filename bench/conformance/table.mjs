export const SIGNS = { pass: '✓', fail: '✗', 'not offered': '–', 'n/a': '' };

const NAME_WIDTH = 25;
const widthOf = ({ name }) => name.length + 3;

export function printHead(pools) {
  console.log(line('', pools, ({ name }) => name));
}

export function printTitle(title) {
  console.log(`\n${title}`);
}

export function printRow({ name, verdicts }, pools) {
  console.log(line(`  ${name}`, pools, (pool) => SIGNS[verdicts[pool.name].verdict]));
}

export function printTotals(pools) {
  console.log(`\n${line('passed', pools, ({ passed, applicable }) => `${passed}/${applicable}`)}`);
  console.log('\n✓ does  ✗ does not  – is not offered  (blank) does not apply');
}

/** Why each of them does not, with the error behind it where there is one. */
export function printReasons(groups, pools) {
  for (const { name } of pools) {
    const failures = groups.flatMap(({ behaviours }) =>
      behaviours.filter(({ verdicts }) => verdicts[name].verdict === 'fail'),
    );
    if (failures.length > 0) console.log(`\n${name} fails`);
    for (const { name: behaviour, verdicts } of failures) {
      const { why, detail } = verdicts[name];
      console.log(`  ${behaviour}: ${why}${detail === undefined ? '' : ` (${detail})`}`);
    }
  }
}

function line(first, pools, cell) {
  return `${first.padEnd(NAME_WIDTH)}${pools.map((pool) => cell(pool).padStart(widthOf(pool))).join('')}`;
}
