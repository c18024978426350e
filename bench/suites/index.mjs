/** In the order in which they run. */
export const SUITES = ['acquire'];
