import test from 'ava';
import fc from 'fast-check';
import { candidateSubnet, overlaps } from './subnet.ts';

const pairs: Record<string, [string, string, boolean]> = {
  'a range shares addresses with itself': ['10.1.2.0/24', '10.1.2.0/24', true],
  'neighbours share nothing': ['10.1.2.0/24', '10.1.3.0/24', false],
  'a wide range covers a narrow one': ['10.0.0.0/8', '10.1.3.0/24', true],
  'an address lies in its range': ['10.1.3.77', '10.1.3.0/24', true],
  'high addresses are no negative numbers': ['192.168.0.0/16', '10.1.3.0/24', false],
  'a default route claims nothing': ['0.0.0.0/0', '10.1.3.0/24', false],
};
for (const [title, [one, other, expected]] of Object.entries(pairs)) {
  test(title, (t) => {
    t.is(overlaps(one, other), expected);
    t.is(overlaps(other, one), expected);
  });
}

test('every folder gets a /24 of 10.208.0.0/12, the same each time', (t) => {
  const property = fc.property(fc.string(), fc.nat(64), (dir, round) => {
    const { cidr, gateway } = candidateSubnet(dir, round);
    return (
      overlaps(cidr, '10.208.0.0/12') &&
      overlaps(gateway, cidr) &&
      cidr.endsWith('.0/24') &&
      candidateSubnet(dir, round).cidr === cidr
    );
  });
  t.notThrows(() => fc.assert(property));
});
