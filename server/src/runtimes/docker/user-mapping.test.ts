import { expect, it } from 'vitest';
import { groupWith, passwdWith } from './user-mapping.ts';

const user = { name: 'ada', uid: 1000, gid: 1000, home: '/home/ada' };

it("an image's users stay, but nobody keeps her name or number", () => {
  const passwd = passwdWith(
    'root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/sh\nada:x:7:7::/:/bin/sh\n',
    user,
    '/bin/bash',
  );
  expect(passwd).toBe('root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000::/home/ada:/bin/bash\n');
  expect(groupWith('root:x:0:\nnode:x:1000:\n', user)).toBe('root:x:0:\nada:x:1000:\n');
});

it('an image without such files gets them', () => {
  expect(passwdWith('', user, '/bin/sh')).toBe('ada:x:1000:1000::/home/ada:/bin/sh\n');
});
