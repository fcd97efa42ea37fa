// A peer: Mercurius with its just-in-time compiler and batching loaders, on better-sqlite3 or on pg.
// node mercurius.js sqlite FILE PORT WAY | node mercurius.js postgresql URL PORT WAY
//
// WAY `each`: a loader for each relation with its cache on, as the documentation of Mercurius shows it; a product with
// everything costs five statements. WAY `joined`: the definitions are joined in SQL, which saves two of the loaders, and
// the caches, which never hit here, are off. It is the fastest way that still batches.
import Fastify from 'fastify'
import mercurius from 'mercurius'

const [kind, place, port, way] = process.argv.slice(2)
const { openStore } = await import(kind === 'sqlite' ? './store-sqlite.js' : './store-postgresql.js')
const store = await openStore(place, way === 'joined')

const schema = `
  enum VerificationStatus { UNVERIFIED VERIFIED EXPIRED }
  enum ClaimSource { BRAND_SELF_DECLARED THIRD_PARTY_VERIFIED }
  enum ClaimCategory { DIETARY INGREDIENT_ABSENCE ALLERGEN_FREE PROCESS SUSTAINABILITY OTHER }
  type Certification { id: ID! code: String! label: String! program: String! }
  type CertificationAssignment {
    id: ID! certificateNumber: String! issuingBody: String! validFrom: String expirationDate: String
    verificationStatus: VerificationStatus! certification: Certification!
  }
  type Claim { id: ID! code: String! label: String! category: ClaimCategory! }
  type ClaimAssignment {
    id: ID! source: ClaimSource! validFrom: String expirationDate: String evidenceUrl: String! claim: Claim!
  }
  type Product {
    id: ID! gtin: String! name: String! brand: String! countryOfOrigin: String! netContent: String!
    certifications: [CertificationAssignment!]! claims: [ClaimAssignment!]!
  }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type ProductConnection { nodes: [Product!]! pageInfo: PageInfo! }
  type ClaimAssigned { assignment: ClaimAssignment! }
  type Refused { detail: String! }
  union AssignClaimResult = ClaimAssigned | Refused
  input AssignClaimInput { gtin: String! claimId: ID! }
  type Query { product(gtin: String!): Product products(first: Int = 25, after: String): ProductConnection! }
  type Mutation { assignClaim(input: AssignClaimInput!): AssignClaimResult! }
`

const cursor = (gtin) => Buffer.from('p1:' + gtin).toString('base64url')
const behind = (after) => (after ? Buffer.from(after, 'base64url').toString().slice(3) : '')

const resolvers = {
  Query: {
    product: (_, { gtin }) => store.product(gtin),
    products: async (_, { first, after }) => {
      const rows = await store.page(behind(after), first + 1)
      const nodes = rows.slice(0, first)
      const last = nodes.at(-1)
      return { nodes, pageInfo: { hasNextPage: rows.length > first, endCursor: last ? cursor(last.gtin) : null } }
    }
  },
  Mutation: {
    assignClaim: async (_, { input }) => {
      const assignment = await store.assignClaim(input.gtin, input.claimId)
      return assignment ? { __typename: 'ClaimAssigned', assignment } : { __typename: 'Refused', detail: 'refused' }
    }
  }
}

// The rows of a level, each under its product.
function grouped (queries, rows) {
  const found = new Map(queries.map(({ obj }) => [obj.gtin, []]))
  for (const row of rows) found.get(row.gtin).push(row)
  return queries.map(({ obj }) => found.get(obj.gtin))
}

function matched (queries, rows) {
  const found = new Map(rows.map((row) => [row.id, row]))
  return queries.map(({ obj }) => found.get(obj.definition))
}

const gtins = (queries) => queries.map(({ obj }) => obj.gtin)
const definitions = (queries) => [...new Set(queries.map(({ obj }) => obj.definition))]
const opts = way === 'joined' ? { cache: false } : {}
const loaders = {
  Product: {
    certifications: {
      loader: async (queries) => grouped(queries, await store.certifications(gtins(queries))), opts
    },
    claims: { loader: async (queries) => grouped(queries, await store.claims(gtins(queries))), opts }
  }
}
if (way !== 'joined') {
  loaders.CertificationAssignment = {
    certification: async (queries) => matched(queries, await store.certificationsOfIds(definitions(queries)))
  }
  loaders.ClaimAssignment = {
    // The answer to a mutation has its claim already.
    claim: async (queries) =>
      queries[0].obj.claim
        ? queries.map(({ obj }) => obj.claim)
        : matched(queries, await store.claimsOfIds(definitions(queries)))
  }
}

const app = Fastify({ logger: false })
app.register(mercurius, { schema, resolvers, loaders, jit: 1, graphiql: false })
await app.listen({ port: Number(port), host: '127.0.0.1' })
