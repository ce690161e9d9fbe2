import { expect, it } from 'vitest';
import { PullProgress } from './pull-progress.ts';

it('a pull tells its layers and bytes', () => {
  const progress = new PullProgress();
  expect(progress.text()).toBe('asking the registry');
  progress.see({ status: 'Pulling from library/x', id: 'latest' });
  for (const id of ['a', 'b', 'c']) progress.see({ id, status: 'Pulling fs layer', progressDetail: {} });
  progress.see({ id: 'a', status: 'Already exists' });
  progress.see({ id: 'b', status: 'Downloading', progressDetail: { current: 10 * 2 ** 20, total: 40 * 2 ** 20 } });
  expect(progress.text()).toBe('layer 2 of 3, 10MiB of 40MiB');
  progress.see({ id: 'b', status: 'Download complete' });
  progress.see({ id: 'b', status: 'Pull complete' });
  expect(progress.text()).toBe('layer 3 of 3, 40MiB of 40MiB');
});
