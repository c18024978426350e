/**
 * Middleware for Express: has the texts that `response.send()` and `response.json()` are given compressed by a gzip pool, from so many
 * bytes on, for clients that take gzip.
 */
export function compressResponses(pool, { threshold = 1_024 } = {}) {
  return (request, response, next) => {
    const send = response.send.bind(response);
    const isFit = (body) => typeof body === 'string' && Buffer.byteLength(body) >= threshold;
    const sendPacked = (packed) => {
      response.set('Content-Encoding', 'gzip');
      send(packed);
    };
    response.send = (body) => {
      if (!isFit(body)) return send(body);
      response.vary('Accept-Encoding');
      if (!request.acceptsEncodings('gzip')) return send(body);
      if (!response.get('Content-Type')) response.type('html');
      pool.compress(body).then(sendPacked).catch(next);
      return response;
    };
    next();
  };
}
