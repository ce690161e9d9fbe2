import { describe, expect, test } from 'vitest';
import { cleanConfig, configFile, importChanges } from './image-config.ts';

const image = (config: object) => ({ Config: config }) as Parameters<typeof cleanConfig>[0];

describe('an image that is made of a session', () => {
  test("says what the image of the session says, and nothing that is Berth's", () => {
    const config = { Env: ['PATH=/bin'], Cmd: ['bash'], Labels: { maintainer: 'ada', 'berth.recipe': 'x' }, Entrypoint: null, User: '' };
    expect(cleanConfig(image(config))).toEqual({ Env: ['PATH=/bin'], Cmd: ['bash'], Labels: { maintainer: 'ada' } });
    expect(cleanConfig(image({ Labels: { 'berth.recipe': 'x' } }))).toEqual({});
    expect(cleanConfig({} as Parameters<typeof cleanConfig>[0])).toEqual({});
  });

  test('has the layers of what was committed, each with its line of history', () => {
    const layered = { Architecture: 'amd64', Os: 'linux', RootFS: { Type: 'layers', Layers: ['sha256:a', 'sha256:b'] } };
    expect(configFile({ Cmd: ['bash'] }, layered, new Date(0))).toEqual({
      architecture: 'amd64',
      os: 'linux',
      created: '1970-01-01T00:00:00.000Z',
      config: { Cmd: ['bash'] },
      rootfs: { type: 'layers', diff_ids: ['sha256:a', 'sha256:b'] },
      history: [
        { created: '1970-01-01T00:00:00.000Z', created_by: 'berth' },
        { created: '1970-01-01T00:00:00.000Z', created_by: 'berth session commit' },
      ],
    });
  });

  test('says the same where an engine takes Dockerfile lines only', () => {
    const config = {
      Env: ['PATH=/usr/bin:/bin', 'GREETING=hello $USER "there"', 'EMPTY='],
      Labels: { maintainer: 'Ada L' },
      ExposedPorts: { '8888/tcp': {} },
      Volumes: { '/data': {} },
      WorkingDir: '/work dir',
      User: '1000:1000',
      StopSignal: 'SIGINT',
      Entrypoint: ['/init', '--'],
      Cmd: ['sh', '-c', 'echo "x"'],
    };
    expect(importChanges(config)).toEqual([
      'ENV PATH=/usr/bin:/bin',
      String.raw`ENV GREETING="hello \$USER \"there\""`,
      'ENV EMPTY=""',
      'LABEL maintainer="Ada L"',
      'EXPOSE 8888/tcp',
      'VOLUME ["/data"]',
      'WORKDIR /work dir',
      'USER 1000:1000',
      'STOPSIGNAL SIGINT',
      'ENTRYPOINT ["/init","--"]',
      String.raw`CMD ["sh","-c","echo \"x\""]`,
    ]);
  });

  test('no value can become a line of its own', () => {
    expect(importChanges({ Env: ['A=1\nUSER root'] })).toEqual([]);
  });
});
