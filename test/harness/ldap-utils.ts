/** OpenLDAP's command line tools against a directory under test. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ToolResult { readonly code: number; readonly output: string; readonly complaint: string }

export type Tool = 'ldapsearch' | 'ldapadd' | 'ldapmodify' | 'ldapdelete' | 'ldapmodrdn' | 'ldappasswd' | 'ldapwhoami' | 'ldapcompare';

/** Runs a tool with simple authentication; `code` is the LDAP result code for most of them. */
export async function runTool(tool: Tool, request: {
  readonly uri: string; readonly as?: readonly [dn: string, password: string] | undefined; readonly parameters?: readonly string[]; readonly input?: string;
}): Promise<ToolResult> {
  const identity = request.as === undefined ? [] : ['-D', request.as[0], '-w', request.as[1]];
  const child = spawn(tool, ['-x', '-H', request.uri, ...identity, ...(request.parameters ?? [])], { env: { PATH: '/usr/bin:/bin', LDAPTLS_REQCERT: 'never' } });
  const [output, complaint]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => complaint.push(data));
  child.stdin.on('error', () => undefined); // most tools don't read their input
  child.stdin.end(request.input ?? '');
  const [code] = await once(child, 'close') as [number];
  return { code, output: Buffer.concat(output).toString(), complaint: Buffer.concat(complaint).toString() };
}
