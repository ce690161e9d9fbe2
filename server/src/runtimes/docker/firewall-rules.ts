import { INTERNAL_IPV4 } from '../../domain/network/internal-ranges.ts';
import { formatSubnet, halves, parseSubnet } from './address-range.ts';

export interface RuleSettings {
  readonly instance: string;
  readonly addressRange: string;
  readonly egressAllow: readonly string[];
  readonly resolvers: readonly { readonly address: string; readonly onThisHost: boolean }[];
  /** The kernel can tell bridged packets apart; where it cannot, they do not pass these chains either. */
  readonly bridged: boolean;
}

export const chainNames = (instance: string): { readonly input: string; readonly forward: string } => {
  const short = instance.replaceAll('-', '').slice(0, 12);
  return { input: `BERTH-IN-${short}`, forward: `BERTH-FW-${short}` };
};

export const ruleComment = (instance: string): string => `berth:${instance}`;

/**
 * A starting engine takes its rules of the filter table out and in again, and for a moment ours there are not asked. The security
 * table no engine touches. It comes last and cannot refuse, only drop.
 */
export const TABLES = ['filter', 'security'] as const;
export type Table = (typeof TABLES)[number];

/**
 * Two chains that hold for every session, now and later: rules speak of the address range only, so a start costs nothing.
 * In iptables-restore's form, which replaces both chains in one step.
 */
export function chainRules(settings: RuleSettings, table: Table): string {
  const no = table === 'filter' ? 'REJECT' : 'DROP';
  const { input, forward } = chainNames(settings.instance);
  const range = parseSubnet(settings.addressRange);
  const sealed = formatSubnet(halves(range).sealed);
  const established = '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN';
  const names = (onThisHost: boolean): string[] =>
    settings.resolvers
      .filter((resolver) => resolver.onThisHost === onThisHost)
      .flatMap(({ address }) => ['udp', 'tcp'].map((protocol) => `-d ${address} -p ${protocol} --dport 53 -j RETURN`));
  const rules: readonly (readonly [string, readonly string[]])[] = [
    [input, [established, `-s ${sealed} -j ${no}`, ...names(true), `-j ${no}`]],
    [
      forward,
      [
        established,
        ...(settings.bridged ? ['-m physdev --physdev-is-bridged -j RETURN'] : []),
        `-s ${sealed} -j ${no}`,
        `-d ${formatSubnet(range)} -j ${no}`,
        ...names(false),
        ...settings.egressAllow.map((network) => `-d ${formatSubnet(parseSubnet(network))} -j RETURN`),
        ...INTERNAL_IPV4.map((network) => `-d ${network} -j ${no}`),
      ],
    ],
  ];
  const comment = `-m comment --comment ${ruleComment(settings.instance)}`;
  const lines = rules.flatMap(([chain, bodies]) =>
    bodies.map((body) => {
      const [condition, verdict] = body.split(/(?=-j )/);
      return verdict === undefined ? `-A ${chain} ${comment} ${condition}` : `-A ${chain} ${condition}${comment} ${verdict}`;
    }),
  );
  return [`*${table}`, `:${input} - [0:0]`, `:${forward} - [0:0]`, ...lines, 'COMMIT', ''].join('\n');
}

/** Where our chains are entered: what comes from a session, and what somebody new sends to one. */
export function jumps(
  settings: RuleSettings,
  forwardHooks: readonly string[],
): readonly (readonly [hook: string, rule: readonly string[]])[] {
  const { input, forward } = chainNames(settings.instance);
  const range = formatSubnet(parseSubnet(settings.addressRange));
  const comment = ['-m', 'comment', '--comment', ruleComment(settings.instance)];
  return [
    ['INPUT', ['-s', range, ...comment, '-j', input]],
    ...forwardHooks.flatMap((hook) => [
      [hook, ['-s', range, ...comment, '-j', forward]] as const,
      [hook, ['-d', range, ...comment, '-j', forward]] as const,
    ]),
  ];
}
