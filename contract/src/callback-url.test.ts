import { describe, expect, test } from 'vitest';
import { parseCallbackUrl } from './callback-url.ts';

describe('a callback URL', () => {
  test.each([
    ['https://hooks.example.org/berth?token=x', 'https://hooks.example.org/berth?token=x'],
    ['http://hooks.example.org', 'http://hooks.example.org/'],
    ['HTTPS://Hooks.Example.org:443/a#b', 'https://hooks.example.org/a'],
    ['http://hooks.example.org:8080/', 'http://hooks.example.org:8080/'],
    ['http://2130706433:80/', 'http://127.0.0.1/'],
    ['http://[2606:4700::1]:1024/', 'http://[2606:4700::1]:1024/'],
  ])('%s', (text, value) => expect(parseCallbackUrl(text)).toEqual({ ok: true, value }));

  test.each([
    ['', 'no URL'],
    ['hooks.example.org', 'no URL'],
    ['https://', 'no URL'],
    ['https://a b/', 'no URL'],
    [' https://a.example/', 'no URL'],
    ['https://a.example/\n', 'no URL'],
    ['ftp://a.example/', 'of the web'],
    ['file:///etc/passwd', 'of the web'],
    ['unix:/var/run/docker.sock', 'of the web'],
    ['gopher://a.example/', 'of the web'],
    ['https://me@a.example/', 'password'],
    ['https://me:secret-word@a.example/', 'password'],
    ['http://a.example:25/', 'port 25'],
    ['https://a.example:0/', 'port 0'],
  ])('%j is refused, and what is said holds nothing secret', (text, reason) => {
    const parsed = parseCallbackUrl(text);
    expect(parsed).toEqual({ ok: false, message: expect.stringContaining(reason) });
    expect(JSON.stringify(parsed)).not.toContain('secret-word');
  });
});
