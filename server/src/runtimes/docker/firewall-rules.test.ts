import { describe, expect, it } from 'vitest';
import { chainRules, jumps, type RuleSettings } from './firewall-rules.ts';

const settings: RuleSettings = {
  instance: '01a1f7f4-339b-741d-a4b4-340b46c85837',
  addressRange: '10.213.0.0/16',
  egressAllow: ['192.168.9.0/24'],
  resolvers: [
    { address: '10.0.0.53', onThisHost: false },
    { address: '192.0.2.2', onThisHost: true },
  ],
  bridged: true,
};

describe('the firewall', () => {
  const rules = chainRules(settings, 'filter').split('\n');
  const at = (part: string): number => rules.findIndex((rule) => rule.includes(part));

  it('replaces both chains in one step, every rule with the installation in its comment', () => {
    expect(rules[0]).toBe('*filter');
    expect(rules.at(-2)).toBe('COMMIT');
    expect(rules.filter((rule) => rule.startsWith('-A')).every((rule) => rule.includes(`--comment berth:${settings.instance}`))).toBe(true);
  });
  it('ends the way to the host with a refusal', () => {
    expect(rules.findLast((rule) => rule.startsWith('-A BERTH-IN-'))).toMatch(/-j REJECT$/);
  });
  it('says the same again where an engine never looks, in the words of that table', () => {
    expect(chainRules(settings, 'security')).toBe(rules.join('\n').replace('*filter', '*security').replaceAll('REJECT', 'DROP'));
  });
  it('refuses other sessions and sealed ones before it allows anything', () => {
    expect(at('-d 10.213.0.0/16')).toBeLessThan(at('-d 10.0.0.53'));
    expect(rules.findIndex((rule) => rule.startsWith('-A BERTH-FW-') && rule.includes('-s 10.213.128.0/17'))).toBeLessThan(
      at('-d 192.168.9.0/24'),
    );
  });
  it('allows the name server and what the operator named before it refuses private networks', () => {
    expect(at('-d 10.0.0.53')).toBeLessThan(at('-d 10.0.0.0/8'));
    expect(at('-d 192.168.9.0/24')).toBeLessThan(at('-d 192.168.0.0/16'));
    expect(rules[at('-d 192.0.2.2')]).toMatch(/^-A BERTH-IN-.*--dport 53/);
  });
  it('uses chain names that the kernel accepts', () => {
    for (const [, rule] of jumps(settings, ['DOCKER-USER'])) expect((rule.at(-1) ?? '').length).toBeLessThanOrEqual(28);
  });
  it('takes no text of the operator into a rule unread', () => {
    expect(() => chainRules({ ...settings, egressAllow: ['0.0.0.0/0 -j ACCEPT'] }, 'filter')).toThrow(/not an IPv4 network/);
  });
});
