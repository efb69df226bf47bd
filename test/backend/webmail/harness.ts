/** What the tests of the WebMail API share: a signed-in client and the answers in their types. */
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import type { MailboxRole, MailboxView, MessagePage, MessageView } from '../../../backend/webmail/api.ts';
import { WebClient } from '../../harness/web-client.ts';
import { password, startWebmailCluster } from '../../harness/webmail-cluster.ts';
import type { WebmailCluster } from '../../harness/webmail-cluster.ts';

export async function clusterFor(t: TestContext, given: Parameters<typeof startWebmailCluster>[0] = {}): Promise<WebmailCluster> {
  const cluster = await startWebmailCluster(given);
  t.after(async () => cluster.stop());
  return cluster;
}

/** One user's view of the API at one address. */
export class ApiUser {
  readonly client: WebClient;
  readonly url: string;

  constructor(url: string, client = new WebClient()) {
    this.url = url;
    this.client = client;
  }

  static async signedIn(url: string, name: string): Promise<ApiUser> {
    const user = new ApiUser(url);
    const answer = await user.client.post(`${url}/api/sign-in`, { name, password });
    assert.equal(answer.status, 200, answer.bytes.toString());
    return user;
  }

  async mailboxes(): Promise<MailboxView[]> {
    const answer = await this.client.ask(`${this.url}/api/mailboxes`);
    assert.equal(answer.status, 200, answer.bytes.toString());
    return answer.json['mailboxes'] as MailboxView[];
  }

  async mailbox(role: MailboxRole): Promise<MailboxView> {
    const found = (await this.mailboxes()).find((mailbox) => mailbox.role === role);
    assert.ok(found !== undefined, `there is a folder for ${role}`);
    return found;
  }

  async list(mailbox: number, query = ''): Promise<MessagePage> {
    const answer = await this.client.ask(`${this.url}/api/mailboxes/${String(mailbox)}/messages?${query}`);
    assert.equal(answer.status, 200, answer.bytes.toString());
    return answer.json as unknown as MessagePage;
  }

  async message(mailbox: number, uid: number): Promise<MessageView> {
    const answer = await this.client.ask(`${this.url}/api/mailboxes/${String(mailbox)}/messages/${String(uid)}`);
    assert.equal(answer.status, 200, answer.bytes.toString());
    return answer.json as unknown as MessageView;
  }
}

/** A form as a browser sends it. */
export async function formBody(message: object, files: readonly { readonly name: string; readonly bytes: Buffer }[]): Promise<{ readonly headers: Record<string, string>; readonly body: Buffer }> {
  const form = new FormData();
  form.set('message', JSON.stringify(message));
  for (const { name, bytes } of files) form.append('attachment', new Blob([new Uint8Array(bytes)], { type: 'application/x-test' }), name);
  const encoded = new Response(form);
  return { headers: { 'content-type': encoded.headers.get('content-type') ?? '' }, body: Buffer.from(await encoded.arrayBuffer()) };
}
