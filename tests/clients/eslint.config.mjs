// graphql-eslint over schema.graphql: its recommended rules and those for Relay.
import { readFileSync } from "node:fs";
import graphql from "@graphql-eslint/eslint-plugin";
import { buildSchema, isUnionType } from "graphql";

const schema = buildSchema(readFileSync("schema.graphql", "utf8"));

// What became of a mutation is an event without an identity; what it holds has one.
const results = Object.values(schema.getTypeMap())
  .filter(isUnionType)
  .flatMap((union) => union.getTypes().map(({ name }) => name));

export default [
  {
    files: ["*.graphql"],
    plugins: { "@graphql-eslint": graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "schema.graphql" } },
    },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // A client's cache keeps by its id what has one. The rest is part of the object or answer that it hangs on:
      // where a page lies, who asks, one violation or change of many, a count. A membership is named by the person and
      // the organisation. A new value type is listed here; a new entity gets an id.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            types: [
              ...new Set(results),
              "ChangeFeed",
              "FieldChange",
              "LeadTimes",
              "MailDigest",
              "Member",
              "PageInfo",
              "PastChange",
              "PreviousCertificate",
              "PublicProof",
              "RateLimit",
              "RateLimitWindow",
              "Viewer",
              "Verification",
              "Violation",
              "WebhookDelivery",
            ],
            suffixes: ["Connection", "Edge", "Row", "Stats", "StatsGroup"],
          },
        },
      ],
      "@graphql-eslint/relay-edge-types": [
        "error",
        {
          // A product's own claims and certifications are plain lists: they are few, and never paged.
          listTypeCanWrapOnlyEdgeType: false,
          // Changes of the past are told in pages, too, and nobody asks for one by its id; a test holds the others.
          shouldImplementNode: false,
          withEdgeSuffix: true,
        },
      ],
    },
  },
];
