/** Stages messages in a directory until well after the first call was refused; prints what became of them, and what is left when they are dead. */
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../shared/base/failure.ts';
import { openEnvironment, openPacks } from '../../../backend/storage/storage.ts';
import { inPieces, sampleMessage } from './harness.ts';

const directory = process.argv[2] ?? '';
const environment = openEnvironment(join(directory, 'index'));
const packs = openPacks(join(directory, 'packs'), { environment });
const refused: string[] = [];
const stored: { readonly number: number; readonly place: { pack: number; offset: number; length: number } }[] = [];
for (let number = 0; number < 80; number += 1) {
  try {
    const staged = await packs.stage(inPieces(sampleMessage(`n${number}`, 20_000)), { maxBytes: 100_000, owner: 'x' });
    await staged.settled();
    stored.push({ number, place: staged.place });
    staged.done();
  } catch (error) {
    refused.push(error instanceof Failure ? error.kind : String(error));
  }
}
let wrong = 0;
for (const { number, place } of stored) {
  const bytes = await packs.read(place, 0, place.length);
  if (!bytes.equals(sampleMessage(`n${number}`, 20_000))) wrong += 1;
}
const made = readdirSync(join(directory, 'packs')).length;
await packs.close();
await packs.removeDead(0);
const left = readdirSync(join(directory, 'packs')).length;
const open = readdirSync('/proc/self/fd').filter((descriptor) => leadsToPack(descriptor)).length;
await environment.close();
process.stdout.write(JSON.stringify({ refused, stored: stored.length, wrong, packs: made, left, open }));

function leadsToPack(descriptor: string): boolean {
  try {
    return /\.pack(?: \(deleted\))?$/u.test(readlinkSync(`/proc/self/fd/${descriptor}`));
  } catch {
    return false; // that by which the list was read
  }
}
