/** The OpenAPI 3.1 document of the admin API, made from the operations' schemas. */
import { z } from 'zod';
import { capabilities } from './capability.ts';
import { takesBody } from './operation.ts';
import type { Operation } from './operation.ts';

const problemSchema = z.object({
  type: z.string(), status: z.number(), title: z.string(), kind: z.string().describe('What programs go by.'), detail: z.string().describe('What is wrong.'),
  advice: z.string().optional().describe('What to do about it.'),
  mistakes: z.array(z.object({ where: z.string(), what: z.string() })).optional().describe('Of a request that does not fit: each place.'),
  node: z.string().optional(), reference: z.string().describe('Names the request in the log of the node.'),
});

/** The document as a JSON value. */
export function openApiDocument(operations: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    const path = (paths[operation.path] ??= {});
    path[operation.method.toLowerCase()] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Waybill admin API', version: '1', description: 'HTTPS at the admin listener of every node; any node acts for the whole cluster. Errors are application/problem+json (RFC 9457).' },
    servers: [{ url: '/api/v1' }],
    security: [{ cookie: [] }, { bearer: [] }, { basic: [] }, { certificate: [] }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      responses: { Problem: { description: 'A refusal or an error.', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } },
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-waybill-admin', description: 'Given by POST /session. Requests that change something need the header waybill-request beside it.' },
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of POST /session with "as": "token".' },
        basic: { type: 'http', scheme: 'basic', description: 'Name and password; the code of the authenticator, where there is one, in the header waybill-code.' },
        certificate: { type: 'mutualTLS', description: 'A certificate of the cluster\'s authority: O = cluster, OU = administrator, CN = name.' },
      },
    },
  };
}

function describe(operation: Operation): object {
  const { needs } = operation;
  const permission = needs === 'anybody' ? 'Nobody need sign in.' : needs === 'signed-in' ? 'For every administrator.'
    : typeof needs === 'function' ? 'Needs the permission for what is named.' : `Needs the permission ${needs}: ${capabilities[needs]}`;
  return {
    operationId: operation.name,
    summary: operation.summary,
    description: permission,
    tags: [operation.group],
    ...(needs === 'anybody' ? { security: [] } : {}),
    parameters: [...parameters(operation.params, 'path'), ...parameters(operation.query, 'query')],
    ...(takesBody(operation) ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(operation.body, 'input') } } } } : {}),
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema: jsonSchema(operation.answer, 'output') } } },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function parameters(schema: z.ZodObject, place: 'path' | 'query'): object[] {
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as { properties?: Record<string, { description?: string }>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name, in: place, required: place === 'path' || required.includes(name), ...(description === undefined ? {} : { description }), schema: rest,
  }));
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as Record<string, unknown>;
  return rest;
}
