/** The model finds what it is there for: builds of the back-end with a fault in what sessions are told, and in what they may do, fail its test. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSpoiltBuild } from './spoilt-build.ts';
import type { Spoiling } from './spoilt-build.ts';

interface Fault {
  readonly changes: readonly Spoiling[];
  /** What the first difference says, so that it is this fault which was found. */
  readonly shows: RegExp;
}

const faults: Readonly<Record<string, Fault>> = {
  'REPLACE needs no right to mark messages as deleted': {
    changes: [{ file: 'backend/imap/replace.ts', from: "for (const right of ['t', 'e'])", to: "for (const right of ['e'])" }],
    shows: /'OK' !== 'NO'/,
  },
  'a saved result is where it was before an EXPUNGE': {
    changes: [
      { file: 'backend/imap/view.ts', from: '    const expunged: { sequence: number; uid: number }[] = [];\n    this.#uids', to: '    const expunged: { sequence: number; uid: number }[] = [];\n    const positions = this.saved.map((uid) => lowerBound(this.#uids, uid));\n    this.#uids' },
      { file: 'backend/imap/view.ts', from: 'this.saved = this.saved.filter((uid) => !this.#gone.has(uid));', to: 'this.saved = positions.flatMap((position) => this.#uids[position] ?? []);' },
    ],
    shows: /flags of|asked for|no flags/,
  },
  'NOTIFY tells of a folder that may be read no more': {
    changes: [{ file: 'backend/imap/foreign-mailboxes.ts', from: 'const watched = new Map<string, Watched>();', to: 'const watched = new Map(this.#watched);' }],
    shows: /of which nothing is new|not watched|kind: 'status',[^]*Other Users/,
  },
  'NOTIFY does not tell what came into the folder of another': {
    changes: [{ file: 'backend/imap/foreign-mailboxes.ts', from: '      this.#heard.add(name);\n      matters = true;', to: '      matters = true;' }],
    shows: /no a line within/,
  },
  'UIDNEXT of an empty mailbox is 1': {
    changes: [{ file: 'backend/imap/mailbox-lines.ts', from: 'UIDNEXT: ({ state }) => String(state.uidNext)', to: 'UIDNEXT: ({ state }) => String(state.messages === 0 ? 1 : state.uidNext)' }],
    shows: /UIDNEXT/,
  },
  'FETCH by sequence numbers tells expunges': {
    changes: [{ file: 'backend/imap/fetch.ts', from: "tells: numbers === 'uid' ? 'everything' : 'no-expunges'", to: "tells: 'everything'" }],
    shows: /an expunge when none may be told/,
  },
  'changed flags have the mod-sequence of the change before': {
    changes: [{ file: 'backend/storage/change-flags.ts', from: 'row.setModseq(mailbox.modseq);', to: 'row.setModseq(mailbox.modseq - 1);' }],
    shows: /mod-sequence|was not told of new flags/,
  },
  'COPYUID has its uids in another order': {
    changes: [{ file: 'backend/imap/copy-away.ts', from: '${formatSet(uids)}`', to: '${formatSet(uids.toReversed())}`' }],
    shows: /COPYUID/,
  },
};

/** The first difference that the test of the model tells of, run from that copy; undefined when it finds none. */
async function firstDifference(copy: string): Promise<string | undefined> {
  const child = spawn(process.execPath, [join(copy, 'test/backend/imap/model/model.test.ts')], { env: { ...process.env, WAYBILL_FUZZ_SEED: '5', WAYBILL_FUZZ_RUNS: '60', WAYBILL_TEST_PROGRAM: undefined, NODE_TEST_CONTEXT: undefined }, stdio: ['ignore', 'ignore', 'pipe'] });
  const closed = once(child, 'close');
  let said = '';
  for await (const piece of child.stderr.setEncoding('utf8')) {
    said += String(piece);
    if (/^failed, seed[^]*\n[CS]\d: /m.test(said)) child.kill(); // it would look for a shorter list
  }
  await closed;
  return /^failed, seed[^]*?(?=\n[CS]\d: )/m.exec(said)?.[0];
}

for (const [fault, { changes, shows }] of Object.entries(faults)) {
  test(`The model finds that ${fault}.`, { timeout: 300_000 }, async (t) => {
    const copy = mkdtempSync(join(tmpdir(), 'waybill-model-'));
    t.after(() => rmSync(copy, { recursive: true, force: true }));
    makeSpoiltBuild(copy, changes, ['backend', 'shared', 'cluster-config', 'test', 'package.json']);
    const found = await firstDifference(copy);
    assert.match(found ?? 'no difference', shows);
  });
}
