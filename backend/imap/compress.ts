/** COMPRESS (RFC 4978). The front-end passes the bytes on, so the compression is between the client and us; such a connection serves no second session. */
import { sessionCommand } from './command.ts';
import { bad, ok } from './replies.ts';

/** After login only: so whoever makes us hold windows has an account, and nothing of a password is ever compressed. */
export const compress = sessionCommand(['authenticated', 'selected'], {
  verb: 'COMPRESS',
  parse: (scanner) => scanner.word(),
  run: async ({ connection }, algorithm) => {
    if (algorithm !== 'DEFLATE') return bad('unknown algorithm: there is DEFLATE');
    if (connection.compression === 'deflate') return bad('DEFLATE is active already');
    return {
      ...ok('DEFLATE active'),
      afterwards: async () => {
        connection.startCompression();
        await Promise.resolve();
      },
    };
  },
});
