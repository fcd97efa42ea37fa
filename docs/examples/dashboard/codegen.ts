import type { CodegenConfig } from "@graphql-codegen/cli";
import { addTypenameSelectionDocumentTransform } from "@graphql-codegen/client-preset";

const config: CodegenConfig = {
  // A file with the schema, as `certgate schema --output FILE` writes it.
  schema: process.env["CERTGATE_SDL"] ?? "../../../schema/schema.graphql",
  documents: "src/*.ts",
  generates: {
    // Types of every operation in src/, and src/gql/persisted-documents.json with their texts by their hashes.
    "src/gql/": {
      preset: "client",
      presetConfig: {
        fragmentMasking: false,
        persistedDocuments: { mode: "embedHashInDocument", hashAlgorithm: "sha256" },
      },
      // Caches need __typename everywhere. It is written into the documents here, so that their hashes stay true.
      documentTransforms: [addTypenameSelectionDocumentTransform],
      config: {
        enumsAsTypes: true,
        importExtension: ".js",
        emitLegacyCommonJSImports: false,
        useTypeImports: true,
        defaultScalarType: "unknown",
        scalars: { ID: "string", Date: "string", DateTime: "string", Metadata: "Record<string, string>" },
      },
    },
    // Which types stand behind an interface or union: Apollo's cache asks this to match fragments.
    "src/gql/possible-types.json": { plugins: ["fragment-matcher"] },
    // The same and more for urql's cache.
    "src/gql/schema.json": { plugins: ["introspection"], config: { minify: true } },
  },
};

export default config;
