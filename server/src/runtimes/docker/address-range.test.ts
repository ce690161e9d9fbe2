import { describe, expect, it } from 'vitest';
import { addressIn, candidates, formatSubnet, halves, overlaps, parseSubnet, prefixFor } from './address-range.ts';

describe('the address range', () => {
  it('is read as a network, whatever address of it is named', () => {
    expect(formatSubnet(parseSubnet('10.213.7.9/16'))).toBe('10.213.0.0/16');
    expect(formatSubnet(parseSubnet('203.0.113.80'))).toBe('203.0.113.80/32');
    expect(formatSubnet(parseSubnet('224.0.0.0/3'))).toBe('224.0.0.0/3');
  });
  it.each(['10.213.0.0/33', '10.213.0/16', '10.213.0.256/16', 'fd00::/8', ''])('"%s" is refused with a sentence', (text) => {
    expect(() => parseSubnet(text)).toThrow(/is not an IPv4 network/);
  });
  it('has a half for sessions with a way out and one for those without', () => {
    const { open, sealed } = halves(parseSubnet('10.213.0.0/16'));
    expect([formatSubnet(open), formatSubnet(sealed)]).toEqual(['10.213.0.0/17', '10.213.128.0/17']);
    expect(() => halves(parseSubnet('10.213.0.0/28'))).toThrow(/too small/);
  });
  it('offers each /28 once, always in the same order for the same session', () => {
    const range = parseSubnet('10.213.0.0/24');
    const offered = [...candidates(range, 'a-session')].map(formatSubnet);
    expect(new Set(offered).size).toBe(16);
    expect(offered).toEqual([...candidates(range, 'a-session')].map(formatSubnet));
    expect(offered.every((subnet) => overlaps(parseSubnet(subnet), range))).toBe(true);
  });
  it.each([
    [1, 28],
    [13, 28],
    [14, 27],
    [29, 27],
    [30, 26],
    [64, 25],
  ])('for %i containers a /%i', (containers, prefix) => {
    expect(prefixFor(containers)).toBe(prefix);
    const [first] = candidates(parseSubnet('10.213.0.0/17'), 'a-session', prefix);
    expect(first?.prefix).toBe(prefix);
    expect(overlaps(parseSubnet(addressIn(first ?? { base: 0, prefix }, containers - 1)), first ?? { base: 0, prefix })).toBe(true);
    expect([...candidates(parseSubnet('10.213.0.0/26'), 'a-session', 25)]).toEqual([]);
  });
});
