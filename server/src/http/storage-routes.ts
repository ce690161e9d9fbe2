import type { Storage as Shown } from '@berth/contract';
import { noSuchStorage, type Storage } from '../domain/storages/storage.ts';
import { audit, type Caller } from './caller.ts';
import { findProject } from './find-project.ts';
import type { HttpParts } from './parts.ts';
import { Answer, type Handlers } from './route.ts';
import { listedUser } from './user-routes.ts';

export function storageHandlers(parts: HttpParts): Pick<Handlers, 'createStorage' | 'listStorages' | 'getStorage' | 'deleteStorage'> {
  const { storages, newId, now } = parts;
  const find = async (text: string, { user }: Caller): Promise<Storage> => {
    const own = await storages.find(user.id, text);
    const found = own ?? (user.role === 'admin' ? await storages.find(null, text) : undefined);
    if (found === undefined) throw noSuchStorage(text);
    return found;
  };
  return {
    createStorage: async ({ body }, caller) => {
      const project = await findProject(parts, caller.user.id, body.project ?? null);
      const clientToken = body.clientToken ?? null;
      const wanted = { id: newId(), name: body.name, ownerId: caller.user.id, projectId: project.id, clientToken };
      const { storage, created } = await storages.create(wanted);
      if (created) audit(caller, 'storage.create', storage);
      return new Answer(created ? 201 : 200, presentStorage(storage));
    },
    listStorages: async ({ query }, caller) => {
      const ownerId = await listedUser(parts, query.owner, caller);
      if (ownerId !== caller.user.id) audit(caller, 'storage.list', { id: ownerId ?? '*' });
      const page = await storages.list(ownerId, { limit: query.limit, cursor: query.cursor ?? null });
      return { items: page.items.map(presentStorage), next: page.next };
    },
    getStorage: async ({ params }, caller) => {
      const storage = await find(params.storage, caller);
      if (storage.ownerId !== caller.user.id) audit(caller, 'storage.look', storage);
      return presentStorage(storage);
    },
    deleteStorage: async ({ params }, caller) => {
      const { id } = await find(params.storage, caller);
      const storage = await storages.askRemoval(id, now());
      audit(caller, 'storage.delete', storage);
      parts.removeStorages();
      return presentStorage(storage);
    },
  };
}

const presentStorage = (storage: Storage): Shown => ({
  id: storage.id,
  name: storage.name,
  owner: { id: storage.ownerId, name: storage.ownerName },
  project: { id: storage.projectId, name: storage.projectName },
  state: storage.deletedAt === null ? 'ready' : 'deleting',
  reason: storage.trouble,
  mountedBy: [...storage.mountedBy],
  createdAt: storage.createdAt.toISOString(),
});
