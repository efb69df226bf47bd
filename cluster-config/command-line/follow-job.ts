/** Begins long work at a back-end by the admin API, and follows it to its end; where it is, is told on standard error. */
import type { z } from 'zod';
import { jobSchema } from '../admin/contract/jobs.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { looks } from './looks.ts';
import { UsageError } from './usage-error.ts';

export type Job = z.output<typeof jobSchema>;

/** What begins it; `path` is below the node's. */
export interface JobStart {
  readonly node: string;
  readonly path: string;
  readonly body?: object;
}

/** The job when it is done. @throws UsageError with the reason of one that failed, or when nobody knows of it any more */
export async function followJob({ node, path, body }: JobStart, options: ApiOptions & { readonly json?: boolean }): Promise<Job> {
  const api = await openApi(options);
  const place = `/nodes/${encodeURIComponent(node)}`;
  const begun = jobSchema.parse(await api.ask(`${place}${path}`, { method: 'POST', body: body ?? {} }));
  const tell = options.json === true ? (): void => undefined : teller();
  for await (const job of looks(api, `${place}/jobs/${begun.id}`, jobSchema)) {
    if (job.state === 'failed') throw new UsageError(job.failure?.text ?? job.text);
    if (job.state === 'done') return job;
    tell(job);
  }
  throw new UsageError(`${node} knows nothing of job ${begun.id} any more: its worker has ended; run the command again`);
}

/** Says each new thing that is done; on a terminal also how much of it. */
function teller(): (job: Job) => void {
  let said = '';
  return ({ text, done = 0, of = 0 }) => {
    const percent = process.stderr.isTTY && of > 0 ? ` ${String(Math.floor((done / of) * 100))} %` : '';
    if (`${text}${percent}` === said) return;
    said = `${text}${percent}`;
    process.stderr.write(`${said}\n`);
  };
}
