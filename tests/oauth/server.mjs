// An OAuth 2 server on loopback, for the tests of bearer tokens: client_credentials, JWT access tokens for one resource.
// Started with one argument, JSON: { port, keys (private JWKs), clients: { id: { organization, alg } }, clockShift (seconds) }.
// It prints "listening PORT" once, and "keys" each time that somebody fetches its public keys.
import Provider from "oidc-provider";

const { port, keys, clients, clockShift } = JSON.parse(process.argv[2]);

// A server whose clock is wrong issues tokens that have expired, or are not yet valid.
const now = Date.now.bind(Date);
Date.now = () => now() + clockShift * 1000;

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys },
  clients: Object.entries(clients).map(([client_id, { organization, alg }]) => ({
    client_id,
    client_secret: "secret",
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    organization,
    alg,
  })),
  extraClientMetadata: { properties: ["organization", "alg"] },
  extraTokenClaims: (ctx) => ({ organization: ctx.oidc.client.organization }),
  scopes: ["certifications:read", "certifications:write", "other"],
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
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path === "/jwks") console.log("keys");
});
const server = provider.listen(port, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
