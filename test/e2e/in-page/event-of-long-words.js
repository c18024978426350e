/* global document */

/** Whether the list of events has room for one whose words are longer than its lines. */
(() => {
  const list = document.querySelector('#happenings');
  const item = list.appendChild(document.createElement('li'));
  for (const [tag, text] of Object.entries({
    time: '06:22:32',
    b: 'archive',
    span: 'UV_THREADPOOL_'.repeat(8),
  }))
    item.appendChild(document.createElement(tag)).textContent = text;
  const fits = list.scrollWidth <= list.clientWidth;
  item.remove();
  return fits;
})();
