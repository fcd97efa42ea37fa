// The dashboard itself, in the terminal and the same for every client: what it shows and what it does.
import type {
  AssignClaimInput,
  AssignClaimMutation,
  AssignClaimsMutation,
  ClaimFragment,
  ExpiringCertificatesQuery,
  PatchClaimAssignmentInput,
  PreviewClaimMutation,
  ProductCardFragment,
  RefusalFragment,
  RemoveClaimInput,
  RemoveClaimMutation,
  RemoveClaimsMutation,
  SearchProductsQuery,
} from "./gql/graphql.js";
import { requests } from "./settings.js";

export type Page = SearchProductsQuery["products"];

/** What the dashboard needs of a client. `apollo.ts` and `urql.ts` each make one. */
export interface Client {
  /** The certificates that run out within so many days, the next ones first, and how many do in each month of a year. */
  expiring(days: number): Promise<ExpiringCertificatesQuery>;
  claim(code: string): Promise<ClaimFragment>;
  /** Shows the first products that match, and shows them anew whenever the client's cache learns more. */
  watchProducts(search: string, show: (page: Page) => void): Watch;
  /** Puts a claim on a product; the list shows it at once, before the gateway has answered. */
  assignClaim(product: ProductCardFragment, claim: ClaimFragment, input: AssignClaimInput): Promise<AssignClaimMutation>;
  /** What a change would do. */
  previewClaim(input: PatchClaimAssignmentInput): Promise<PreviewClaimMutation>;
  removeClaim(input: RemoveClaimInput): Promise<RemoveClaimMutation>;
  /** Many at once; those that are refused are left out. */
  assignClaims(input: AssignClaimInput[]): Promise<AssignClaimsMutation>;
  /** Many at once, or none of them. */
  removeClaims(input: RemoveClaimInput[]): Promise<RemoveClaimsMutation>;
}

export interface Watch {
  /** Adds the next page to what is shown. */
  more(): void;
  stop(): void;
}

/** Marks an assignment that the gateway has not confirmed. */
export const UNCONFIRMED = "unconfirmed";

export const PAGE = 4;

/** A list on the screen. */
class Screen {
  #page: Page | undefined;
  #waiting: (() => void)[] = [];

  show = (page: Page): void => {
    this.#page = page;
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** What is shown, as soon as the condition is met. */
  async when(condition: (page: Page) => boolean): Promise<Page> {
    while (!this.#page || !condition(this.#page)) await new Promise<void>((wake) => this.#waiting.push(wake));
    return this.#page;
  }
}

const products = (page: Page): ProductCardFragment[] => page.edges.map((edge) => edge.node);

const card = (product: ProductCardFragment): string => {
  const claims = product.claims.map(({ id, claim }) => (id === UNCONFIRMED ? `${claim.label} (saving)` : claim.label));
  const certifications = product.certifications.map(({ certification }) => certification.label);
  return `  ${product.gtin} ${product.name} | ${certifications.join(", ") || "-"} | ${claims.join(", ") || "-"}`;
};

/** A refusal is an answer like any other: the compiler knows its members, and only one kind has violations. */
const refusal = (problem: RefusalFragment): string => {
  const again = problem.retryable ? "try again" : "do not repeat it";
  if (problem.__typename !== "ValidationProblem") return `${problem.title}: ${problem.detail} (${again})`;
  return problem.violations.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ");
};

const assigned = ({ assignClaim: result }: AssignClaimMutation): string =>
  result.__typename === "ClaimAssigned" ? `"${result.assignment.claim.label}" is on it` : `refused: ${refusal(result)}`;

const previewed = ({ patchClaimAssignment: result }: PreviewClaimMutation): string =>
  result.__typename === "ClaimAssignmentPatched"
    ? result.changes.map(({ path, before, after }) => `${path.join(".")}: ${before || "-"} -> ${after || "-"}`).join("; ")
    : `refused: ${refusal(result)}`;

const removed = ({ removeClaim: result }: RemoveClaimMutation): string =>
  result.__typename === "ClaimRemoved" ? "it is off again" : `refused: ${refusal(result)}`;

/** A walk through the dashboard, as somebody would use it. */
export async function walk(client: Client, search: string, code: string): Promise<void> {
  const days = 60;
  const { certificationAssignments: expiring, months } = await client.expiring(days);
  console.log(`Certificates that run out within ${days} days: ${expiring.totalCount}`);
  for (const { expirationDate, certification, certificateNumber, product } of expiring.nodes) {
    console.log(`  ${expirationDate} ${certification.label} ${certificateNumber} | ${product.gtin} ${product.name}`);
  }

  console.log("By month:");
  for (const { expiresFrom, count } of months.groups) console.log(`  ${expiresFrom?.slice(0, 7)} ${"#".repeat(count)}`);

  const screen = new Screen();
  const watch = client.watchProducts(search, screen.show);

  let page = await screen.when((page) => page.edges.length > 0);
  console.log(`Products with "${search}": ${page.totalCount}`);
  products(page).forEach((product) => console.log(card(product)));
  if (page.pageInfo.hasNextPage) {
    const length = page.edges.length;
    watch.more();
    page = await screen.when((page) => page.edges.length > length);
    console.log("And the next page:");
    products(page)
      .slice(length)
      .forEach((product) => console.log(card(product)));
  }

  const claim = await client.claim(code);
  const product = products(page).find(({ claims }) => !claims.some((line) => line.claim.id === claim.id));
  if (!product) throw new Error(`Every product makes the claim ${claim.label} already.`);
  const shown = (page: Page): ProductCardFragment => products(page).find(({ id }) => id === product.id) ?? product;
  const line = (page: Page): string | undefined => shown(page).claims.find((line) => line.claim.id === claim.id)?.id;

  console.log(`Assigning "${claim.label}":`);
  const before = requests();
  const assigning = client.assignClaim(product, claim, { gtin: product.gtin, claimId: claim.id });
  console.log(card(shown(await screen.when((page) => line(page) === UNCONFIRMED))));
  const result = await assigning;
  console.log(`  ${assigned(result)}`);
  if (result.assignClaim.__typename !== "ClaimAssigned") {
    // The cache takes back by itself what it had shown too early.
    console.log(card(shown(await screen.when((page) => line(page) === undefined))));
    watch.stop();
    return;
  }
  console.log(card(shown(await screen.when((page) => ![undefined, UNCONFIRMED].includes(line(page))))));
  console.log(`  requests for all this: ${requests() - before}`);

  const again = await client.assignClaim(product, claim, { gtin: product.gtin, claimId: claim.id });
  console.log(`Once more: ${assigned(again)}`);
  const better = { source: "THIRD_PARTY_VERIFIED" as const, evidenceUrl: "https://example.org/audit" };
  const preview = await client.previewClaim({ gtin: product.gtin, claimId: claim.id, ...better });
  console.log(`If it were verified: ${previewed(preview)}`);
  const wrong = { gtin: product.gtin, claimId: claim.id, evidenceUrl: "somewhere" };
  console.log(`With a bad link: ${assigned(await client.assignClaim(product, claim, wrong))}`);

  console.log(`Removing it: ${removed(await client.removeClaim({ gtin: product.gtin, claimId: claim.id }))}`);
  console.log(card(shown(await screen.when((page) => line(page) === undefined))));

  const { assignClaims: many } = await client.assignClaims(
    products(page).map(({ gtin }) => ({ gtin, claimId: claim.id })),
  );
  if (many.__typename !== "AssignClaimRows") throw new Error(refusal(many));
  const carriers = (page: Page): number =>
    products(page).filter(({ claims }) => claims.some((line) => line.claim.id === claim.id)).length;
  const all = await screen.when((page) => carriers(page) === products(page).length);
  console.log(`Assigning it to all: ${many.done} done, now on ${carriers(all)}`);
  const done = products(page).filter((_, index) => many.rows[index]?.result.__typename === "ClaimAssigned");
  const { removeClaims: undone } = await client.removeClaims(done.map(({ gtin }) => ({ gtin, claimId: claim.id })));
  if (undone.__typename !== "RemoveClaimRows") throw new Error(refusal(undone));
  const last = await screen.when((page) => carriers(page) === products(page).length - done.length);
  console.log(`And off again: ${undone.done} done, now on ${carriers(last)}`);
  watch.stop();
}
