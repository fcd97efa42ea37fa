// The dashboard with Apollo Client: npm run apollo
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { type Client, PAGE, UNCONFIRMED, answered, walk } from "./dashboard.js";
import possible from "./gql/possible-types.json" with { type: "json" };
import {
  AssignClaimDocument,
  AssignClaimsDocument,
  ClaimByCodeDocument,
  ExpiringCertificatesDocument,
  PreviewClaimDocument,
  RemoveClaimDocument,
  RemoveClaimsDocument,
  SearchProductsDocument,
} from "./gql/graphql.js";
import { countingFetch, documentId, endpoint, idempotencyKey, key, trusted } from "./settings.js";

const cache = new InMemoryCache({
  // With these, fragments on the interface Problem match the members of each union.
  possibleTypes: possible.possibleTypes,
  typePolicies: {
    // Pages of one search become one list; another search is another list.
    Query: { fields: { products: relayStylePagination(["where"]) } },
    // The answer to a write has a product's claims as a whole; they replace those in the cache.
    Product: { fields: { claims: { merge: false } } },
  },
});

const http = new HttpLink({ uri: endpoint, headers: { "X-API-Key": key }, fetch: countingFetch });

/** Sends the hash of a document instead of its text; falls back to texts when the gateway does not know it. */
const byHash = new PersistedQueryLink({ generateHash: (document) => documentId(document).replace("sha256:", "") });

const client = new ApolloClient({
  link: trusted ? ApolloLink.from([byHash, http]) : http,
  cache,
});

const apollo: Client = {
  async expiring(days) {
    const { data } = await client.query({ query: ExpiringCertificatesDocument, variables: { days, first: PAGE } });
    return answered(data);
  },

  async claim(code) {
    const { data } = await client.query({ query: ClaimByCodeDocument, variables: { code } });
    return answered(data?.claim);
  },

  watchProducts(search, show) {
    const query = client.watchQuery({ query: SearchProductsDocument, variables: { search, first: PAGE } });
    const shown = query.subscribe(({ data, dataState }) => {
      if (dataState === "complete") show(answered(data.products));
    });
    return {
      more() {
        const after = query.getCurrentResult().data?.products?.pageInfo?.endCursor;
        void query.fetchMore({ variables: { after } });
      },
      stop: () => shown.unsubscribe(),
    };
  },

  async assignClaim(product, claim, input) {
    const made = {
      __typename: "ClaimAssignment" as const,
      id: UNCONFIRMED,
      isActive: true,
      source: "BRAND_SELF_DECLARED" as const,
      claim,
    };
    const { data } = await client.mutate({
      mutation: AssignClaimDocument,
      variables: { input },
      context: { headers: idempotencyKey() },
      optimisticResponse: {
        __typename: "Mutation",
        assignClaim: {
          __typename: "ClaimAssigned",
          assignment: {
            ...made,
            product: { __typename: "Product", id: product.id, gtin: product.gtin, claims: [...product.claims, made] },
          },
        },
      },
    });
    return answered(data);
  },

  async previewClaim(input) {
    const { data } = await client.mutate({ mutation: PreviewClaimDocument, variables: { input } });
    return answered(data);
  },

  async removeClaim(input) {
    const { data } = await client.mutate({
      mutation: RemoveClaimDocument,
      variables: { input },
      context: { headers: idempotencyKey() },
    });
    return answered(data);
  },

  async assignClaims(input) {
    const { data } = await client.mutate({
      mutation: AssignClaimsDocument,
      variables: { input },
      context: { headers: idempotencyKey() },
    });
    return answered(data);
  },

  async removeClaims(input) {
    const { data } = await client.mutate({
      mutation: RemoveClaimsDocument,
      variables: { input },
      context: { headers: idempotencyKey() },
    });
    return answered(data);
  },
};

await walk(apollo, process.argv[2] ?? "chocolate", process.argv[3] ?? "VEGAN");
