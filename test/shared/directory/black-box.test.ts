import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createConnector } from '../../../shared/ldap/connector.ts';
import { compileSearchPattern } from '../../../shared/ldap/search-pattern.ts';
import { startEmbeddedDirectory } from '../../harness/embedded-directory.ts';
import { runTool } from '../../harness/ldap-utils.ts';
import type { Tool } from '../../harness/ldap-utils.ts';
import { directoryLdif, keepingLog, peoplesPassword } from '../../harness/people.ts';
import { slapdBase, startSlapd } from '../../harness/slapd.ts';

// One list of steps, played on a real slapd and on the embedded directory: the same results are expected of both.

type Who = 'admin' | 'alice' | 'bob' | 'nobody';
interface Step {
  readonly title: string;
  readonly tool: Tool;
  readonly as?: Who | readonly [dn: string, password: string];
  readonly parameters?: readonly string[];
  readonly input?: string;
  readonly code?: number;
  /** Attribute lines that must be in the output, exactly these where `exactly` is given. */
  readonly exactly?: readonly string[];
  readonly contains?: RegExp;
  readonly lacks?: RegExp;
}

const person = (name: string): string => `uid=${name},ou=people,dc=example,dc=com`;
const identities: Readonly<Record<Who, readonly [string, string] | undefined>> = {
  admin: [slapdBase.adminDn, slapdBase.adminPassword], alice: [person('alice'), peoplesPassword], bob: [person('bob'), peoplesPassword], nobody: undefined,
};
const base = ['-LLL', '-o', 'ldif-wrap=no', '-b', 'dc=example,dc=com'];
const search = (title: string, parameters: readonly string[], rest: Partial<Step> = {}): Step => ({ title, tool: 'ldapsearch', parameters: [...base, ...parameters], ...rest });
const modify = (title: string, input: string, rest: Partial<Step> = {}): Step => ({ title, tool: 'ldapmodify', as: 'admin', input, ...rest });

const newUser = (name: string, ...lines: string[]): string => [`dn: ${person(name)}`, 'objectClass: inetOrgPerson', 'objectClass: inetLocalMailRecipient', `uid: ${name}`, `cn: ${name}`, `sn: ${name}`, `mail: ${name}@example.com`, ...lines, ''].join('\n');

const steps: readonly Step[] = [
  search('an address is found, letter case aside', ['(mail=ALICE@EXAMPLE.com)', 'mail', 'mailHost'], { exactly: [`dn: ${person('alice')}`, 'mail: alice@example.com', 'mailHost: be1'] }),
  search('an alias is found', ['(|(mail=al@example.com)(mailLocalAddress=al@example.com))', 'uid'], { exactly: [`dn: ${person('alice')}`, 'uid: alice'] }),
  search('a filter with not, and, presence', ['(&(mail=*)(!(uid=alice))(objectClass=INETORGPERSON))', '1.1'], { exactly: [`dn: ${person('bob')}`, `dn: ${person('carol')}`] }),
  search('substrings', ['(mail=al*@EX*.com)', '1.1'], { exactly: [`dn: ${person('alice')}`] }),
  search('substrings that don\'t fit', ['(mail=al*ice@example.comm*)', '1.1'], { exactly: [] }),
  search('an attribute that nobody has', ['(!(mailRoutingAddress=x))', '1.1'], { contains: /dn: uid=bob/ }),
  search('an attribute that no schema has is undefined, negated too', ['(!(noSuchThing=x))', '1.1'], { exactly: [] }),
  search('scope base', ['-s', 'base', 'dc'], { exactly: ['dn: dc=example,dc=com', 'dc: example'] }),
  search('scope one', ['-s', 'one', '1.1'], { exactly: ['dn: ou=people,dc=example,dc=com'] }),
  search('a size limit', ['-z', '1', '(mail=*)', '1.1'], { code: 4 }),
  search('a page', ['-E', 'pr=1/noprompt', '(mail=*)', '1.1'], { contains: /uid=alice[^]*uid=bob[^]*uid=carol/ }),
  search('types only', ['-A', '(uid=bob)', 'mail', 'mailHost'], { exactly: [`dn: ${person('bob')}`, 'mail:', 'mailHost:'] }),
  search('operational attributes on request', ['(uid=bob)', '+'], { contains: /entryUUID: [0-9a-f-]{36}\n/, lacks: /mailHost/ }),
  search('operational attributes are not among the others', ['(uid=bob)'], { lacks: /entryUUID|createTimestamp/, contains: /createTimestamp|mailHost: be2/ }),
  search('times have an order', ['(&(uid=bob)(createTimestamp>=20200101000000Z)(modifyTimestamp<=20990101000000Z))', '1.1'], { exactly: [`dn: ${person('bob')}`] }),
  search('a rule by name', ['(uid:caseExactMatch:=BOB)', '1.1'], { exactly: [] }),
  search('an entry that is not there names the nearest above', ['-s', 'base', '-b', 'cn=x,ou=people,dc=example,dc=com'], { code: 32, contains: /^$/ }),
  search('a base elsewhere', ['-b', 'dc=elsewhere'], { code: 32 }),
  search('a base that is no name', ['-b', 'nonsense'], { code: 34 }),
  search('the root describes the server', ['-s', 'base', '-b', '', 'namingContexts', 'supportedLDAPVersion'], { exactly: ['dn:', 'namingContexts: dc=example,dc=com', 'supportedLDAPVersion: 3'] }),
  search('the schema can be read', ['-s', 'base', '-b', 'cn=Subschema', 'attributeTypes'], { contains: /attributeTypes: .*NAME .*'mail'/ }),
  search('nobody reads passwords', ['(uid=alice)', 'userPassword', '*'], { lacks: /userPassword/ }),
  search('nobody finds by passwords', ['(userPassword=*)', '1.1'], { exactly: [] }),
  search('nobody but oneself reads one\'s password', ['(mail=*)', 'userPassword'], { as: 'alice', contains: /uid=alice[^\n]*\nuserPassword/, lacks: /uid=bob[^\n]*\nuserPassword/ }),
  search('the administrator reads passwords', ['(uid=bob)', 'userPassword'], { as: 'admin', contains: /userPassword:/ }),
  { title: 'a bind with the right password', tool: 'ldapwhoami', as: 'alice', exactly: [`dn:${person('alice')}`] },
  { title: 'a bind that asks for the password policy\'s view', tool: 'ldapwhoami', as: 'alice', parameters: ['-e', 'ppolicy'], contains: /uid=alice/ },
  { title: 'the administrator', tool: 'ldapwhoami', as: 'admin', exactly: [`dn:${slapdBase.adminDn}`] },
  { title: 'anonymous', tool: 'ldapwhoami', exactly: ['anonymous'] },
  { title: 'a wrong password', tool: 'ldapwhoami', as: [person('alice'), 'wrong'], code: 49 },
  { title: 'an unknown name', tool: 'ldapwhoami', as: [person('nobody'), 'wrong'], code: 49 },
  { title: 'a name elsewhere', tool: 'ldapwhoami', as: ['cn=x,dc=elsewhere', 'wrong'], code: 49 },
  { title: 'the administrator\'s wrong password', tool: 'ldapwhoami', as: [slapdBase.adminDn, 'wrong'], code: 49 },
  { title: 'a name without a password', tool: 'ldapwhoami', as: [person('alice'), ''], code: 53 },
  { title: 'a bind as no name', tool: 'ldapwhoami', as: ['nonsense', 'x'], code: 34 },
  { title: 'compare: the same', tool: 'ldapcompare', parameters: [person('bob'), 'mailHost:BE2'], code: 6 },
  { title: 'compare: different', tool: 'ldapcompare', parameters: [person('bob'), 'mailHost:be1'], code: 5 },
  { title: 'compare: no such attribute', tool: 'ldapcompare', parameters: [person('bob'), 'title:x'], code: 16 },
  { title: 'compare: no such entry', tool: 'ldapcompare', parameters: [person('none'), 'title:x'], code: 32 },

  { title: 'a user is added', tool: 'ldapadd', as: 'admin', input: newUser('dave', 'mailHost: be1', 'userPassword: davespass', 'description:: w7bDpMO8'), code: 0 },
  { title: 'the added user logs in', tool: 'ldapwhoami', as: [person('dave'), 'davespass'], exactly: [`dn:${person('dave')}`] },
  search('the added user is found with every attribute', ['(mail=dave@example.com)'], { exactly: [`dn: ${person('dave')}`, 'cn: dave', 'description:: w7bDpMO8', 'mail: dave@example.com', 'mailHost: be1', 'objectClass: inetLocalMailRecipient', 'objectClass: inetOrgPerson', 'sn: dave', 'uid: dave'] }),
  { title: 'adding what is there', tool: 'ldapadd', as: 'admin', input: newUser('dave'), code: 68 },
  { title: 'adding below nothing', tool: 'ldapadd', as: 'admin', input: newUser('x').replace('ou=people', 'ou=nothing'), code: 32 },
  { title: 'adding elsewhere', tool: 'ldapadd', as: 'admin', input: 'dn: dc=elsewhere\nobjectClass: dcObject\nobjectClass: organization\ndc: elsewhere\no: x\n', code: 53 },
  { title: 'adding without a class', tool: 'ldapadd', as: 'admin', input: `dn: ${person('x')}\nuid: x\n`, code: 65 },
  { title: 'adding without what the class demands', tool: 'ldapadd', as: 'admin', input: newUser('x').replace('sn: x\n', ''), code: 65 },
  { title: 'adding without the naming value', tool: 'ldapadd', as: 'admin', input: newUser('unnamed').replace('uid: unnamed', 'uid: y') },
  search('the naming value was added', ['(uid=unnamed)', 'uid'], { exactly: [`dn: ${person('unnamed')}`, 'uid: unnamed', 'uid: y'] }),
  { title: 'adding two values where one may be', tool: 'ldapadd', as: 'admin', input: newUser('x', 'mailHost: a', 'mailHost: b'), code: 19 },
  { title: 'adding a value twice', tool: 'ldapadd', as: 'admin', input: newUser('x', 'mail: X@example.com'), code: 20 },
  { title: 'adding what only the server sets', tool: 'ldapadd', as: 'admin', input: newUser('x', 'createTimestamp: 20200101000000Z'), code: 19 },
  // 50 for those who are known, strongerAuthRequired for strangers
  { title: 'a user may not add', tool: 'ldapadd', as: 'alice', input: newUser('x'), code: 50 },
  { title: 'a stranger may not add', tool: 'ldapadd', input: newUser('x'), code: 8 },

  modify('several changes are made together', `dn: ${person('dave')}\nchangetype: modify\nreplace: mailHost\nmailHost: be2\n-\nadd: mailLocalAddress\nmailLocalAddress: d1@example.com\nmailLocalAddress: d2@example.com\n-\ndelete: description\n`),
  search('their result', ['(mailLocalAddress=D2@example.com)', 'mailHost', 'mailLocalAddress', 'description'], { exactly: [`dn: ${person('dave')}`, 'mailHost: be2', 'mailLocalAddress: d1@example.com', 'mailLocalAddress: d2@example.com'] }),
  modify('of changes that fail none is made', `dn: ${person('dave')}\nchangetype: modify\nreplace: mailHost\nmailHost: be9\n-\ndelete: title\n`, { code: 16 }),
  search('nothing was changed', ['(uid=dave)', 'mailHost'], { exactly: [`dn: ${person('dave')}`, 'mailHost: be2'] }),
  modify('deleting a value that is not there', `dn: ${person('dave')}\nchangetype: modify\ndelete: mailLocalAddress\nmailLocalAddress: d9@example.com\n`, { code: 16 }),
  modify('deleting one value', `dn: ${person('dave')}\nchangetype: modify\ndelete: mailLocalAddress\nmailLocalAddress: D1@Example.com\n`),
  modify('adding a value that is there', `dn: ${person('dave')}\nchangetype: modify\nadd: mailLocalAddress\nmailLocalAddress: D2@example.com\n`, { code: 20 }),
  modify('replacing by nothing what is not there', `dn: ${person('dave')}\nchangetype: modify\nreplace: title\n`),
  modify('replacing by nothing', `dn: ${person('dave')}\nchangetype: modify\nreplace: mailLocalAddress\n`),
  search('it is gone', ['(uid=dave)', 'mailLocalAddress'], { exactly: [`dn: ${person('dave')}`] }),
  modify('a second value where one may be', `dn: ${person('dave')}\nchangetype: modify\nadd: mailHost\nmailHost: be3\n`, { code: 19 }),
  modify('taking away the naming value', `dn: ${person('dave')}\nchangetype: modify\nreplace: uid\nuid: other\n`, { code: 64 }),
  modify('taking away what the class demands', `dn: ${person('dave')}\nchangetype: modify\ndelete: sn\n`, { code: 65 }),
  modify('changing what only the server sets', `dn: ${person('dave')}\nchangetype: modify\nreplace: entryUUID\nentryUUID: 00000000-0000-4000-8000-000000000000\n`, { code: 19 }),
  modify('changing nobody', `dn: ${person('none')}\nchangetype: modify\nreplace: cn\ncn: x\n`, { code: 32 }),
  modify('a user may not change his host', `dn: ${person('alice')}\nchangetype: modify\nreplace: mailHost\nmailHost: be2\n`, { as: 'alice', code: 50 }),
  modify('a user may change his password', `dn: ${person('bob')}\nchangetype: modify\nreplace: userPassword\nuserPassword: bobsnew\n`, { as: 'bob' }),
  { title: 'the new password holds', tool: 'ldapwhoami', as: [person('bob'), 'bobsnew'], code: 0 },
  { title: 'the old one doesn\'t', tool: 'ldapwhoami', as: 'bob', code: 49 },
  modify('a user may not change another\'s password', `dn: ${person('bob')}\nchangetype: modify\nreplace: userPassword\nuserPassword: x\n`, { as: 'alice', code: 50 }),

  { title: 'password modify by oneself', tool: 'ldappasswd', as: 'alice', parameters: ['-a', peoplesPassword, '-s', 'alicesnew'] },
  { title: 'it holds', tool: 'ldapwhoami', as: [person('alice'), 'alicesnew'], code: 0 },
  { title: 'password modify with a wrong old password', tool: 'ldappasswd', as: [person('alice'), 'alicesnew'], parameters: ['-a', 'wrong', '-s', 'x'], code: 1 },
  { title: 'password modify by the administrator', tool: 'ldappasswd', as: 'admin', parameters: ['-s', peoplesPassword, person('alice')] },
  { title: 'password modify makes one up', tool: 'ldappasswd', as: 'admin', parameters: [person('carol')], contains: /New password: \S{6,}/ },
  { title: 'password modify of another', tool: 'ldappasswd', as: 'alice', parameters: ['-s', 'x', person('bob')], code: 1 },
  { title: 'password modify by a stranger', tool: 'ldappasswd', parameters: ['-s', 'x', person('bob')], code: 1 },
  { title: 'alice\'s password is the old one again', tool: 'ldapwhoami', as: 'alice', code: 0 },

  { title: 'a user may not rename', tool: 'ldapmodrdn', as: 'alice', parameters: ['-r', person('dave'), 'uid=david'], code: 50 },
  { title: 'renaming', tool: 'ldapmodrdn', as: 'admin', parameters: ['-r', person('dave'), 'uid=David'] },
  search('the new name has the new value and not the old', ['(uid=david)', 'uid'], { exactly: [`dn: ${person('David')}`, 'uid: David'] }),
  { title: 'renaming, the old value kept', tool: 'ldapmodrdn', as: 'admin', parameters: [person('david'), 'uid=dave'] },
  search('both values', ['(uid=david)', 'uid'], { exactly: [`dn: ${person('dave')}`, 'uid: David', 'uid: dave'] }),
  { title: 'renaming to what is there', tool: 'ldapmodrdn', as: 'admin', parameters: ['-r', person('dave'), 'uid=alice'], code: 68 },
  { title: 'renaming nobody', tool: 'ldapmodrdn', as: 'admin', parameters: ['-r', person('none'), 'uid=x'], code: 32 },
  { title: 'renaming a whole branch', tool: 'ldapmodrdn', as: 'admin', parameters: ['-r', 'ou=people,dc=example,dc=com', 'ou=staff'] },
  search('all below has moved along', ['-b', 'ou=staff,dc=example,dc=com', '(uid=alice)', '1.1'], { exactly: ['dn: uid=alice,ou=staff,dc=example,dc=com'] }),
  { title: 'and logs in by the new name', tool: 'ldapwhoami', as: ['uid=alice,ou=staff,dc=example,dc=com', peoplesPassword], code: 0 },
  { title: 'back again', tool: 'ldapmodrdn', as: 'admin', parameters: ['-r', 'ou=staff,dc=example,dc=com', 'ou=people'] },
  { title: 'a user may not delete', tool: 'ldapdelete', as: 'alice', parameters: [person('dave')], code: 50 },
  { title: 'deleting what has entries below', tool: 'ldapdelete', as: 'admin', parameters: ['ou=people,dc=example,dc=com'], code: 66 },
  { title: 'deleting', tool: 'ldapdelete', as: 'admin', parameters: [person('dave')] },
  { title: 'deleting nobody', tool: 'ldapdelete', as: 'admin', parameters: [person('dave')], code: 32 },
  { title: 'deleting by no name', tool: 'ldapdelete', as: 'admin', parameters: ['nonsense'], code: 34 },
  search('a critical control that nobody knows', ['-E', '!1.2.3.4', '-s', 'base'], { code: 12 }),
  search('another that is not critical', ['-E', '1.2.3.4', '-s', 'base', 'dc'], { exactly: ['dn: dc=example,dc=com', 'dc: example'] }),
];

for (const [kind, start] of [['slapd', startSlapd], ['the embedded directory', startEmbeddedDirectory]] as const) {
  let uri = '';
  let stop = async (): Promise<void> => { await Promise.resolve(); };

  before(async () => {
    const started = await start({ ldif: directoryLdif([{ name: 'alice', mailHost: 'be1', aliases: ['al@example.com'] }, { name: 'bob', mailHost: 'be2' }, { name: 'carol', mailHost: 'be1' }]) });
    uri = started.uri;
    stop = async () => { await started.stop(); };
  });
  after(async () => { await stop(); });

  test(`${kind}: the command line tools get the results expected`, async (context) => {
    for (const step of steps) {
      await context.test(step.title, async () => {
        const as = typeof step.as === 'string' ? identities[step.as] : step.as;
        const result = await runTool(step.tool, { uri, as, parameters: step.parameters ?? [], input: step.input ?? '' });
        assert.equal(result.code, step.code ?? 0, result.complaint);
        if (step.exactly !== undefined) assert.deepEqual(result.output.split('\n').filter((line) => line !== '').toSorted(), step.exactly.toSorted());
        if (step.contains !== undefined) assert.match(result.output, step.contains);
        if (step.lacks !== undefined) assert.doesNotMatch(result.output, step.lacks);
      });
    }
  });

  test(`${kind}: our own connector searches and binds`, async () => {
    const connector = createConnector({ name: 'test', uris: [uri], searchBase: 'dc=example,dc=com', scope: 'sub', timeoutMs: 2_000, connections: 2, log: keepingLog().log });
    try {
      const [entry] = await connector.search(compileSearchPattern('mailLocalAddress=%e')('AL@example.com'), ['mail', 'userPassword'], { sizeLimit: 2 });
      assert.equal(entry?.dn, person('alice'));
      assert.deepEqual([...entry.attributes.keys()], ['mail']);
      assert.equal(await connector.bind(entry.dn, peoplesPassword), 'ok');
      assert.equal(await connector.bind(entry.dn, 'wrong'), 'refused');
      assert.deepEqual(await connector.search(compileSearchPattern('mail=%e')('*'), ['mail'], { sizeLimit: 2 }), []);
    } finally {
      connector.close();
    }
  });
}
