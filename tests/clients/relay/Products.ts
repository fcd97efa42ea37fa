import { graphql } from "relay-runtime";

export const ProductCard = graphql`
  fragment Products_card on Product @refetchable(queryName: "ProductsCardQuery") {
    gtin
    name
    claims { isActive source claim { label category } }
    certifications { expirationDate certification { label body { name } } }
  }
`;

export const list = graphql`
  fragment Products_list on Query
  @refetchable(queryName: "ProductsPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 10 }
    cursor: { type: "String" }
    search: { type: "String" }
  ) {
    products(first: $count, after: $cursor, where: { search: $search }) @connection(key: "Products_products") {
      edges { node { id ...Products_card } }
    }
  }
`;

export const query = graphql`
  query ProductsQuery($search: String) {
    viewer { canWrite }
    ...Products_list @arguments(search: $search)
  }
`;

export const assign = graphql`
  mutation ProductsAssignMutation($input: AssignClaimInput!) {
    assignClaim(input: $input) {
      __typename
      ... on ClaimAssigned { assignment { id product { id claims { id } } } }
      ... on ValidationProblem { violations { loc msg } }
      ... on Problem { detail retryable }
    }
  }
`;

export const expiring = graphql`
  query ProductsExpiringQuery($where: CertificationAssignmentWhere!, $count: Int!, $cursor: String) {
    certificationAssignments(last: $count, before: $cursor, where: $where, orderBy: { field: EXPIRATION_DATE })
      @connection(key: "Products_certificationAssignments") {
      totalCount
      edges { node { expirationDate product { ...Products_card } } }
    }
  }
`;
