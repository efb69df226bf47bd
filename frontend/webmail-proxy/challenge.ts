/** Answers http-01 challenges of ACME servers (RFC 8555 section 8.3), for whichever name of ours they come. */
import type { Exchange } from '../../shared/http/http-service.ts';
import { HttpRefusal } from '../../shared/http/refusals.ts';

const prefix = '/.well-known/acme-challenge/';

/** The answer for a token; undefined when nobody waits for it. */
export type ChallengeAnswers = (token: string) => Promise<string | undefined>;

export function isChallenge(path: string): boolean {
  return path.startsWith(prefix);
}

/** @throws HttpRefusal('no-such-thing') for tokens that are not known */
export async function answerChallenge(answers: ChallengeAnswers | undefined, { path, response }: Pick<Exchange, 'path' | 'response'>): Promise<void> {
  const text = await answers?.(path.slice(prefix.length));
  if (text === undefined) throw new HttpRefusal('no-such-thing', 'Nobody waits for this challenge.');
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' });
  response.end(text);
}
