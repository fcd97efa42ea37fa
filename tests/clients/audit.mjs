// The audits of graphql-http against a server, as JSON lines: audit.mjs URL KEY
import { auditServer } from "graphql-http";

const [url, key] = process.argv.slice(2);
const withKey = (address, options) =>
  fetch(address, { ...options, headers: { ...options?.headers, "X-API-Key": key } });

for (const { id, name, status, reason } of await auditServer({ url, fetchFn: withKey })) {
  console.log(JSON.stringify({ id, name, status, reason }));
}
