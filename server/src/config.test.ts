import { expect, test } from 'vitest';
import { loadConfig } from './config.ts';

test.each([
  ['BERTH_LISTEN', '127.0.0.1:99999', 'HOST:PORT'],
  ['BERTH_EGRESS_ALLOW', '192.168.7.0/24, registry', 'IPv4 addresses'],
  ['BERTH_EGRESS_ALLOW', '10.0.0.0/33', 'IPv4 addresses'],
  ['BERTH_DEFAULT_IMAGE', 'ftp://x', 'docker://NAME'],
  ['BERTH_NODE_CPUS', '0', 'more than 0'],
])('a setting that could only fail later is refused at the start: %s=%s', (name, value, words) => {
  expect(() => loadConfig({ env: { [name]: value } })).toThrow(words);
});

test('addresses and ranges may be allowed', () => {
  expect(loadConfig({ env: { BERTH_EGRESS_ALLOW: '192.168.7.0/24, 10.1.2.3' } }).config.egressAllow).toEqual([
    '192.168.7.0/24',
    '10.1.2.3',
  ]);
});
