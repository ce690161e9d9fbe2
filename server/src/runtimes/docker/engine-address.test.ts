import { describe, expect, it } from 'vitest';
import { parseEngineAddress } from './engine-address.ts';

describe('the address of an engine', () => {
  it.each([
    ['unix:///run/x.sock', { socketPath: '/run/x.sock' }],
    ['/run/x.sock', { socketPath: '/run/x.sock' }],
    ['unix://', { socketPath: '/var/run/docker.sock' }],
    ['tcp://engine:2375', { protocol: 'http', host: 'engine', port: '2375' }],
    ['tcp://engine:2376', { protocol: 'https', host: 'engine', port: '2376' }],
    ['ssh://me@engine', { protocol: 'ssh', host: 'engine', username: 'me', port: 22 }],
  ])('%s is understood as DOCKER_HOST is', (text, connection) => {
    expect(parseEngineAddress(text, {}).connection).toMatchObject(connection);
  });
  it('never mixes with the address in the environment', () => {
    expect(parseEngineAddress('unix:///run/x.sock', {}).connection).toHaveProperty('host', undefined);
  });
  it.each(['engine', 'ftp://engine', ''])('"%s" is refused with a remedy', (text) => {
    expect(() => parseEngineAddress(text, {})).toThrow(/is not the address of a container engine/);
  });
});
