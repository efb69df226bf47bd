/** Sets of addresses, and the table of who is let in by which rule: priorities, ties, levels, nesting, nothing that matches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipSetContains, parseIpSet } from '../../../shared/access/ip-set.ts';
import { parseAddress } from '../../../shared/access/network.ts';
import { judge } from '../../../shared/access/rules.ts';
import type { AllowRule, DenyRule, RuleSet, ServiceRule } from '../../../shared/access/rules.ts';

test('a set of addresses is one, a range, an address with mask or prefix, or any', () => {
  const table: readonly [set: string, inside: readonly string[], outside: readonly string[]][] = [
    ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.8', '2001:db8::7', 'nonsense']],
    ['192.0.2.9-192.0.2.20', ['192.0.2.9', '192.0.2.20'], ['192.0.2.8', '192.0.2.21']],
    ['192.0.2.9 - 192.0.3.0', ['192.0.2.255', '192.0.3.0'], ['192.0.3.1']],
    ['10.0.0.1/8', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0', '9.255.255.255']],
    ['10.0.0.1/255.0.0.0', ['10.0.0.0', '10.255.255.255'], ['11.0.0.0']],
    ['192.0.2.128/255.255.255.128', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127']],
    ['0.0.0.0/0', ['1.2.3.4'], ['::1']],
    ['0.0.0.0/0.0.0.0', ['1.2.3.4'], ['::1']],
    ['2001:db8::/32', ['2001:db8::1', '2001:db8:ffff::'], ['2001:db9::']],
    ['2001:db8::1-2001:db8::5', ['2001:db8::5'], ['2001:db8::6']],
    ['2001:db8::/ffff:ffff::', ['2001:db8:1::'], ['2001:db9::']],
    ['any', ['1.2.3.4', '::1', 'nonsense'], []],
  ];
  for (const [text, inside, outside] of table) {
    const set = parseIpSet(text);
    for (const address of inside) assert.ok(ipSetContains(set, parseAddress(address)), `${address} in ${text}`);
    for (const address of outside) assert.ok(!ipSetContains(set, parseAddress(address)), `${address} not in ${text}`);
  }
});

test('what is no set is refused', () => {
  for (const text of ['', '192.0.2', '192.0.2.9-192.0.2.8', '192.0.2.1-::1', '192.0.2.0/33', '192.0.2.0/255.0.255.0', '192.0.2.0/::', '1.2.3.4-', '1.2.3.4-1.2.3.5-1.2.3.6', 'example.com', '1.2.3.4/8/9']) {
    assert.throws(() => parseIpSet(text), /is not a set of IP addresses/, text);
  }
});

const client = '192.0.2.7';

/** `allow 10 192.0.2.0/24`, with `off` behind it for one that is switched off. */
function rules(...lines: readonly string[]): RuleSet {
  const allow: AllowRule[] = [];
  const deny: DenyRule[] = [];
  for (const line of lines) {
    const [kind, priority, name = '', off] = line.split(' ');
    const rule = { name, ipSet: parseIpSet(name), enable: off === undefined, priority: Number(priority) };
    if (kind === 'allow') allow.push({ ...rule, limits: {} });
    else deny.push(rule);
  }
  return { allow, deny };
}

const lastOfAll: ServiceRule = { enable: true, priority: 65_535 };

interface Case {
  readonly title: string;
  readonly listener?: readonly string[];
  readonly serviceRule?: ServiceRule;
  readonly service?: readonly string[];
  readonly global?: readonly string[];
  /** Level and rule, or `no-rule`. */
  readonly expected: string;
}

const cases: readonly Case[] = [
  { title: 'no rules at all', expected: 'no-rule' },
  { title: 'rules for others', listener: ['deny 1 192.0.2.8', 'allow 1 192.0.2.9'], service: ['deny 1 198.51.100.0/24'], expected: 'no-rule' },
  { title: 'only a deny rule', listener: ['deny 65000 192.0.2.0/24'], expected: 'denied listener 192.0.2.0/24' },
  { title: 'only an allow rule', listener: ['allow 65000 192.0.2.0/24'], expected: 'allowed listener 192.0.2.0/24' },
  { title: 'the lower number wins: allow', listener: ['deny 20 any', 'allow 10 192.0.2.7'], expected: 'allowed listener 192.0.2.7' },
  { title: 'the lower number wins: deny', listener: ['deny 10 any', 'allow 20 192.0.2.7'], expected: 'denied listener any' },
  { title: 'not the narrower set: a nested set with a worse priority loses', listener: ['deny 10 192.0.2.0/24', 'allow 11 192.0.2.7'], expected: 'denied listener 192.0.2.0/24' },
  { title: 'a tie is denied', listener: ['deny 10 192.0.2.0/24', 'allow 10 192.0.2.7'], expected: 'denied listener 192.0.2.0/24' },
  { title: 'a tie of the best, whatever stands behind', listener: ['allow 10 any', 'deny 10 192.0.2.7', 'allow 20 192.0.2.0/24'], expected: 'denied listener 192.0.2.7' },
  { title: 'the best of several deny rules counts', listener: ['deny 30 any', 'deny 5 192.0.2.0/24', 'allow 10 192.0.2.7'], expected: 'denied listener 192.0.2.0/24' },
  { title: 'the best of several allow rules counts', listener: ['allow 30 any', 'allow 5 192.0.2.0/24', 'deny 10 192.0.2.7'], expected: 'allowed listener 192.0.2.0/24' },
  { title: 'of equal allow rules the first', listener: ['allow 10 192.0.2.0/24', 'allow 10 192.0.2.7'], expected: 'allowed listener 192.0.2.0/24' },
  { title: 'a rule that is off counts for nothing', listener: ['deny 1 192.0.2.7 off', 'allow 10 192.0.2.7'], expected: 'allowed listener 192.0.2.7' },
  { title: 'priority 0 is the best', listener: ['allow 0 192.0.2.7', 'deny 1 any'], expected: 'allowed listener 192.0.2.7' },
  { title: 'the service where the listener has nothing', service: ['deny 50 192.0.2.0/24'], expected: 'denied service 192.0.2.0/24' },
  { title: 'the listener over the service, whatever the priorities', listener: ['allow 60000 any'], service: ['deny 0 192.0.2.7'], expected: 'allowed listener any' },
  { title: 'the listener denies what the service allows', listener: ['deny 60000 any'], service: ['allow 0 192.0.2.7'], expected: 'denied listener any' },
  { title: 'the service over the node', service: ['allow 60000 any'], global: ['deny 0 192.0.2.7'], expected: 'allowed service any' },
  { title: 'the node where nothing else matches', listener: ['deny 1 192.0.2.8'], service: ['deny 1 192.0.2.9'], global: ['deny 9 192.0.2.0/24'], expected: 'denied global 192.0.2.0/24' },
  { title: 'the service rule with a better priority: the listener\'s rules are ignored', listener: ['deny 10 any'], serviceRule: { enable: true, priority: 5 }, service: ['allow 99 192.0.2.7'], expected: 'allowed service 192.0.2.7' },
  { title: 'and nobody is denied when the service has nothing', listener: ['deny 10 any'], serviceRule: { enable: true, priority: 5 }, expected: 'no-rule' },
  { title: 'the service rule in a tie: the listener\'s own rule counts', listener: ['deny 10 any'], serviceRule: { enable: true, priority: 10 }, service: ['allow 1 any'], expected: 'denied listener any' },
  { title: 'the service rule between two rules', listener: ['allow 5 192.0.2.7', 'deny 20 any'], serviceRule: { enable: true, priority: 10 }, service: ['deny 1 any'], expected: 'allowed listener 192.0.2.7' },
  { title: 'the service rule switched off: let in without asking the service', serviceRule: { enable: false, priority: 0 }, service: ['deny 1 any'], global: ['deny 1 any'], expected: 'no-rule' },
  { title: 'the service rule switched off: the listener\'s rules still count', listener: ['deny 1 any'], serviceRule: { enable: false, priority: 0 }, expected: 'denied listener any' },
];

for (const { title, listener = [], serviceRule = lastOfAll, service = [], global = [], expected } of cases) {
  test(`rules: ${title}`, () => {
    const judgement = judge({ listener: rules(...listener), serviceRule, service: rules(...service), global: rules(...global) }, client);
    assert.equal(judgement.kind === 'no-rule' ? 'no-rule' : `${judgement.kind} ${judgement.level} ${judgement.rule.name}`, expected);
  });
}
