import { z } from 'zod';
import { heldBy } from '../../domain/scheduling/slots.ts';
import { HOLDS_CPU } from '../../domain/sessions/lifecycle.ts';
import type { SessionSelection } from '../../domain/sessions/session-store.ts';
import { check } from '../check.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { findGroup } from './find-group.ts';
import { inTheirWords, nodeSlots, sumOf } from './node-slots.ts';
import { canonical, type Parameters } from './parameters.ts';
import { Refusal } from './refusal.ts';
import type { SignedCaller } from './signature-check.ts';
import { ADVERTISED } from './versions.ts';

const UNLIMITED = { cpu: 'Infinity', mem: 'Infinity', 'cuda.device': 'Infinity' };
const MOST_SESSIONS = 10_000;
/** States in which a session may hold anything: frozen ones keep their memory. */
const HOLDING = [{ states: [...HOLDS_CPU, 'paused', 'pending'] }] as const;

/** What there is to use, and what of it is used. */
export function resourceRoutes(surface: Surface): readonly Route[] {
  return [
    // Presets, templates and passwords are not kept here: what is kept of them is nothing.
    { method: 'GET', path: '/resource/presets', handle: async () => ({ status: 200, body: { presets: [] } }) },
    { method: 'POST', path: '/resource/check-presets', handle: (call, caller) => checkPresets(surface, call, caller) },
    { method: 'GET', path: '/scaling-groups', handle: (call, caller) => scalingGroups(surface, call, caller) },
    { method: 'GET', path: '/manager/status', handle: () => managerStatus(surface) },
    { method: 'GET', path: '/template/session', handle: async () => ({ status: 200, body: [] }) },
    { method: 'POST', path: '/auth/authorize', open: true, handle: () => Promise.reject(noPasswords()) },
  ];
}

const noPasswords = (): Refusal =>
  new Refusal('not-implemented', 'nobody has a password here: make a key pair with `berth keypair create`, and sign with that');

async function groupIn({ parts }: Surface, parameters: Parameters, caller: SignedCaller): Promise<{ readonly id: string }> {
  const Asked = z.object({ group: z.string().max(128).default('default') });
  const { group } = check(Asked, canonical(parameters, { group: ['group_id', 'group_name'] }));
  const found = await findGroup(parts, group, caller.user.id);
  if (found !== undefined) return found;
  throw new Refusal('object-not-found', `there is no group "${group}" that you are a member of`, { title: 'No such user group.' });
}

async function scalingGroups(surface: Surface, { parameters }: Call, caller: SignedCaller): Promise<Sent> {
  await groupIn(surface, parameters, caller);
  return { status: 200, body: { scaling_groups: [{ name: 'default' }] } };
}

async function checkPresets(surface: Surface, { parameters }: Call, caller: SignedCaller): Promise<Sent> {
  const group = await groupIn(surface, parameters, caller);
  const { sessions, nodes } = surface.parts;
  const heldIn = async (selection: Omit<SessionSelection, 'kinds'>): Promise<object> => {
    const all = await sessions.window({ ...selection, kinds: HOLDING }, { offset: 0, limit: MOST_SESSIONS, oldestFirst: true });
    return inTheirWords(sumOf(all.map(heldBy)));
  };
  const slots = (await nodes.report()).map(nodeSlots);
  const remaining = inTheirWords(sumOf(slots.map(({ free }) => free)));
  const using = inTheirWords(sumOf(slots.map(({ held }) => held)));
  return {
    status: 200,
    body: {
      keypair_limits: UNLIMITED,
      keypair_using: await heldIn({ ownerId: caller.user.id, projectId: null }),
      keypair_remaining: UNLIMITED,
      group_limits: UNLIMITED,
      group_using: await heldIn({ ownerId: null, projectId: group.id }),
      group_remaining: UNLIMITED,
      scaling_group_remaining: remaining,
      scaling_groups: { default: { using, remaining } },
      presets: [],
    },
  };
}

async function managerStatus({ parts }: Surface): Promise<Sent> {
  const active = (await parts.nodes.report()).reduce((sum, { sessions }) => sum + sessions, 0);
  const { version, manager } = ADVERTISED;
  const node = { id: 'berth', status: 'running', active_sessions: active, version: manager, api_version: version };
  return { status: 200, body: { nodes: [node], status: 'running', active_sessions: active } };
}
