import { describe, expect, test } from 'vitest';
import { exampleSession } from '../../domain/sessions/example-session.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { meantBy, pickSession } from './pick-session.ts';

const session = (id: string, name: string, state: Session['state'] = 'running'): Session =>
  exampleSession({ id: `${id}00-0000-7000-8000-000000000000`, name, state });
const names = (text: string, candidates: readonly Session[]): string[] => meantBy(text, candidates).map(({ name }) => name);

describe('which session a text means', () => {
  const beef = session('beef00', 'other');
  const called = session('aaaa00', 'beef');
  test('a name before the beginning of an id', () => expect(meantBy('beef', [beef, called])).toEqual([called]));
  test('a whole id before everything', () => expect(meantBy(beef.id.toUpperCase(), [session('bbbb00', beef.id), beef])).toEqual([beef]));
  test('the beginning of an id before that of a name', () =>
    expect(names('beef0', [beef, session('cccc00', 'beef0-more')])).toEqual(['other']));
  test('a live one before those that ended, else the latest', () => {
    const [dead, live] = [session('dddd00', 'same', 'error'), session('cccc00', 'same')];
    expect(meantBy('same', [dead, live])).toEqual([live]);
    expect(meantBy('same', [dead, session('aaaa00', 'same', 'error')])).toEqual([dead]);
  });
  test('several that begin so are all meant, and refused where one is wanted', () => {
    const both = [session('bbbb00', 'train-2'), session('aaaa00', 'train-1')];
    expect(names('train', both)).toEqual(['train-2', 'train-1']);
    expect(() => pickSession('train', both)).toThrow(
      expect.objectContaining({
        kind: 'too-many-sessions-matched',
        status: 404,
        data: { matches: [expect.objectContaining({ name: 'train-2', status: 'RUNNING' }), expect.objectContaining({ name: 'train-1' })] },
      }),
    );
  });
  test('none is refused', () =>
    expect(() => pickSession('nobody', [])).toThrow(expect.objectContaining({ kind: 'object-not-found', title: 'No such session.' })));
});
