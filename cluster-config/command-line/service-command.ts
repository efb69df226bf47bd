/** `waybill service …`: what is asked of the admin API, and how its answers are shown. */
import { z } from 'zod';
import { serviceSchema } from '../admin/contract/services.ts';
import { openApi } from './api-client.ts';
import type { ApiOptions } from './api-client.ts';
import { table } from './table.ts';

const servicesSchema = z.object({ services: z.array(serviceSchema) });

/** @throws UsageError */
export async function serviceListText(node: string, options: ApiOptions & { readonly json?: boolean }): Promise<string> {
  const { services } = servicesSchema.parse(await (await openApi(options)).ask(`/nodes/${encodeURIComponent(node)}/services`));
  return options.json === true ? JSON.stringify(services, null, 2) : serviceTable(services);
}

/** @throws UsageError */
export async function serviceActText(wish: 'start' | 'stop' | 'restart', { node, service }: { readonly node: string; readonly service: string }, options: ApiOptions): Promise<string> {
  const path = `/nodes/${encodeURIComponent(node)}/services/${encodeURIComponent(service)}/${wish}`;
  return serviceTable([serviceSchema.parse(await (await openApi(options)).ask(path, { method: 'POST' }))]);
}

function serviceTable(services: readonly z.output<typeof serviceSchema>[]): string {
  return table([['SERVICE', 'STATE', 'WORKERS', 'REASON'], ...services.map(({ name, state, reason = '', workers }) => [name, state, String(workers.length), reason])]);
}
