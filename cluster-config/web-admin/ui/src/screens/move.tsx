/** Moves an account to another back-end while it is in use; shows how it goes on, and can give it up. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { showError } from '../../../../../shared/page/toasts.tsx';
import { change, get, pathOf } from '../api.ts';
import { exactTime } from '../format.ts';
import { nodesOf, useNodes } from '../nodes.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Badge, Card } from '../parts/screen.tsx';
import type { Tone } from '../parts/screen.tsx';
import type { AccountView, MoveView } from '../views.ts';

interface MoveProps {
  readonly account: AccountView;
  /** What is said of the account has changed. */
  readonly reload: () => Promise<void>;
}

/** How often a move that goes on is looked at. */
const lookMs = 700;

export function Move({ account, reload }: MoveProps) {
  const { address, records } = account;
  const from = Object.entries(records).find(([, { at }]) => at === 'live')?.[0] ?? account.directory?.node;
  const arriving = Object.entries(records).find(([, { at }]) => at === 'arriving')?.[0];
  const followed = useSignal<string | undefined>(arriving);
  const targets = nodesOf(useNodes(), 'backend').map(({ name }) => name).filter((name) => name !== from);
  return (
    <Card title="Move to another back-end">
      {followed.value === undefined
        ? <Form address={address} from={from} targets={targets} began={(to) => { followed.value = to; }} />
        : <Progress key={followed.value} address={address} to={followed.value} over={reload} again={() => { followed.value = undefined; }} />}
    </Card>
  );
}

interface FormProps {
  readonly address: string;
  readonly from: string | undefined;
  readonly targets: readonly string[];
  readonly began: (to: string) => void;
}

function Form({ address, from, targets, began }: FormProps) {
  const begin = async (form: HTMLFormElement): Promise<void> => {
    const fields = new FormData(form);
    const to = String(fields.get('to'));
    const purge = fields.get('purge') !== null;
    const reply = await ask({
      title: `Move ${address} to ${to}?`, verb: 'Move it',
      text: (
        <>
          <p>Its mail is copied{from === undefined ? '' : ` from ${from}`} to {to} while it is in use; at the end, for a moment, nobody can change it, and open sessions begin anew.</p>
          <p>{purge ? `The mail at ${from ?? 'the old place'} is deleted as soon as every message was compared.` : 'The old copy is kept for some days, for safety.'}</p>
        </>
      ),
    });
    if (reply.kind === 'no') return;
    try {
      await change(pathOf('nodes', to, 'accounts', address, 'move'), { method: 'POST', body: { purge } });
      began(to);
    } catch (error) {
      showError(error);
    }
  };
  if (targets.length === 0) return <p class="panel-body soft">There is no other back-end.</p>;
  return (
    <form class="panel-body form" onSubmit={(event) => {
      event.preventDefault();
      void begin(event.currentTarget);
    }}>
      <label class="field"><span>To</span><select name="to">{targets.map((name) => <option key={name} value={name}>{name}</option>)}</select></label>
      <label class="check"><input name="purge" type="checkbox" /><span>Delete the mail at the old place when every message was compared</span></label>
      <div><button class="button" type="submit">Move …</button></div>
    </form>
  );
}

const tones: Readonly<Record<MoveView['state'], Tone>> = { running: 'warn', done: 'good', failed: 'bad', unknown: 'plain' };
const names: Readonly<Record<MoveView['state'], string>> = { running: 'goes on', done: 'done', failed: 'failed', unknown: 'not known any more' };

interface ProgressProps {
  readonly address: string;
  readonly to: string;
  readonly over: () => Promise<void>;
  readonly again: () => void;
}

function Progress({ address, to, over, again }: ProgressProps) {
  const path = pathOf('nodes', to, 'accounts', address, 'move');
  const move = useSignal<MoveView>({ state: 'running', events: [] });
  useEffect(() => {
    let left = false;
    const follow = async (): Promise<void> => {
      while (!left && move.peek().state === 'running') {
        try {
          const next = await get<MoveView>(path, { activity: 'background' });
          if (!left) move.value = next;
        } catch (error) {
          showError(error); // the move goes on by itself; so does the looking
        }
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
      if (!left) await over();
    };
    void follow();
    return () => {
      left = true;
    };
  }, [path]);
  const abort = async (): Promise<void> => {
    const reply = await ask({ title: 'Give up the move?', verb: 'Give it up', danger: 'yes', text: <p>What has come to {to} is thrown away. The account stays where it was, with all its mail.</p> });
    if (reply.kind === 'yes') await change(path, { method: 'DELETE' });
  };
  const { state, events } = move.value;
  return (
    <div class="panel-body">
      <p role="status">To {to}: <Badge tone={tones[state]}>{names[state]}</Badge> {events.at(-1)?.text}</p>
      {state === 'running' && <progress class="moving" aria-label={`Moving ${address} to ${to}`} />}
      <ol class="steps">
        {events.map(({ step, text, at, ldif }) => (
          <li key={`${at} ${step} ${text}`}><time dateTime={at} class="soft small">{exactTime(at)}</time> <span>{text}</span>{ldif !== undefined && <pre tabIndex={0}>{ldif}</pre>}</li>
        ))}
      </ol>
      <div class="acts-row">
        {state === 'running' ? <Act does={abort}>Give up …</Act> : <button class="button" type="button" onClick={again}>Close</button>}
      </div>
    </div>
  );
}
