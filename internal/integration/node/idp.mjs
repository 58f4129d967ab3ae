// An OpenID provider that others wrote (oidc-provider), and an API that takes its access tokens. Whoever comes is logged
// in at once as the person of ?login_hint, else as alice, and everything is consented to: the pages of a provider are
// not what is tested. What it is told stands in $IDP, as JSON.
import http from 'node:http';
import Provider from 'oidc-provider';
import * as jose from 'jose';

const {port, clients, lifetime = 600, jwt = false} = JSON.parse(process.env.IDP);
const issuer = `http://127.0.0.1:${port}`;
const seen = {refreshes: 0, refused: 0, codes: 0, revoked: 0};

const provider = new Provider(issuer, {
  clients,
  pkce: {required: () => true},
  rotateRefreshToken: true,
  ttl: {AccessToken: lifetime, RefreshToken: 86400, IdToken: 600, Session: 3600, Interaction: 600, Grant: 86400, AuthorizationCode: 60},
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: {openid: ['sub'], profile: ['name', 'groups'], email: ['email']},
  conformIdTokenClaims: false,
  findAccount: (ctx, id) => ({accountId: id, claims: () => ({sub: id, name: id, email: `${id}@example.com`, groups: [id === 'alice' ? 'admins' : 'staff']})}),
  interactions: {url: (ctx, interaction) => `/interaction/${interaction.uid}`},
  cookies: {keys: ['not a secret: this is a test']},
  features: {
    devInteractions: {enabled: false},
    revocation: {enabled: true},
    introspection: {enabled: true},
    rpInitiatedLogout: {enabled: false},
    resourceIndicators: jwt ? {
      enabled: true,
      defaultResource: () => 'urn:api',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({scope: 'openid profile email offline_access', audience: 'urn:api', accessTokenFormat: 'jwt', accessTokenTTL: lifetime}),
    } : {enabled: false},
  },
});
provider.on('grant.success', ctx => {
  if (ctx.oidc.params.grant_type === 'refresh_token') seen.refreshes++;
  else seen.codes++;
});
provider.on('grant.error', (ctx, error) => {
  if (ctx.oidc?.params?.grant_type === 'refresh_token') seen.refused++;
  console.error('grant.error', error.error, error.error_description, error.error_detail);
});
provider.on('grant.revoked', () => seen.revoked++);
for (const event of ['server_error', 'authorization.error', 'introspection.error', 'revocation.error'])
  provider.on(event, (ctx, error) => console.error(event, error.message, error.error_description, error.error_detail));

async function interact(req, res) {
  const {prompt, params, session, grantId} = await provider.interactionDetails(req, res);
  if (prompt.name === 'login')
    return provider.interactionFinished(req, res, {login: {accountId: params.login_hint ?? 'alice'}});
  const grant = (grantId && await provider.Grant.find(grantId)) || new provider.Grant({accountId: session.accountId, clientId: params.client_id});
  grant.addOIDCScope(params.scope ?? 'openid');
  if (jwt) grant.addResourceScope('urn:api', params.scope ?? 'openid');
  return provider.interactionFinished(req, res, {consent: {grantId: await grant.save()}}, {mergeWithLastSubmission: true});
}

// whose returns whose access token a request shows, or nothing.
async function whose(req) {
  const [, token] = /^Bearer (.+)$/.exec(req.headers.authorization ?? '') ?? [];
  if (!token) return undefined;
  if (!jwt) return (await provider.AccessToken.find(token))?.accountId;
  try {
    const keys = jose.createRemoteJWKSet(new URL('/jwks', issuer));
    return (await jose.jwtVerify(token, keys, {issuer, audience: 'urn:api', typ: 'at+jwt'})).payload.sub;
  } catch {
    return undefined;
  }
}

function reply(res, status, value) {
  res.writeHead(status, {'content-type': 'application/json'});
  res.end(JSON.stringify(value));
}

const callback = provider.callback();
http.createServer(async (req, res) => {
  try {
    const {pathname} = new URL(req.url, issuer);
    if (pathname === '/seen') return reply(res, 200, seen);
    if (pathname.startsWith('/interaction/')) return await interact(req, res);
    if (pathname === '/api/me') {
      const person = await whose(req);
      return person ? reply(res, 200, {person}) : reply(res, 401, {message: 'no such token'});
    }
    callback(req, res);
  } catch (error) {
    console.error(error);
    reply(res, 500, {message: String(error)});
  }
}).listen(port, '127.0.0.1', () => console.error(`listening on ${issuer}`));
