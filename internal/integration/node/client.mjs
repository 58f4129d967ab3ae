// One MCP client session, printed as one line of JSON: what was negotiated, the tools, and the results of calls.
//
//   node client.mjs SDK ERA TARGET CALLS
//
// SDK is v1 (@modelcontextprotocol/sdk) or v2 (@modelcontextprotocol/client); ERA is legacy (2025-11-25) or modern
// (2026-07-28, v2 only); TARGET is a URL, or a JSON array that is a command for stdio; CALLS is a JSON array of
// {"name", "arguments"}.
import * as v2 from '@modelcontextprotocol/client';
import * as v2stdio from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as HTTPV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { SSEClientTransport as SSEV1 } from '@modelcontextprotocol/sdk/client/sse.js';

const [sdk, era, target, calls] = process.argv.slice(2);
const info = { name: 'integration', version: '1' };

function transport() {
  if (target.startsWith('[')) {
    const [command, ...args] = JSON.parse(target);
    const Stdio = sdk === 'v1' ? StdioV1 : v2stdio.StdioClientTransport;
    return new Stdio({ command, args, env: { ...process.env }, stderr: 'inherit' });
  }
  if (target.endsWith('/sse')) return new SSEV1(new URL(target));
  const HTTP = sdk === 'v1' ? HTTPV1 : v2.StreamableHTTPClientTransport;
  return new HTTP(new URL(target));
}

function client() {
  if (sdk === 'v1') return new ClientV1(info);
  const mode = era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
  return new v2.Client(info, { versionNegotiation: { mode } });
}

const c = client();
await c.connect(transport());
const tools = [];
for (let cursor; ; ) {
  const page = await c.listTools(cursor ? { cursor } : undefined);
  tools.push(...page.tools);
  cursor = page.nextCursor;
  if (!cursor) break;
}
const results = [];
for (const call of JSON.parse(calls)) results.push(await c.callTool(call));
console.log(JSON.stringify({
  server: c.getServerVersion(),
  instructions: c.getInstructions(),
  protocol: c.getNegotiatedProtocolVersion?.() ?? null,
  tools,
  results,
}));
await c.close();
