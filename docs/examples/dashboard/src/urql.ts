// The dashboard with urql and its normalised cache: npm run urql
import {
  type AnyVariables,
  Client as UrqlClient,
  type Operation,
  type OperationResult,
  fetchExchange,
  makeOperation,
  mapExchange,
} from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { type Client, PAGE, type Page, UNCONFIRMED, answered, walk } from "./dashboard.js";
import {
  AssignClaimDocument,
  AssignClaimsDocument,
  type AssignClaimMutationVariables,
  ClaimByCodeDocument,
  ClaimFragmentDoc,
  ExpiringCertificatesDocument,
  PreviewClaimDocument,
  ProductCardFragmentDoc,
  RemoveClaimDocument,
  RemoveClaimsDocument,
  SearchProductsDocument,
} from "./gql/graphql.js";
import schema from "./gql/schema.json" with { type: "json" };
import { countingFetch, documentId, endpoint, idempotencyKey, key, trusted } from "./settings.js";

const headers = { "X-API-Key": key };

const cache = cacheExchange({
  // With it, the cache knows what may be null and that fragments on the interface Problem match members of a union.
  schema: schema as never,
  // Pages of one search become one list; another search is another list.
  resolvers: { Query: { products: relayPagination() } },
  keys: {
    // A write names products by their GTIN, so that is what they are found by.
    Product: ({ gtin }) => gtin as string,
    // Counts have no identity; they are kept with the question that they answer.
    CertificationAssignmentStats: () => null,
    CertificationAssignmentStatsGroup: () => null,
  },
  optimistic: {
    assignClaim({ input }: AssignClaimMutationVariables, cached) {
      const product = cached.readFragment(ProductCardFragmentDoc, { __typename: "Product", gtin: input.gtin });
      // Claims are named by their ids here, though a code would do.
      const claim = input.claimId && cached.readFragment(ClaimFragmentDoc, { __typename: "Claim", id: input.claimId });
      if (!product || !claim) return null;
      const made = {
        __typename: "ClaimAssignment",
        id: UNCONFIRMED,
        isActive: true,
        source: "BRAND_SELF_DECLARED",
        claim,
      };
      return {
        __typename: "ClaimAssigned",
        assignment: { ...made, product: { ...product, claims: [...product.claims, made] } },
      };
    },
  },
});

/** Sends the id of a document instead of its text. It stands behind the cache, which has to know the text. */
const byId = mapExchange({
  onOperation(operation) {
    if (operation.kind === "teardown") return;
    const query = { kind: "Document", definitions: [], documentId: documentId(operation.query) };
    return makeOperation(operation.kind, { ...operation, query } as unknown as Operation);
  },
});

const client = new UrqlClient({
  url: endpoint,
  fetch: countingFetch,
  fetchOptions: { headers },
  // Queries go by GET as long as the address is short; mutations always by POST.
  preferGetMethod: "within-url-limit",
  exchanges: trusted ? [cache, byId, fetchExchange] : [cache, fetchExchange],
});

/** How a write is sent: with a key of its own. */
const once = () => ({ fetchOptions: { headers: { ...headers, ...idempotencyKey() } } });

/** What came back; throws what went wrong on the way, for refusals are answers. */
function found<Data, Variables extends AnyVariables>(result: OperationResult<Data, Variables>): Data {
  if (result.error) throw result.error;
  return answered(result.data);
}

const urql: Client = {
  async expiring(days) {
    return found(await client.query(ExpiringCertificatesDocument, { days, first: PAGE }));
  },

  async claim(code) {
    const { claim } = found(await client.query(ClaimByCodeDocument, { code }));
    if (!claim) throw new Error(`There is no claim ${code}.`);
    return claim;
  },

  watchProducts(search, show) {
    let shown: Page | undefined;
    // The cache joins what it has of the list to whichever page was asked for last.
    const from = (after?: string | null) =>
      client.query(SearchProductsDocument, { search, first: PAGE, after }).subscribe((result) => {
        shown = answered(found(result).products);
        show(shown);
      });
    let watching = from();
    return {
      more() {
        const before = watching;
        watching = from(shown?.pageInfo.endCursor);
        before.unsubscribe();
      },
      stop: () => watching.unsubscribe(),
    };
  },

  async assignClaim(_product, _claim, input) {
    return found(await client.mutation(AssignClaimDocument, { input }, once()));
  },

  async previewClaim(input) {
    return found(await client.mutation(PreviewClaimDocument, { input }));
  },

  async removeClaim(input) {
    return found(await client.mutation(RemoveClaimDocument, { input }, once()));
  },

  async assignClaims(input) {
    return found(await client.mutation(AssignClaimsDocument, { input }, once()));
  },

  async removeClaims(input) {
    return found(await client.mutation(RemoveClaimsDocument, { input }, once()));
  },
};

await walk(urql, process.argv[2] ?? "chocolate", process.argv[3] ?? "VEGAN");
