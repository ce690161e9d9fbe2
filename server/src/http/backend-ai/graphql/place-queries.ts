import type { Node } from '@berth/contract';
import { z } from 'zod';
import { BUILTIN_IMAGES } from '../../../domain/images/builtin.ts';
import { parseImageReference } from '../../../domain/images/reference.ts';
import { check } from '../../check.ts';
import { findGroup } from '../find-group.ts';
import { HOST } from '../folder-page.ts';
import { inTheirWords, nodeSlots } from '../node-slots.ts';
import { architecture } from '../session-page.ts';
import { pageOf, withoutFilter } from './paging.ts';
import { requireAdmin, type QueryContext } from './query-context.ts';

const Text = z.string().max(512).nullish();
const Asked = z.object({
  id: z.guid('it must be an id').nullish(),
  name: Text,
  agent_id: Text,
  reference: Text,
  status: Text,
  scaling_group: Text,
  domain_name: Text,
});

/** Where sessions belong and where they run: groups, domains, nodes, images. */
export function placeQueries(context: QueryContext): object {
  return {
    group: async (args: unknown) => (await groups(context, args)).find(({ id }) => id === (check(Asked, args).id ?? id)) ?? null,
    groups: (args: unknown) => groups(context, args),
    groups_by_name: (args: unknown) => groups(context, args),
    domain: (args: unknown) => domains(context).find(({ name }) => name === (check(Asked, args).name ?? name)) ?? null,
    domains: () => domains(context),
    agent: async (args: unknown) => (await agents(context, args)).find(({ id }) => id === check(Asked, args).agent_id) ?? null,
    agents: (args: unknown) => agents(context, args),
    agent_list: async (args: unknown) => pageOf(await agents(context, args), args),
    scaling_group: (args: unknown) => SCALING_GROUPS.find(({ name }) => name === (check(Asked, args).name ?? name)) ?? null,
    scaling_groups: () => SCALING_GROUPS,
    image: (args: unknown) => imageNamed(context, check(Asked, args).reference ?? ''),
    images: () => images(context),
    // Nobody has set any up: there is no such thing here.
    resource_preset: () => null,
    resource_presets: () => [],
  };
}

/** The project that is hers; with a name the one of that name that she is a member of. */
async function groups({ surface, caller }: QueryContext, args: unknown) {
  const { name, domain_name: domain } = check(Asked, args);
  const { user } = caller;
  const found = domain && domain !== user.domain ? undefined : await findGroup(surface.parts, name ?? 'default', user.id);
  if (found === undefined) return [];
  const shared = {
    is_active: true,
    domain_name: user.domain,
    total_resource_slots: '{}',
    allowed_vfolder_hosts: [HOST],
    scaling_groups: ['default'],
  };
  return [{ id: found.id, name: found.name, ...shared }];
}

const domains = ({ caller }: QueryContext) => [
  {
    name: caller.user.domain,
    is_active: true,
    total_resource_slots: '{}',
    allowed_vfolder_hosts: [HOST],
    allowed_docker_registries: [],
    scaling_groups: ['default'],
  },
];

const SCALING_GROUPS = [{ name: 'default', is_active: true, is_public: true, driver: 'static', driver_opts: '{}', scheduler_opts: '{}' }];

async function agents(context: QueryContext, args: unknown) {
  requireAdmin(context, 'nodes this way');
  withoutFilter(args);
  const { status, scaling_group: group } = check(Asked, args);
  if (group && group !== 'default') return [];
  const all = (await context.surface.parts.nodes.report()).map(agentItem);
  return all.filter((agent) => !status || agent.status === status.toUpperCase());
}

/** Of use and free memory only what sessions hold is known: nodes are not measured. */
function agentItem(node: Node) {
  const { capacity, held } = nodeSlots(node);
  return {
    id: node.name,
    status: node.status === 'ready' ? 'ALIVE' : 'LOST',
    region: node.runtime,
    scaling_group: 'default',
    schedulable: node.status === 'ready',
    available_slots: JSON.stringify(inTheirWords(capacity)),
    occupied_slots: JSON.stringify(inTheirWords(held)),
    cpu_cur_pct: capacity.cpu === 0 ? 0 : (100 * held.cpu) / capacity.cpu,
    mem_cur_bytes: held.memoryBytes,
    lost_at: node.unreachableSince,
    version: node.engine,
    container_count: node.sessions,
  };
}

/** Any image of any registry may be used; these are the ones that the installation itself offers. */
const images = ({ surface: { parts } }: QueryContext) =>
  [...new Set([parseImageReference(parts.defaultImage), ...BUILTIN_IMAGES])].map((reference) => {
    const [name, tag = 'latest'] = splitTag(reference);
    return {
      name,
      humanized_name: name,
      tag,
      registry: '',
      architecture: architecture(),
      labels: [],
      aliases: [],
      resource_limits: [],
      supported_accelerators: [],
    };
  });

function imageNamed(context: QueryContext, reference: string): object | null {
  const [name, tag = 'latest'] = splitTag(reference.replace(/^docker:\/\//, ''));
  return images(context).find((image) => image.name === name && image.tag === tag) ?? null;
}

function splitTag(reference: string): [name: string, tag?: string] {
  const at = reference.lastIndexOf(':');
  return at > reference.lastIndexOf('/') ? [reference.slice(0, at), reference.slice(at + 1)] : [reference];
}
