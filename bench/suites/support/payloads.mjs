// What the suites of compression compress.

/** JSON as an API sends it, about a fifth of its size when gzipped; the same for the same seed. The buffer is no part of another. */
export function records(bytes, seed = 1) {
  const next = random(seed);
  const pick = (count) => Math.floor(next() * count);
  const text = Buffer.from(new ArrayBuffer(bytes));
  for (let at = 0; at < bytes;) {
    const name = NAMES[pick(NAMES.length)];
    const record = {
      id: pick(1e6),
      name: `${name} ${NAMES[pick(NAMES.length)]}`,
      email: `${name.toLowerCase()}${pick(1_000)}@example.org`,
      active: pick(3) > 0,
      balance: pick(1e7) / 100,
      roles: pick(4) === 0 ? ['reader', 'writer'] : ['reader'],
      createdAt: new Date(1_700_000_000_000 + pick(5e10)).toISOString(),
    };
    at += text.write(`${JSON.stringify(record)},`, at);
  }
  return text;
}

const NAMES = [
  'Ada',
  'Grace',
  'Edsger',
  'Barbara',
  'Donald',
  'Frances',
  'Niklaus',
  'Margaret',
  'Dennis',
  'Radia',
];

/** JSON whose records differ in little, of which gzip leaves less than a tenth; the same for the same seed. */
export function rows(bytes, seed = 1) {
  const text = Buffer.from(new ArrayBuffer(bytes));
  for (let id = seed * 1_000, at = 0; at < bytes; id += 1) {
    const name = `user ${id % 97}`;
    at += text.write(
      `{"id":${id},"name":"${name}","active":${id % 3 === 0},"roles":["reader","writer"]},`,
      at,
    );
  }
  return text;
}

/** Numbers from 0 to 1. */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}
