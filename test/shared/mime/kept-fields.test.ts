/** Header fields that are kept beside the index say what the message says, byte by byte, or that only the message can tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitFields } from '../../../shared/mime/header.ts';
import { chooseFields, fieldValues, isWhole, keepFields, takeFields } from '../../../shared/mime/kept-fields.ts';
import { MessageScanner } from '../../../shared/mime/scan.ts';
import { readRealMail, realMailNames } from './real-mail.ts';

const choices: readonly (readonly string[])[] = [
  ['FROM', 'TO', 'SUBJECT', 'DATE', 'MESSAGE-ID'], ['SUBJECT'], ['REFERENCES', 'IN-REPLY-TO'], ['CONTENT-TYPE', 'X-TUID'], ['RECEIVED'], ['DKIM-SIGNATURE', 'DATE'], ['LINES'], ['X-NOT-THERE'], [''], [],
];

/** The lines of the fields by the other way: one line of the header after the other. */
function linesOf(header: string, names: readonly string[]): string {
  let kept = '';
  let keeping = false;
  for (const line of header.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    if (/^\r?\n?$/.test(line)) break;
    if (!/^[ \t]/.test(line)) keeping = names.includes(line.slice(0, Math.max(0, line.indexOf(':'))).trim().toUpperCase());
    if (keeping) kept += line;
  }
  return kept;
}

/** How many of the choices are told by what is kept; all of these are told rightly. */
function compare(message: Buffer, title: string): number {
  const scanner = new MessageScanner();
  for (let at = 0; at < message.length; at += 1000) scanner.write(message.subarray(at, at + 1000));
  const header = message.toString('latin1', 0, scanner.end().root.bodyStart);
  const kept = scanner.keptFields.toString('latin1');
  assert.ok(kept.length < 10_000, title);
  assert.ok(isWhole(kept), title);
  assert.equal(keepFields(Buffer.from(header, 'latin1')).toString('latin1'), kept, `${title}: the empty line does not matter`);
  let told = 0;
  for (const names of choices) {
    const choice = chooseFields(names);
    const lines = takeFields(kept, choice);
    if (lines === undefined) continue;
    told += 1;
    assert.equal(lines, linesOf(header, names), `${title}: ${names.join(' ')}`);
    const values = splitFields(header).filter(({ name }) => names.includes(name.toUpperCase())).map(({ value }) => value);
    assert.deepEqual(fieldValues(kept, choice), values, `${title}: values of ${names.join(' ')}`);
  }
  return told;
}

test('Of real messages the fields that mail programs ask for are kept as they stand there, and so is which ones are not there.', () => {
  let told = 0;
  for (const name of realMailNames) told += compare(readRealMail(name), name);
  assert.ok(realMailNames.length > 50);
  assert.ok(told > 0.8 * realMailNames.length * choices.length, `${String(told)} answers`);
});

test('Headers that are no good are kept rightly or not at all.', () => {
  const strange = [
    '', '\r\n', '\n', '\r', 'Subject', 'Subject:', 'Subject: x', ' Subject: x\r\n', 'Subject: x\r\n y\r\n\tz\r\n\r\nbody', 'SUBJECT : x\r\nsubject\t: y\r\n', '\vSubject: x\r\n', '\u00a0Subject: x\r\n',
    'Me\u00dfage-ID: <x>\r\nDate: y\r\n', 'From x Mon Jan 1 12:00:00 2024\r\nSubject: x\r\n', 'no colon\r\nSubject: x\r\n: nothing\r\n', 'X-\u00fc: y\r\nSubject: \u00fc\u00ff\r\n', 'Received: a\r\nReceived: b\r\nSubject: x\n\nSubject: y\n',
    'Subject: x\r\r\nTo: y\r\n', 'Subject: \0x\r\nX\0: y\r\n', `Subject: ${'x'.repeat(9000)}\r\n`, 'Subject: x\r\n'.repeat(300), `${'a:\r\n'.repeat(2500)}Subject: x\r\n`, `X: ${'y'.repeat(70_000)}\r\nSubject: x\r\n`,
    `Subject: x\r\n${' y\r\n'.repeat(1500)}To: z\r\n`, `${Array.from({ length: 900 }, (_, n) => `X-${String(n)}-${'y'.repeat(20)}: z`).join('\r\n')}\r\n`,
  ];
  const told = strange.map((header) => compare(Buffer.from(header, 'latin1'), JSON.stringify(header.slice(0, 60))));
  assert.deepEqual(strange.filter((_, index) => told[index] === 0).map((header) => header.slice(0, 12)), [
    '\vSubject: x\r', '\u00a0Subject: x\r', 'Me\u00dfage-ID: <', 'no colon\r\nSu', 'X-\u00fc: y\r\nSubj', 'Subject: xxx', 'Subject: x\r\n', 'a:\r\na:\r\na:\r\n', 'X: yyyyyyyyy', 'X-0-yyyyyyyy',
  ]);
});

test('Any bytes for a header are kept rightly or not at all.', () => {
  const pieces = ['Subject', 'From', 'Received', ':', ' ', '\t', '\r\n', '\n', '\r', '\r\n ', '\u00e4', '=?utf-8?q?=C3=A4?=', '\0', 'x', '\v', ''];
  let seed = 11;
  const dice = (): number => (seed = (seed * 48_271) % 0x7fffffff);
  for (let round = 0; round < 2000; round += 1) {
    const header = Array.from({ length: dice() % 24 }, () => pieces[dice() % pieces.length] ?? '').join('');
    compare(Buffer.from(header, 'latin1'), JSON.stringify(header));
  }
});

test('A list that was shorter when the message came says nothing of names that it had not: they are among the others.', () => {
  const kept = Buffer.from(keepFields(Buffer.from('Subject: x\r\nX-Old: y\r\n')));
  assert.equal(takeFields(kept.toString('latin1'), chooseFields(['LINES', 'SUBJECT'])), 'Subject: x\r\n');
  kept[1] = 2; // DATE and SUBJECT
  const older = kept.toString('latin1');
  assert.equal(takeFields(older, chooseFields(['SUBJECT'])), 'Subject: x\r\n');
  assert.equal(takeFields(older.replace('X-OLD', 'LINES'), chooseFields(['LINES', 'SUBJECT'])), undefined);
  assert.equal(takeFields(older, chooseFields(['LINES', 'SUBJECT'])), 'Subject: x\r\n', 'it is in no list, so it was not there');
});

test('What is damaged is told from what is whole, and does no harm.', () => {
  const kept = keepFields(Buffer.from('Date: d\r\nSubject: x\r\nX-Old: y\r\n')).toString('latin1');
  assert.ok(isWhole(kept));
  for (const damaged of ['', kept.slice(0, -1), `${kept}x`, kept.slice(0, 7), '\u0007', `\0${kept}`]) {
    assert.ok(!isWhole(damaged), JSON.stringify(damaged));
    for (const names of choices) takeFields(damaged, chooseFields(names));
  }
});
