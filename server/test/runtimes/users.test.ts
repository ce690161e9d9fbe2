import { beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../support/engines.ts';
import { Workbench } from './guarantees.ts';

describe.each(ENGINES)('on $name, the user of a session', ({ host }) => {
  const work = new Workbench(host);
  let foreign = '';

  beforeAll(async () => {
    foreign = await work.changedImage(['rm', '/etc/passwd', '/etc/group']);
  });

  it('has a name and a home in an image that knows nothing of her', async () => {
    const named = await work.ran({
      command: ['sh', '-c', 'whoami; echo ~; id -gn'],
      imageDigest: foreign,
      user: { name: 'grace', uid: 1000, gid: 1000, home: '/home/grace' },
    });
    expect(named).toMatchObject({ exitCode: 0, log: 'grace\n/home/grace\ngrace\n' });
  });

  it('has her own name where the image gave her number to another', async () => {
    const named = await work.ran({
      command: ['sh', '-c', 'id; whoami; echo $USER $LOGNAME $HOME'],
      user: { name: 'grace', uid: 1000, gid: 1000, home: '/home/grace' },
    });
    expect(named.log).toBe('uid=1000(grace) gid=1000(grace) groups=1000(grace)\ngrace\ngrace grace /home/grace\n');
  });

  it('is not root, and cannot rewrite who she is', async () => {
    const ref = await work.started();
    const { output } = await work.inside(ref, 'id -u; echo root::0:0::/:/bin/sh >> /etc/passwd && echo written');
    expect(output).toMatch(/^1000\n/);
    expect(output).not.toContain('written');
  });

  it('owns her home, alone, and finds in it what she left in another session', async () => {
    const storage = await work.home();
    const mounts = [{ storage, target: '/home/ada', readOnly: false }];
    const first = await work.started({ mounts, workDir: null });
    expect(await work.inside(first, 'stat -c "%U %a" ~; pwd; echo kept > ~/note')).toMatchObject({
      output: 'ada 700\n/home/ada\n',
      code: 0,
    });
    const second = await work.started({ mounts, workDir: null });
    expect((await work.inside(second, 'cat ~/note; stat -c %u ~/note')).output).toBe('kept\n1000\n');
    await work.bench.again().ensureStorage('node', storage, work.digest);
    expect((await work.inside(second, 'cat ~/note')).output).toBe('kept\n');
  });
});
