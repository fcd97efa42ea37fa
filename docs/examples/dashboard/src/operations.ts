// Everything that the dashboard asks for. `npm run generate` makes the types in gql/ from these texts.
import { graphql } from "./gql/index.js";

export const Claim = graphql(`
  fragment Claim on Claim {
    id
    label
  }
`);

export const ClaimLine = graphql(`
  fragment ClaimLine on ClaimAssignment {
    id
    isActive
    source
    claim { ...Claim }
  }
`);

export const ProductCard = graphql(`
  fragment ProductCard on Product {
    id
    gtin
    name
    brand
    certifications { id isActive expirationDate certification { id label } }
    claims { ...ClaimLine }
  }
`);

// Every refusal is a Problem, whichever of the union's members it is; only one of them has violations.
export const Refusal = graphql(`
  fragment Refusal on Problem {
    errorCode
    title
    detail
    retryable
    ... on ValidationProblem { violations { loc msg } }
  }
`);

export const ExpiringCertificates = graphql(`
  query ExpiringCertificates($days: Int!, $first: Int!) {
    certificationAssignments(
      first: $first
      where: { lapsesWithin: { days: $days } }
      orderBy: { field: LAPSES_ON }
    ) {
      totalCount
      nodes {
        id
        lapsesOn
        certificateNumber
        certification { id label }
        product { id gtin name }
      }
    }
    withoutEnd: certificationAssignments(first: 1, where: { lapsesOn: { isNull: true } }) {
      totalCount
    }
    months: certificationAssignmentStats(where: { lapsesWithin: { days: 365 } }, bucket: MONTH) {
      groups { expiresFrom count }
    }
  }
`);

export const SearchProducts = graphql(`
  query SearchProducts($search: String!, $first: Int!, $after: String) {
    products(first: $first, after: $after, where: { search: $search }) {
      totalCount
      edges { cursor node { ...ProductCard } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const ClaimByCode = graphql(`
  query ClaimByCode($code: String!) {
    claim(code: $code) { ...Claim }
  }
`);

// The answer holds the product with all its claims, so that a normalised cache updates every list that shows it.
export const AssignClaim = graphql(`
  mutation AssignClaim($input: AssignClaimInput!) {
    assignClaim(input: $input) {
      ... on ClaimAssigned { assignment { ...ClaimLine product { id gtin claims { ...ClaimLine } } } }
      ...Refusal
    }
  }
`);

// A dry run shows what is not stored. Ask it for `changes` alone: an assignment in the answer would enter the cache as
// if it had been changed.
export const PreviewClaim = graphql(`
  mutation PreviewClaim($input: PatchClaimAssignmentInput!) {
    patchClaimAssignment(input: $input, dryRun: true) {
      ... on ClaimAssignmentPatched { changes { path before after } }
      ...Refusal
    }
  }
`);

export const RemoveClaim = graphql(`
  mutation RemoveClaim($input: RemoveClaimInput!) {
    removeClaim(input: $input) {
      ... on ClaimRemoved { removed { id product { id gtin claims { ...ClaimLine } } } }
      ...Refusal
    }
  }
`);

// Up to 100 writes in one. Each row has the answer that its own mutation would have had.
export const AssignClaims = graphql(`
  mutation AssignClaims($input: [AssignClaimInput!]!) {
    assignClaims(input: $input, policy: IGNORE_FAILED) {
      ... on AssignClaimRows {
        done
        rows {
          index
          result {
            ... on ClaimAssigned { assignment { ...ClaimLine product { id gtin claims { ...ClaimLine } } } }
            ...Refusal
          }
        }
      }
      ...Refusal
    }
  }
`);

export const RemoveClaims = graphql(`
  mutation RemoveClaims($input: [RemoveClaimInput!]!) {
    removeClaims(input: $input) {
      ... on RemoveClaimRows {
        done
        rows {
          index
          result {
            ... on ClaimRemoved { removed { id product { id gtin claims { ...ClaimLine } } } }
            ...Refusal
          }
        }
      }
      ...Refusal
    }
  }
`);
