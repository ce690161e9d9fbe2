import type { Parsed } from './quantity.ts';

/** Other ports below this belong to services that speak something else. */
const FIRST_FREE_PORT = 1024;
const WEB_PORTS = ['', '80', '443'];

/** As it will be asked. No message repeats it: it may hold a secret. */
export function parseCallbackUrl(text: string): Parsed<string> {
  const refuse = (message: string): Parsed<string> => ({ ok: false, message });
  const example = 'write one such as https://hooks.example.org/berth';
  if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return refuse(`it is no URL: ${example}`);
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse(`it is no URL of the web: ${example}`);
  if (url.username !== '' || url.password !== '')
    return refuse('it holds a user name or a password: put what proves your right into its query');
  if (!WEB_PORTS.includes(url.port) && Number(url.port) < FIRST_FREE_PORT)
    return refuse(`port ${url.port} is not for web servers: use 80, 443, or one from ${FIRST_FREE_PORT} on`);
  url.hash = '';
  return { ok: true, value: url.href };
}
