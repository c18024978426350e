/** The user and password of a URL, and what is given as `password=…` or the like. */
const SECRETS: readonly (readonly [secret: RegExp, shown: string])[] = [
  [/(?<=[a-z][a-z\d+.-]*:\/\/)[^\s/?#]*@/gi, '***@'],
  [
    /(?<=\b(?:password|passwd|pwd|secret|token|api[-_]?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;)}\]]+)/gi,
    '***',
  ],
];

/** A text of whatever origin, as the error of a factory, fit to be shown to whoever reads logs or asks for health. */
export function withoutSecrets(text: string): string {
  return SECRETS.reduce((shown, [secret, instead]) => shown.replace(secret, instead), text);
}
