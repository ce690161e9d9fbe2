import { CommitName } from '@berth/contract';
import { z } from 'zod';
import { isCommitting, presentCommit } from '../../domain/sessions/commit.ts';
import { check } from '../check.ts';
import { commitSession } from '../commit-session.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { findSession, refuseStrangers } from './find-session.ts';
import { canonical } from './parameters.ts';
import type { SignedCaller } from './signature-check.ts';

const ALIASES = { imageName: ['image_name', 'image', 'filename', 'fname'] };
/** They write a file; here it is an image, which is told by its name. */
const Asked = z.object({
  imageName: z
    .string()
    .max(256)
    .transform((name) => name.replace(/\.tar(?:\.gz)?$/, ''))
    .pipe(CommitName)
    .optional(),
});

export function commitRoutes(surface: Surface): readonly Route[] {
  return [
    { method: 'POST', path: '/session/:id/commit', handle: (call, caller) => begin(surface, call, caller) },
    { method: 'GET', path: '/session/:id/commit', handle: (call, caller) => state(surface, call, caller) },
  ];
}

async function begin(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { imageName } = check(Asked, canonical(call.parameters, ALIASES));
  const found = await findSession(surface, { call, caller }, { dead: false });
  refuseStrangers(found, caller);
  const image = imageName ?? imageNameFor(found.session.name);
  const { id, commit } = await commitSession(surface.parts, { session: found.session, image }, caller);
  return { status: 201, body: { bgtask_id: commit?.id, kernel: id, path: `docker://${commit?.reference}` } };
}

/** Names of sessions may hold what names of images may not. */
const imageNameFor = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '') || 'session';

/** `ready`: another image may be asked for. The rest is how the latest one went. */
async function state(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const found = await findSession(surface, { call, caller }, { dead: true });
  refuseStrangers(found, caller);
  const { session } = found;
  const commit = presentCommit(session);
  const latest = commit === null ? {} : { bgtask_id: commit.id, path: commit.image, result: commit.state, message: commit.message };
  return { status: 200, body: { kernel: session.id, status: isCommitting(session) ? 'ongoing' : 'ready', ...latest } };
}
