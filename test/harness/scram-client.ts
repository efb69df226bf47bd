/** The client's part of SCRAM (RFC 5802 section 3), made apart from the server's. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { ScramMechanism } from '../../shared/sasl/scram-keys.ts';

/** What a client would send as client-final-message. */
export function clientFinal(dialogue: { mechanism: ScramMechanism; password: string; bare: string; serverFirst: string; binding: Buffer; nonce?: string }): Buffer {
  const hash = dialogue.mechanism === 'SCRAM-SHA-1' ? 'sha1' : 'sha256';
  const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(dialogue.serverFirst) ?? [];
  const salted = pbkdf2Sync(dialogue.password, Buffer.from(salt, 'base64'), Number(iterations), hash === 'sha1' ? 20 : 32, hash);
  const clientKey = createHmac(hash, salted).update('Client Key').digest();
  const unproven = `c=${dialogue.binding.toString('base64')},r=${dialogue.nonce ?? nonce}`;
  const signature = createHmac(hash, createHash(hash).update(clientKey).digest()).update(`${dialogue.bare},${dialogue.serverFirst},${unproven}`).digest();
  return Buffer.from(`${unproven},p=${Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] ?? 0))).toString('base64')}`);
}
