/** The manual's counters of services (section 3.2.7.1), in snake_case, each with the service that counts: the proxy or the server itself. */
import { isFailure } from '../base/failure.ts';
import { counter, gauge } from './metrics.ts';

const protocolOf = {
  smtpProxy: 'smtp', smtpReceiving: 'smtp', imapProxy: 'imap', imap: 'imap', pop3Proxy: 'pop3', pop3: 'pop3', webmailProxy: 'webmail', webmail: 'webmail',
} as const;

export type CountedService = keyof typeof protocolOf;

function inbound(protocol: (typeof protocolOf)[CountedService], title: string) {
  const labels = ['service'] as const;
  const name = `waybill_${protocol}_inbound_connection`;
  return {
    all: counter({ name, labels, help: `${title}: connections that were served; the same ones by listener: waybill_connections_accepted.` }),
    open: gauge({ name: `${name}_open`, labels, help: `${title}: connections that are open now.` }),
    authenticated: counter({ name: `${name}_authenticated`, labels, help: `${title}: logins that were tried.` }),
    authenticatedSuccess: counter({ name: `${name}_authenticated_success`, labels, help: `${title}: logins that succeeded.` }),
  };
}

const families = { smtp: inbound('smtp', 'SMTP and LMTP'), imap: inbound('imap', 'IMAP'), pop3: inbound('pop3', 'POP3'), webmail: inbound('webmail', 'WebMail') };
const failedLogins = counter({ name: 'waybill_login_failed', help: 'Logins that did not succeed, by what was wrong.', labels: ['service', 'reason'] });

/** A connection was accepted; the answer is to be called once, when it is gone. */
export function countConnection(service: CountedService): () => void {
  const { all, open } = families[protocolOf[service]];
  all.add({ service });
  open.add({ service }, 1);
  return () => open.add({ service }, -1);
}

/** How a login ended: well, or with what was thrown. */
export function countLogin(service: CountedService, end: 'accepted' | { readonly thrown: unknown }): void {
  const { authenticated, authenticatedSuccess } = families[protocolOf[service]];
  authenticated.add({ service });
  if (end === 'accepted') authenticatedSuccess.add({ service });
  else failedLogins.add({ service, reason: isFailure(end.thrown) ? end.thrown.kind : 'error' });
}

/** Passes on how a login ends, and counts it. */
export async function countingLogin<Result>(service: CountedService, logIn: () => Promise<Result>): Promise<Result> {
  try {
    const result = await logIn();
    countLogin(service, 'accepted');
    return result;
  } catch (thrown) {
    countLogin(service, { thrown });
    throw thrown;
  }
}

const smtp = { labels: ['service'] } as const;
const messages = counter({ name: 'waybill_smtp_inbound_message', ...smtp, help: 'Messages that were accepted.' });
const messageBytes = counter({ name: 'waybill_smtp_inbound_message_bytes', unit: 'bytes', ...smtp, help: 'Bytes of messages that were accepted.' });
const messagesRejected = counter({ name: 'waybill_smtp_inbound_message_rejected', ...smtp, help: 'Messages that were refused after their data, for now or for good.' });
const recipientsAccepted = counter({ name: 'waybill_smtp_inbound_message_to_commands_accepted', ...smtp, help: 'Recipients that were accepted.' });
const recipientsRejected = counter({ name: 'waybill_smtp_inbound_message_to_commands_rejected', ...smtp, help: 'Recipients that were refused, for now or for good.' });

/** Passes on whether a recipient is taken, and counts it. */
export async function countingRecipient(service: CountedService, take: () => Promise<void>): Promise<void> {
  try {
    await take();
    recipientsAccepted.add({ service });
  } catch (thrown) {
    recipientsRejected.add({ service });
    throw thrown;
  }
}

/** A message whose data came; `bytes`: its size. */
export function countMessage(service: CountedService, end: 'accepted' | 'rejected', bytes: number): void {
  if (end === 'rejected') return messagesRejected.add({ service });
  messages.add({ service });
  messageBytes.add({ service }, bytes);
}

const imapCommands = counter({ name: 'waybill_imap_command', help: 'IMAP commands that were carried out, or refused.', labels: ['command', 'status'] });
const imapAppends = counter({ name: 'waybill_imap_append', help: 'Messages that IMAP clients stored.' });
const pop3Retrievals = counter({ name: 'waybill_pop3_retrieval', help: 'Messages that POP3 clients fetched.' });
const pop3Bytes = counter({ name: 'waybill_pop3_retrieval_bytes', unit: 'bytes', help: 'Bytes of messages that POP3 clients fetched.' });

/** Passes on how a command ends, and counts it. `command`: the name of one that exists. */
export async function countingImapCommand<Completion extends { readonly status: string }>(command: string, work: () => Promise<Completion>): Promise<Completion> {
  try {
    const completion = await work();
    imapCommands.add({ command, status: completion.status });
    if (command === 'APPEND' && completion.status === 'OK') imapAppends.add({});
    return completion;
  } catch (error) {
    imapCommands.add({ command, status: 'refused' });
    throw error;
  }
}

export function countRetrievals(messages: number, bytes: number): void {
  pop3Retrievals.add({}, messages);
  pop3Bytes.add({}, bytes);
}
