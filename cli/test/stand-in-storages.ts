import { CreateStorage, type Storage } from '@berth/contract';

/** Storages that live in memory; one that is deleted is gone after it was asked for so many times more. */
export class StandInStorages {
  readonly kept: Storage[] = [];
  looksUntilGone = 2;

  /** undefined: there is no such storage. */
  answer(method: string | undefined, wanted: string | undefined, body: unknown): unknown {
    if (method === 'POST') return this.create(body);
    if (wanted === undefined) return { items: this.kept.toReversed(), next: null };
    const at = this.kept.findIndex(({ id, name }) => id === wanted || name === wanted);
    const storage = this.kept[at];
    if (storage === undefined) return undefined;
    if (method === 'DELETE') return (this.kept[at] = { ...storage, state: 'deleting' });
    if (storage.state === 'deleting' && (this.looksUntilGone -= 1) < 0) {
      this.kept.splice(at, 1);
      return undefined;
    }
    return storage;
  }

  private create(body: unknown): Storage {
    const { name, project = 'ada' } = CreateStorage.parse(body);
    const storage: Storage = {
      id: `0199a3b4-c5d6-7000-8f00-00000000000${this.kept.length + 1}`,
      name,
      owner: { id: 'u1', name: 'ada' },
      project: { id: 'p1', name: project },
      state: 'ready',
      reason: '',
      mountedBy: [],
      createdAt: '2026-01-01T12:00:00.000Z',
    };
    this.kept.push(storage);
    return storage;
  }
}
