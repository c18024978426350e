/** What can be done to the embedded Redis, to see how the pools take it. */
import { find, request } from './dom.js';

const DOING = { pause: 'Redis is paused', stop: 'Redis is stopped', cut: 'Its connections are being cut' };

const form = find('#fault');
const status = find('#fault-status');
let isOn = false;
let complaint = '';

form.addEventListener('input', showChoice);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!isOn) cause(event.submitter.value);
});
showChoice();

/** A server that is not the application's own is left alone. */
export function offerFaults(isOffered) {
  form.hidden = !isOffered;
  if (!isOffered)
    complaint = 'This application uses the Redis of REDIS_URL, and that is not its own to disturb.';
  status.textContent = complaint;
}

export function showFault(fault, now) {
  isOn = fault !== null;
  // Not `disabled`, which would take the focus away from whoever has just pressed it.
  for (const button of form.querySelectorAll('button')) button.ariaDisabled = String(isOn);
  status.textContent = isOn
    ? `${DOING[fault.kind]}, for ${Math.max(0, Math.ceil((fault.until - now) / 1_000))} s more.`
    : complaint || 'The embedded Redis is well.';
}

async function cause(kind) {
  complaint = '';
  try {
    await request('faults', 'POST', { kind, seconds: Number(form.elements.seconds.value) });
  } catch (error) {
    complaint = error.message;
  }
}

function showChoice() {
  find('#seconds-shown').textContent = `${form.elements.seconds.value} s`;
}
