/** What the sessions of one user say: switched on deliberately, shown here, switched off. */
import { showNote } from '../../../../../shared/page/toasts.tsx';
import { change, pathOf } from '../api.ts';
import { countText, distance, exactTime } from '../format.ts';
import { nodesOf, useNodes } from '../nodes.ts';
import { Act } from '../parts/act.tsx';
import { ask } from '../parts/question.tsx';
import { Badge, Card, Empty, Shown } from '../parts/screen.tsx';
import { useResource } from '../resource.ts';
import { goTo, hrefOf, place } from '../route.ts';
import type { ProtocolLine, ProtocolTraceView } from '../views.ts';

const minutes = 30;
const everyMs = 4000;
/** More would make a page slow; the command line shows all. */
const mostLines = 400;

/** What front-ends are to tell, beside the back-end that writes. */
const frontends = [['login', 'tell what is said until the login'], ['all', 'tell what they pass on afterwards, too'], ['no', 'tell nothing']] as const;

interface ProtocolTraceProps {
  readonly address: string;
  /** The back-end that writes; the one that keeps the mailbox when empty. */
  readonly at: string;
}

export function ProtocolTrace({ address, at }: ProtocolTraceProps) {
  return (
    <>
      <Writers at={at} />
      <Writing key={at} address={address} at={at} />
    </>
  );
}

/** Another than the keeper is chosen for a mailbox on a server that is no node of the cluster. */
function Writers({ at }: { readonly at: string }) {
  const backends = nodesOf(useNodes(), 'backend').map(({ name }) => name);
  return (
    <label class="field protocol-writer">
      <span>Written down at</span>
      <select key={backends.length} onChange={(event) => goTo(hrefOf(['trace'], { ...Object.fromEntries(place.value.query), at: event.currentTarget.value }), 'replace')}>
        <option value="">the back-end that keeps the mailbox</option>
        {backends.map((name) => <option key={name} value={name} selected={name === at}>{name}</option>)}
      </select>
    </label>
  );
}

function Writing({ address, at }: ProtocolTraceProps) {
  const path = at === '' ? `${pathOf('accounts', address)}/protocol-trace` : pathOf('nodes', at, 'protocol-traces', address);
  const trace = useResource<ProtocolTraceView>(path, { everyMs });
  const isOn = trace.state.at === 'ready' && trace.state.value.until !== undefined;
  const start = async (): Promise<void> => {
    const reply = await ask({
      title: `Write down what ${address} says?`, verb: `Write for ${String(minutes)} minutes`, danger: 'yes', choice: { label: 'Front-ends', options: frontends },
      text: (
        <>
          <p>Every line of the sessions of this user that begin from now on is written down: names of folders, subjects, words that are searched for, addresses. Passwords are masked, and texts of messages are told by their length only.</p>
          <p>Do it only with the knowledge of the user, or where you are bound to. That you did stands in the audit, where the user sees it.</p>
        </>
      ),
    });
    if (reply.kind === 'no') return;
    await change(path, { method: 'POST', body: { minutes, frontends: reply.choice } });
    showNote('Sessions that begin from now on are written down.');
    await trace.reload();
  };
  const stop = async (): Promise<void> => {
    await change(path, { method: 'POST', body: { minutes: 0 } });
    showNote('Nothing more is written down.');
    await trace.reload();
  };
  return (
    <Card title="What the sessions say" actions={trace.state.at === 'ready' && (isOn ? <Act looks="small" does={stop}>Stop writing</Act> : <Act looks="small" does={start}>Write down …</Act>)}>
      <Shown of={trace}>{(view) => <Written address={address} at={at} view={view} />}</Shown>
    </Card>
  );
}

function Written({ address, at, view: { node, until, lines, isWhole } }: ProtocolTraceProps & { readonly view: ProtocolTraceView }) {
  const shown = lines.slice(-mostLines);
  return (
    <>
      <p class="panel-foot protocol-state">
        {until === undefined ? <Badge tone="plain">off</Badge> : <Badge tone="warn">is being written</Badge>}{' '}
        {until === undefined ? `Nothing of ${address} is written down now.` : `Written at ${node}, sessions of ${address} that begin until ${exactTime(until)} (${distance(until)}).`}
      </p>
      {lines.length === 0
        ? <Empty icon="log">{until === undefined ? 'Lines of IMAP, POP3 and submission would be here while they are written down.' : 'No session has begun since. Ask the user to connect anew.'}</Empty>
        : (
          <>
            <ol class="protocol" tabIndex={0} role="list" aria-label={`Lines of the sessions of ${address}`}>
              {shown.map((line, index) => <Line key={`${line.time} ${String(index)}`} line={line} />)}
            </ol>
            <p class="panel-foot">{countText(lines.length, 'line')}{shown.length < lines.length || !isWhole ? `, the newest ${String(shown.length)} of them here; the command line shows more: ` : '. Also: '}<code>waybill trace protocol {address} show{at === '' ? '' : ` --at ${at}`}</code></p>
          </>
        )}
    </>
  );
}

const ways = { client: ['C', 'client'], server: ['S', 'server'] } as const;

function Line({ line: { time, service, session, way, text } }: { readonly line: ProtocolLine }) {
  const [letter, said] = ways[way];
  return (
    <li class={`protocol-line protocol-${way}`}>
      <time dateTime={time} title={`${service}, session ${session}`}>{time.slice(11, 23)}</time>
      <span class="protocol-way"><span aria-hidden="true">{letter}</span><span class="for-readers">{said}:</span></span>
      <span class="protocol-text">{text}</span>
    </li>
  );
}
