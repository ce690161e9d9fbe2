import { array, assert, bigInt, constantFrom, integer, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contains, parseAddress, parseRange } from './address.ts';
import { INTERNAL_IPV4, INTERNAL_IPV6 } from './internal-ranges.ts';
import { isOutgoingTarget, OutgoingRules } from './outgoing-rules.ts';

const rules = new OutgoingRules();
const refused = (host: string, which = rules): boolean => which.refusalOfAny(host, [host]) !== undefined;
const dotted = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');

describe('asked on behalf of a user', () => {
  test.each(
    [
      [
        '0.0.0.0',
        '10.0.0.1',
        '100.64.0.1',
        '100.100.100.200',
        '127.0.0.1',
        '127.255.255.255',
        '169.254.169.254',
        '172.16.0.1',
        '172.31.255.255',
      ],
      ['192.168.0.1', '192.0.0.192', '198.18.0.1', '203.0.113.7', '224.0.0.1', '239.255.255.250', '255.255.255.255'],
      [
        '::',
        '::1',
        '::ffff:127.0.0.1',
        '::ffff:8.8.8.8',
        '::127.0.0.1',
        '64:ff9b::10.0.0.1',
        '64:ff9b:1::1',
        '2002:7f00:1::',
        '2001:0:1::1',
      ],
      ['fc00::1', 'fd00:ec2::254', 'fe80::1', 'fec0::1', 'ff02::1', '2001:db8::1', '100::1'],
      ['localhost', '', '1', 'fe80::1%eth0', '0177.0.0.1'],
    ].flat(),
  )('%s is refused', (address) => expect(refused(address)).toBe(true));

  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '223.255.255.255',
  ])('%s is the Internet', (address) => expect(refused(address)).toBe(false));
  test.each(['2606:4700::1111', '2a00:1450:4001::1', '2003::1'])('%s is the Internet', (address) => expect(refused(address)).toBe(false));

  test('every address of a name must do: one internal one among public ones is enough to refuse', () => {
    const publicOnes = array(constantFrom('1.1.1.1', '8.8.8.8', '2606:4700::1111'), { maxLength: 5 });
    const internal = constantFrom('10.0.0.1', '127.0.0.1', '::1', 'fd00::1', '169.254.169.254', 'what is that');
    assert(
      property(publicOnes, internal, publicOnes, (before, bad, after) => {
        expect(rules.refusalOfAny('a.example', [...before, bad, ...after])).toContain('BERTH_CALLBACK_ALLOW');
      }),
    );
    expect(rules.refusalOfAny('a.example', ['1.1.1.1', '2606:4700::1111'])).toBeUndefined();
    expect(rules.refusalOfAny('a.example', [])).toContain('no address');
  });

  test('an internal address is refused in every form in which a URL may hold it', () => {
    const internal = INTERNAL_IPV4.map((text) => parseRange(text)).filter((range) => range !== undefined);
    assert(
      property(constantFrom(...internal), bigInt({ min: 0n, max: 0xffffffffn }), integer({ min: 0, max: 10 }), (range, random, form) => {
        const value = range.first | (random & ((1n << BigInt(32 - range.prefix)) - 1n));
        const [a = 0n, b = 0n, c = 0n, d = 0n] = [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n);
        const written = [
          dotted(value),
          String(value),
          `0x${value.toString(16)}`,
          `0${value.toString(8)}`,
          `${a}.${value & 0xffffffn}`,
          `${a}.${b}.${value & 0xffffn}`,
          `0x${a.toString(16)}.0${b.toString(8)}.${c}.${d}`,
          `${dotted(value)}.`,
          `[::ffff:${dotted(value)}]`,
          `[::${dotted(value)}]`,
          `[64:ff9b::${dotted(value)}]`,
        ][form];
        const { hostname } = new URL(`http://${written}/`);
        expect(rules.refusalOf(hostname)).toBeDefined();
      }),
    );
  });

  test('the list of what is internal holds no address of the Internet twice over', () => {
    const ranges = [...INTERNAL_IPV4, ...INTERNAL_IPV6].map((text) => parseRange(text));
    for (const text of ['8.8.8.8', '2606:4700::1111']) {
      const address = parseAddress(text);
      expect(address !== undefined && ranges.some((range) => range !== undefined && contains(range, address))).toBe(false);
    }
  });
});

describe('the operator', () => {
  const own = ['34.118.224.0/20', '10.1.9.0/24'];
  const allowing = new OutgoingRules({ allow: ['10.1.0.0/16', 'fd00:7::/32', 'Hooks.Internal'], own: () => own });
  test('allows ranges', () => {
    expect(refused('10.1.2.3', allowing)).toBe(false);
    expect(refused('fd00:7::1', allowing)).toBe(false);
    expect(refused('10.2.0.1', allowing)).toBe(true);
    expect(refused('::ffff:10.1.2.3', allowing)).toBe(true);
  });
  test('vouches for names, whatever they stand for; only for those', () => {
    expect(allowing.refusalOfAny('hooks.internal', ['10.9.9.9'])).toBeUndefined();
    expect(allowing.refusalOfAny('HOOKS.internal.', ['127.0.0.1'])).toBeUndefined();
    expect(allowing.refusalOfAny('x.hooks.internal', ['10.9.9.9'])).toBeDefined();
    expect(allowing.refusalOf('localhost')).toBeDefined();
    expect(new OutgoingRules({ allow: ['localhost'] }).refusalOf('localhost')).toBeUndefined();
  });
  test("keeps the installation's own networks out, although they look public", () => {
    expect(refused('34.118.225.1', allowing)).toBe(true);
    expect(refused('34.118.240.1', allowing)).toBe(false);
    expect(refused('10.1.9.1', allowing)).toBe(false);
    expect(refused('2606:4700::7', allowing)).toBe(false);
    own.push('2606:4700::7');
    expect(refused('2606:4700::7', allowing)).toBe(true);
  });
  test('may name addresses, ranges and hosts', () => {
    for (const text of ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', 'hooks', 'hooks.example.org', 'a_b.c-d.internal'])
      expect([text, isOutgoingTarget(text)]).toEqual([text, true]);
    for (const text of ['', '10.0.0', '10.0.0.0/99', '*.example.org', 'a b', 'https://x', 'x:80', 'a..b', '/', '1.2.3.4.5'])
      expect([text, isOutgoingTarget(text)]).toEqual([text, false]);
  });
});
