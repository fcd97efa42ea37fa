// An OAuth 2 server and OpenID provider on loopback, for the tests of bearer tokens and of signing in.
// Started with one argument, JSON: { port, keys (private JWKs), clockShift (seconds),
//   clients: { id: { organization, alg } }   client_credentials, JWT access tokens for one resource,
//   people: { id: claims },                  who can sign in: whom `login_hint` names, or else who is alone; one
//                                            without claims declines,
//   site: { redirect_uri, token_endpoint_auth_method, id_token_signed_response_alg },   the client "site" they do it for,
//   tells (whether ID tokens have the claims of the scopes, which they need not) }.
// It prints "listening PORT" once, and "keys" each time that somebody fetches its public keys.
import Provider from "oidc-provider";

const { port, keys, clients, people, site, tells, clockShift } = JSON.parse(process.argv[2]);

// A server whose clock is wrong issues tokens that have expired, or are not yet valid.
const now = Date.now.bind(Date);
Date.now = () => now() + clockShift * 1000;

const machines = Object.entries(clients).map(([client_id, { organization, alg }]) => ({
  client_id,
  client_secret: "secret",
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
  organization,
  alg,
}));
const { redirect_uri, ...manner } = site ?? {};
const sites = site
  ? [{ client_id: "site", client_secret: "site's secret", redirect_uris: [redirect_uri], ...manner }]
  : [];

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys },
  clients: [...machines, ...sites],
  extraClientMetadata: { properties: ["organization", "alg"] },
  extraTokenClaims: (ctx) => ({ organization: ctx.oidc.client.organization }),
  scopes: ["certifications:read", "certifications:write", "other"],
  claims: { openid: ["sub"], email: ["email", "email_verified", "organization"] },
  conformIdTokenClaims: !tells,
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource, client) => ({
        scope: "certifications:read certifications:write other",
        audience: resource,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: client.alg } },
      }),
    },
  },
});

// Nobody types a password here: whoever is named is who signs in, and agrees to what is asked.
const answered = async ({ params, grantId, prompt }) => {
  const [first, ...others] = Object.keys(people);
  const accountId = params.login_hint ?? (others.length ? undefined : first);
  if (!people[accountId]) return { error: "access_denied" };
  if (prompt.name === "login") return { login: { accountId } };
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return { consent: { grantId: await grant.save() } };
};
provider.use(async (ctx, next) => {
  if (ctx.path.startsWith("/interaction/")) {
    const details = await provider.interactionDetails(ctx.req, ctx.res);
    await provider.interactionFinished(ctx.req, ctx.res, await answered(details), { mergeWithLastSubmission: true });
    ctx.respond = false;
    return;
  }
  await next();
  if (ctx.path === "/jwks") console.log("keys");
});
const server = provider.listen(port, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
