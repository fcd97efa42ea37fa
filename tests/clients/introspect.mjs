// Reads the schema from a running server, as the tools of clients do, and says whether it is schema.graphql.
// introspect.mjs URL KEY
import { readFileSync } from "node:fs";
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from "graphql";

const [url, key] = process.argv.slice(2);
const query = getIntrospectionQuery({
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});
const headers = { "Content-Type": "application/json", "X-API-Key": key };
const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
const { data, errors } = await response.json();
if (errors) throw new Error(JSON.stringify(errors));

const text = (schema) => printSchema(lexicographicSortSchema(schema));
const [served, committed] = [buildClientSchema(data), buildSchema(readFileSync("schema.graphql", "utf8"))].map(text);
console.log(served === committed ? "same" : served);
