import { ProblemError } from '@berth/contract';
import { z } from 'zod';
import type { Storage } from '../../domain/storages/storage.ts';
import type { User } from '../../domain/users/user-store.ts';
import { audit } from '../caller.ts';
import { check } from '../check.ts';
import { findProject } from '../find-project.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { ownerOf } from './find-session.ts';
import { folderInformation, folderPage, HOST, nameOrId, noSuchFolder } from './folder-page.ts';
import { notThereYet } from './not-there-yet.ts';
import { canonical, Flag } from './parameters.ts';
import { Refusal } from './refusal.ts';
import type { SignedCaller } from './signature-check.ts';

/** As many as anybody has; their list has no pages. */
const MOST = 1_000;
const PAGE = 200;

const Create = z.object({
  name: z
    .string()
    .regex(
      /^(?=.{4,64}$)\w[\w.-]*\w$/,
      'a folder name is 4 to 64 of letters, digits, "_", "-" and ".", beginning and ending with a letter, digit or "_"',
    ),
  host: z.string().max(256).default(''),
  group: z.string().max(128).default(''),
  usageMode: z.string().max(64).default('general'),
  permission: z.string().max(64).default('rw'),
  cloneable: Flag.default(false),
});

/** Folders are Berth's storages, in their shapes. */
export function folderRoutes(surface: Surface): readonly Route[] {
  type Handle = (surface: Surface, call: Call, caller: SignedCaller) => Promise<Sent>;
  const route = (method: Route['method'], path: string, handle: Handle): Route => ({
    method,
    path,
    handle: (call, caller) => handle(surface, call, caller),
  });
  return [
    route('GET', '/folders', list),
    route('POST', '/folders', create),
    route('GET', '/folders/_/hosts', async () => ({ status: 200, body: { default: HOST, allowed: [HOST] } })),
    route('GET', '/folders/_/allowed_types', async () => ({ status: 200, body: ['user'] })),
    route('GET', '/folders/:name', information),
    route('DELETE', '/folders/:name', remove),
  ];
}

async function list(surface: Surface, { parameters }: Call, caller: SignedCaller): Promise<Sent> {
  const owner = await ownerOf(surface, parameters, caller);
  const { storages } = surface.parts;
  const folders: Storage[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof storages.list>> = await storages.list(owner.id, { limit: PAGE, cursor });
    folders.push(...page.items.filter(({ deletedAt }) => deletedAt === null));
    cursor = page.next;
  } while (cursor !== null && folders.length < MOST);
  auditOthers(owner, caller, { action: 'storage.list', id: owner.id });
  return { status: 200, body: folders.map((storage) => folderPage(storage, caller)) };
}

async function create(surface: Surface, { parameters }: Call, caller: SignedCaller): Promise<Sent> {
  const { parts } = surface;
  const asked = check(Create, canonical(parameters, { usageMode: ['usage_mode'] }));
  const owner = await ownerOf(surface, parameters, caller);
  if (asked.host !== '' && asked.host !== HOST)
    throw new Refusal('invalid-api-params', `there is no folder host "${asked.host}": this server has one, "${HOST}"`);
  if (asked.group !== '') throw notThereYet('folders of a group are');
  if (asked.usageMode !== 'general') throw notThereYet('folders for anything but general use (usage_mode) are');
  if (asked.permission !== 'rw' && asked.permission !== 'wd') throw notThereYet('folders with a permission other than rw are');
  if (asked.cloneable) throw notThereYet('cloning folders is');
  const project = await findProject(parts, owner.id, null);
  const wanted = { id: parts.newId(), name: asked.name, ownerId: owner.id, projectId: project.id, clientToken: null };
  const { storage } = await parts.storages.create(wanted).catch((error: unknown) => {
    throw error instanceof ProblemError && error.code === 'name-taken'
      ? new Refusal('vfolder-already-exists', error.message, { cause: error })
      : error;
  });
  audit(caller, 'storage.create', storage);
  return { status: 201, body: folderPage(storage, caller) };
}

async function information(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { owner, storage } = await find(surface, call, caller);
  auditOthers(owner, caller, { action: 'storage.look', id: storage.id });
  return { status: 200, body: folderInformation(storage, caller) };
}

async function remove(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { parts } = surface;
  const { storage } = await find(surface, call, caller);
  audit(caller, 'storage.delete', await parts.storages.askRemoval(storage.id, parts.now()));
  parts.removeStorages();
  return { status: 204 };
}

async function find(surface: Surface, { path, parameters }: Call, caller: SignedCaller): Promise<{ owner: User; storage: Storage }> {
  const owner = await ownerOf(surface, parameters, caller);
  const text = check(z.string().max(128), path['name'] ?? '');
  const storage = await surface.parts.storages.find(owner.id, nameOrId(text));
  if (storage === undefined || storage.deletedAt !== null)
    throw noSuchFolder(
      `there is no folder "${text}" of ${owner.id === caller.user.id ? 'yours' : `${owner.name}'s`}: GET /folders lists them`,
    );
  return { owner, storage };
}

/** An administrator looking at what is not hers leaves a trace. */
function auditOthers(owner: User, caller: SignedCaller, { action, id }: { action: string; id: string }): void {
  if (owner.id !== caller.user.id) audit(caller, action, { id, ownerName: owner.name });
}
