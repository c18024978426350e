/* global document, window */

/** Tries to bring in what is not the page's own; tells which rules of its policy refused it. */
(async () => {
  const refusedBy = [];
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
    refusedBy.push(effectiveDirective),
  );
  const add = (name, properties) =>
    document.body.append(Object.assign(document.createElement(name), properties));
  add('script', { textContent: 'window.ran = true' });
  add('style', { textContent: 'body { color: red }' });
  add('img', { src: 'http://127.0.0.2/a.png' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { refusedBy: refusedBy.sort(), ran: window.ran === true };
})();
