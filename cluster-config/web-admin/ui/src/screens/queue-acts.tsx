/** What can be done with a queued message. */
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf } from '../api.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import type { QueueItem } from '../views.ts';

interface QueueActsProps {
  readonly node: string;
  readonly item: QueueItem;
  /** What is shown is to be read anew. */
  readonly done: () => Promise<void>;
  readonly looks?: 'small';
}

export function QueueActs({ node, item, done, looks }: QueueActsProps) {
  const path = pathOf('nodes', node, 'queue', item.id);
  const named = item.sender === '' ? 'the report' : `the message of ${item.sender}`;
  const look = looks === undefined ? {} : { looks };
  const act = async (what: 'retry' | 'hold' | 'release', said: string): Promise<void> => {
    await change(`${path}/${what}`, { method: 'POST' });
    showNote(said);
    await done();
  };
  return (
    <>
      {item.held
        ? <Act {...look} label={`Release ${named}`} does={async () => act('release', 'Released: it is tried again.')}>Release</Act>
        : (
          <>
            <Act {...look} label={`Retry ${named}`} does={async () => act('retry', 'It is tried now.')}>Retry</Act>
            <Act {...look} label={`Hold ${named}`} does={async () => act('hold', 'Held: it stays until you release it.')}>Hold</Act>
          </>
        )}
      <Act {...look} label={`Return ${named} to the sender`} does={async () => returnMessage(path, item, done)}>Return …</Act>
      <Act {...look} label={`Delete ${named}`} does={async () => deleteMessage(path, item, done)}>Delete …</Act>
    </>
  );
}

/** Those who still wait, for questions. */
function waitingText({ recipients }: QueueItem): string {
  const waiting = recipients.filter(({ state }) => state === 'waiting').map(({ address }) => address);
  return waiting.length <= 5 ? waiting.join(', ') : `${waiting.slice(0, 5).join(', ')} and ${String(waiting.length - 5)} more`;
}

async function returnMessage(path: string, item: QueueItem, done: () => Promise<void>): Promise<void> {
  const reply = await ask({
    title: 'Return this message?', verb: 'Return it', danger: 'yes',
    text: <p>{item.sender === '' ? 'It is a report itself, so nobody is told.' : `${item.sender} gets a report that it could not be delivered.`} It is not delivered to {waitingText(item)} any more.</p>,
    field: { label: 'Reason in the report', value: 'returned by an administrator' },
  });
  if (reply.kind === 'no') return;
  await change(`${path}/bounce`, { method: 'POST', body: reply.text.trim() === '' ? {} : { reason: reply.text.trim() } });
  showNote('Returned.');
  await done();
}

async function deleteMessage(path: string, item: QueueItem, done: () => Promise<void>): Promise<void> {
  const reply = await ask({
    title: 'Delete this message?', verb: 'Delete it', danger: 'yes',
    text: <p>It is not delivered to {waitingText(item)} any more, and nobody is told: neither sender nor recipients. It can’t be brought back.</p>,
  });
  if (reply.kind === 'no') return;
  await change(path, { method: 'DELETE' });
  showNote('Deleted.');
  await done();
}
