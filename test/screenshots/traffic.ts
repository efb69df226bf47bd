/** What people do in a demo cluster while pictures of it are made: they log in, read, write to each other and to the world outside. */
import { setTimeout as sleep } from 'node:timers/promises';
import { demoUsers } from '../../cluster-config/demo/layout.ts';
import { askAdmin, basic, me } from '../harness/admin-api.ts';
import type { Cluster } from '../harness/cluster.ts';
import { ImapSession } from '../harness/imap-session.ts';
import { plainMail } from '../harness/hostile-mail.ts';
import { deliver, SmtpSession } from '../harness/smtp-session.ts';

const subjects = ['Minutes of Tuesday', 'Invoice 2026-118', 'Re: offer', 'Lunch on Friday?', 'Figures of the third quarter', 'Tickets', 'New telephone numbers'];
const frontends = ['fe1', 'fe2'] as const;

function pick<Value>(list: readonly Value[], turn: number): Value {
  const found = list[turn % list.length];
  if (found === undefined) throw new Error('an empty list');
  return found;
}

function mail(turn: number, from: string, to: string): Buffer {
  return plainMail({ from, to, subject: pick(subjects, turn), text: 'Dear all,\r\n\r\nplease find the details below.\r\n\r\nBest wishes\r\n' });
}

/** Resolves when there is something to be seen. Goes on until `end`, which then waits for the last. */
export async function makeTraffic(cluster: Cluster, forMs: number): Promise<{ end(): Promise<void> }> {
  await writeOut(cluster);
  const idle = await Promise.all(demoUsers.slice(0, 7).map(async (user, index) => ImapSession.logIn(cluster, { node: pick(frontends, index), user })));
  await askAdmin(cluster, ['fe1', '/api/v1/accounts/carol@example.com/protocol-trace'], { method: 'POST', body: { minutes: 30 }, headers: basic(me.name, me.password) });
  const over = new AbortController();
  const work = (async (): Promise<void> => {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      await oneTurn(cluster, turn);
      // More and less in turns, as over a day.
      await sleep(150 + 600 * (1 + Math.sin(turn / 9)));
    }
  })();
  await Promise.race([sleep(forMs), work]);
  await readCarol(cluster);
  return {
    end: async () => {
      over.abort();
      await work;
      for (const session of idle) session.dialogue.close();
    },
  };
}

/** To the world outside, where nobody listens. */
async function writeOut(cluster: Cluster): Promise<void> {
  for (const [turn, [user, to]] of ([['alice', 'orders@printer.example'], ['carol', 'office@partner.example'], ['erin', 'tickets@travel.example'], ['bob', 'support@vendor.example']] as const).entries()) {
    const session = await SmtpSession.connect(cluster, 'fe1', 'submission');
    await session.authenticate(user, cluster.password);
    await session.send({ from: `${user}@example.com`, to: [to], bytes: mail(turn, `${user}@example.com`, to) });
    await session.quit();
  }
}

async function oneTurn(cluster: Cluster, turn: number): Promise<void> {
  const user = pick(demoUsers, turn * 3);
  const node = pick(frontends, turn);
  const session = await ImapSession.logIn(cluster, { node, user });
  await session.ok('SELECT INBOX');
  await session.ok('NOOP');
  await session.ok('LOGOUT');
  if (turn % 2 === 0) await deliver(cluster, node, { from: 'news@partner.example', to: [`${user}@example.com`], bytes: mail(turn, 'news@partner.example', `${user}@example.com`) });
  if (turn % 7 === 3) {
    const wrong = await ImapSession.connect(cluster, node);
    await wrong.run(`LOGIN ${user} wrong`);
    wrong.dialogue.close();
  }
}

/** What the protocol trace shows. */
async function readCarol(cluster: Cluster): Promise<void> {
  await deliver(cluster, 'fe1', { from: 'ann@partner.example', to: ['carol@example.com'], bytes: mail(3, 'ann@partner.example', 'carol@example.com') });
  const session = await ImapSession.logIn(cluster, { node: 'fe1', user: 'carol' });
  for (const command of ['LIST "" *', 'SELECT INBOX', 'FETCH 1 (FLAGS ENVELOPE)', 'SEARCH UNSEEN', 'LOGOUT']) await session.ok(command);
  session.dialogue.close();
}
