/** Tells systemd that the node is ready (sd_notify(3), `Type=notify`). Node has no datagram sockets of Unix, so systemd's own program does it. */
import { spawn } from 'node:child_process';

/** Does nothing where nobody waits for it. The unit needs `NotifyAccess=all`: the message comes from a child. */
export function tellServiceManager(environment: Readonly<Record<string, string | undefined>>, onTrouble: (error: Error) => void): void {
  if (environment['NOTIFY_SOCKET'] === undefined) return;
  const child = spawn('systemd-notify', ['--ready'], { stdio: 'ignore' });
  child.once('error', onTrouble);
  child.once('exit', (code) => {
    if (code !== 0) onTrouble(new Error(`systemd-notify ended with ${String(code)}`));
  });
}
