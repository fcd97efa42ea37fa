// What both clients need to know, from the environment.
import { randomUUID } from "node:crypto";

export const endpoint = `${process.env["CERTGATE_URL"] ?? "http://127.0.0.1:8000"}/graphql`;

export const key = process.env["CERTGATE_KEY"] ?? "";
if (!key) throw new Error("Set CERTGATE_KEY to an API key; `certgate demo` prints one.");

/** Whether to send the ids of documents instead of their texts, as a gateway in mode `only` wants it. */
export const trusted = process.env["CERTGATE_TRUSTED"] === "yes";

/** The id of a generated document: a hash of its text in gql/persisted-documents.json. */
export function documentId(document: object): string {
  const { __meta__: meta } = document as { __meta__?: { hash?: string } };
  if (!meta?.hash) throw new Error("This document was not generated; run npm run generate.");
  return meta.hash;
}

let sent = 0;

/** How many requests have left this program. */
export const requests = (): number => sent;

/** The `fetch` of both clients. */
export const countingFetch: typeof fetch = (resource, options) => {
  sent += 1;
  return fetch(resource, options);
};

/** A new one for every write: when the network fails, a client can repeat the write without doing it twice. */
export const idempotencyKey = (): Record<string, string> => ({ "Idempotency-Key": randomUUID() });
