/** Replaces a file whole: after a crash it has the old text or the new one. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The new text is on the disk, beside the file; `settle` puts it in its place. */
export interface Draft {
  settle(): Promise<void>;
}

/** Readable by its owner only. The folder must be there. */
export async function draftFile(file: string, text: string): Promise<Draft> {
  const draft = draftName(file);
  {
    await using handle = await open(draft, 'w', 0o600);
    await handle.writeFile(text);
    await handle.sync();
  }
  return {
    settle: async () => {
      await rename(draft, file);
      await using folder = await open(dirname(file), 'r');
      await folder.sync();
    },
  };
}

/** Where the draft of a file lies. */
export function draftName(file: string): string {
  return `${file}.new`;
}

export async function replaceFile(file: string, text: string): Promise<void> {
  await (await draftFile(file, text)).settle();
}
