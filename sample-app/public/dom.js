/* global document, fetch */

/** Small helpers: elements, and numbers in words. */

export const find = (selector, within = document) => within.querySelector(selector);

/** An element with attributes or properties, and what is in it. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const decimals = (digits) => new Intl.NumberFormat('en', { maximumFractionDigits: digits });
const WHOLE = decimals(0);
const FINE = decimals(2);
const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** Small numbers with a fraction, large ones without; an en dash where there is none. */
export function number(value) {
  if (value === null || value === undefined) return '–';
  return (Math.abs(value) < 100 ? FINE : WHOLE).format(value);
}

export function bytes(value) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const at = value < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  return `${decimals(at === 0 ? 0 : 1).format(value / 1_000 ** at)} ${units[at]}`;
}

export const clock = (at) => TIME.format(at);

/** How a control asks the server for something. */
export async function request(url, method, body) {
  const response = await fetch(url, {
    method,
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  const { message = response.statusText } = await response.json().catch(() => ({}));
  throw new Error(`${response.status}: ${[message].flat().join('; ')}`);
}
