/**
 * Two ways to run a node that writes no file: in a mount namespace in which it can't, and under strace, which tells when
 * it tries. Each says why it is not possible here, if it is not.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';

/** Where the cage shows the cluster's folder; its own /tmp is empty. */
const configFolder = '/mnt';

/**
 * All mounts read-only, an empty read-only /tmp, the folder in $1 at $2; then becomes the rest of the words. Mounts below /tmp are seen to before it is
 * covered; one that another test removes meanwhile is none any more.
 */
const cageScript = `set -e
while read -r _ _ _ _ target options _; do
  case ",$options," in *,rw,*) mount -o remount,bind,ro "$target" || ! mountpoint -q "$target" ;; esac
done < /proc/self/mountinfo
mount --bind "$1" "$2"
mount -o remount,bind,ro "$2"
mount -t tmpfs -o ro,size=4k none /tmp
shift 2
exec "$@"`;

/** The command in a cage in which no file can be written. File names below `folder` are given as they are in there. */
export function caged(command: readonly string[], folder: string): string[] {
  const words = command.map((word) => (word.startsWith(`${folder}/`) ? configFolder + word.slice(folder.length) : word));
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', cageScript, 'cage', folder, configFolder, ...words];
}

/** Why there can be no cage here; undefined when there can. */
export function cageProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make a mount namespace';
  const underTmp = [import.meta.filename, process.execPath].find((file) => file.startsWith('/tmp/'));
  if (underTmp !== undefined) return `the cage has an empty /tmp, and ${underTmp} lies there`;
  const folder = fs.mkdtempSync('/tmp/waybill-cage-');
  try {
    return problemOf(caged(['true'], folder), 'a mount namespace');
  } finally {
    fs.rmdirSync(folder);
  }
}

/** Of a caged shell: the places of these in which it could make a file. */
export function writablePlaces(folder: string, places: readonly string[]): string[] {
  const probe = 'for place; do if (: > "$place/waybill-probe") 2> /dev/null; then rm "$place/waybill-probe"; echo "$place"; fi; done';
  const [program = '', ...words] = caged(['sh', '-c', probe, 'probe', ...places, configFolder], folder);
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the cage broke: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Calls that make, change or remove files; those with a question mark exist on some processors only. */
const tracedCalls = [
  'openat', '?openat2', '?open', '?creat', '?mkdir', 'mkdirat', '?mknod', 'mknodat', '?rename', '?renameat', 'renameat2', '?unlink', 'unlinkat', '?rmdir',
  '?link', 'linkat', '?symlink', 'symlinkat', '?truncate', 'ftruncate', '?chmod', 'fchmod', 'fchmodat', '?chown', 'fchown', 'fchownat', 'utimensat',
];

/** The command under strace, which notes what it and its children do with files. */
export function traced(command: readonly string[], traceFile: string): string[] {
  return ['strace', '--follow-forks', '--quiet=all', `--trace=${tracedCalls.join(',')}`, `--output=${traceFile}`, ...command];
}

/** Why strace can't be used here; undefined when it can. */
export function straceProblem(): string | undefined {
  return problemOf(traced(['true'], '/dev/null'), 'strace');
}

/** Calls of a trace that made, changed or removed a file, or could have; devices are no files. Fails when nothing was traced. */
export function writesIn(traceFile: string): string[] {
  const calls = fs.readFileSync(traceFile, 'utf8').split('\n').filter((line) => line !== '');
  if (!calls.some((line) => line.includes('O_RDONLY'))) throw new Error('the trace is empty');
  return calls.filter((line) => !/ (?:open|openat|openat2)\(.*\bO_RDONLY\b/.test(line) || /O_CREAT|O_TRUNC|O_TMPFILE/.test(line)).filter((line) => !line.includes('"/dev/null"') && isCall(line));
}

/** Not the second half of a call that another process interrupted, nor a signal or an exit. */
function isCall(line: string): boolean {
  return /^\d+ +\w+\(/.test(line);
}

function problemOf([program = '', ...words]: readonly string[], what: string): string | undefined {
  const { status, stderr, error } = spawnSync(program, words, { encoding: 'utf8' });
  return status === 0 ? undefined : `${what} is not possible here: ${error?.message ?? stderr.trim()}`;
}
