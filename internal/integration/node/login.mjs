// A client of an SDK logs a person in at a gateway and calls a tool: node login.mjs SDK ERA URL TOOL. The browser is one that
// presses Allow. It prints what the client was told at each step, as one line of JSON.
import * as v1auth from '@modelcontextprotocol/sdk/client/auth.js';
import {Client as ClientV1} from '@modelcontextprotocol/sdk/client/index.js';
import {StreamableHTTPClientTransport as HTTPV1} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as v2 from '@modelcontextprotocol/client';
import {allow} from './browser.mjs';

const [sdk, era, url, tool, ...rest] = process.argv.slice(2);
const redirect = 'http://127.0.0.1:47321/callback';
const info = {name: 'integration', version: '1'};
let back; // the query that the person came back with
const kept = {};

// What the SDKs ask of an application: where to keep things, and how to send the person to a page.
const provider = {
  get redirectUrl() { return redirect; },
  get clientMetadata() {
    return {client_name: 'integration', redirect_uris: [redirect], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none'};
  },
  clientInformation: () => kept.client,
  saveClientInformation: client => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: tokens => { kept.tokens = tokens; },
  saveCodeVerifier: verifier => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: state => { kept.discovery = state; },
  discoveryState: () => kept.discovery,
  state: () => 'a-state-of-the-application',
  async redirectToAuthorization(to) { back = (await allow(to.href, redirect)).searchParams; },
};

function transport() {
  return sdk === 'v1' ? new HTTPV1(new URL(url), {authProvider: provider})
    : new v2.StreamableHTTPClientTransport(new URL(url), {authProvider: provider});
}

function client() {
  if (sdk === 'v1') return new ClientV1(info);
  return new v2.Client(info, {versionNegotiation: {mode: era === 'modern' ? {pin: '2026-07-28'} : 'legacy'}});
}

const Unauthorized = sdk === 'v1' ? v1auth.UnauthorizedError : v2.UnauthorizedError;
let t = transport();
let c = client();
let refused = false;
try {
  await c.connect(t);
} catch (error) {
  if (!(error instanceof Unauthorized) || !back) throw error;
  refused = true;
  await t.finishAuth(sdk === 'v1' ? back.get('code') : back);
  t = transport();
  c = client();
  await c.connect(t);
}
const results = [await c.callTool({name: tool, arguments: {}})];
if (rest[0] === 'refresh') {
  // The access token is as good as gone: the SDK has to come by a new one without asking the person.
  kept.tokens = {...kept.tokens, access_token: 'gone'};
  back = undefined;
  results.push(await c.callTool({name: tool, arguments: {}}));
}
const {tools} = await c.listTools();
console.log(JSON.stringify({refused, asked: rest[0] === 'refresh' && back !== undefined, tools: tools.map(x => x.name), results,
  scope: kept.tokens.scope, registered: Boolean(kept.client?.client_id)}));
await c.close();
