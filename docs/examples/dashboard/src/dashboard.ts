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

export type Page = NonNullable<SearchProductsQuery["products"]>;

/** What came back. A root field is null when it failed, but then its client has thrown what `errors` says. */
export function answered<T>(value: T | null | undefined): T {
  if (value == null) throw new Error("The gateway answered with nothing.");
  return value;
}

/** What the dashboard needs of a client. `apollo.ts` and `urql.ts` each make one. */
export interface Client {
  /** The certificates that run out within so many days, the next ones first; how many do in each month of a year. */
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

/** The product as the page shows it now. */
const same = (page: Page, { id }: ProductCardFragment): ProductCardFragment => {
  const product = products(page).find((product) => product.id === id);
  if (!product) throw new Error(`The product ${id} is no longer on the page.`);
  return product;
};

const lineOf = (product: ProductCardFragment, { id }: ClaimFragment) =>
  product.claims.find(({ claim }) => claim.id === id);

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

const assigned = ({ assignClaim }: AssignClaimMutation): string => {
  const result = answered(assignClaim);
  if (result.__typename !== "ClaimAssigned") return `refused: ${refusal(result)}`;
  return `"${result.assignment.claim.label}" is on it`;
};

const previewed = ({ patchClaimAssignment }: PreviewClaimMutation): string => {
  const result = answered(patchClaimAssignment);
  if (result.__typename !== "ClaimAssignmentPatched") return `refused: ${refusal(result)}`;
  return result.changes
    .map(({ path, before, after }) => `${path.join(".")}: ${before || "-"} -> ${after || "-"}`)
    .join("; ");
};

const removed = ({ removeClaim }: RemoveClaimMutation): string => {
  const result = answered(removeClaim);
  return result.__typename === "ClaimRemoved" ? "it is off again" : `refused: ${refusal(result)}`;
};

/** A walk through the dashboard, as somebody would use it. */
export async function walk(client: Client, search: string, code: string): Promise<void> {
  await showExpiring(client, 60);
  const screen = new Screen();
  const watch = client.watchProducts(search, screen.show);
  const page = await showProducts(screen, watch, search);
  const claim = await client.claim(code);
  const product = products(page).find((product) => !lineOf(product, claim));
  if (!product) throw new Error(`Every product makes the claim ${claim.label} already.`);
  if (await assignOne(client, screen, product, claim)) {
    await meetRefusals(client, product, claim);
    await removeOne(client, screen, product, claim);
    await assignMany(client, screen, page, claim);
  }
  watch.stop();
}

async function showExpiring(client: Client, days: number): Promise<void> {
  const data = await client.expiring(days);
  const [expiring, months] = [answered(data.certificationAssignments), answered(data.months)];
  const withoutEnd = answered(data.withoutEnd).totalCount;
  console.log(`Certificates that run out within ${days} days: ${expiring.totalCount} (${withoutEnd} have no end recorded)`);
  for (const { lapsesOn, certification, certificateNumber, product } of expiring.nodes) {
    console.log(`  ${lapsesOn} ${certification.label} ${certificateNumber} | ${product.gtin} ${product.name}`);
  }
  console.log("By month:");
  for (const { expiresFrom, count } of months.groups) console.log(`  ${expiresFrom?.slice(0, 7)} ${"#".repeat(count)}`);
}

/** Shows the first two pages and returns what is on the screen then. */
async function showProducts(screen: Screen, watch: Watch, search: string): Promise<Page> {
  const first = await screen.when(() => true);
  console.log(`Products with "${search}": ${first.totalCount}`);
  products(first).forEach((product) => console.log(card(product)));
  if (!first.pageInfo.hasNextPage) return first;
  watch.more();
  const both = await screen.when((page) => page.edges.length > first.edges.length);
  console.log("And the next page:");
  products(both).slice(first.edges.length).forEach((product) => console.log(card(product)));
  return both;
}

/** Whether it worked. A refusal is shown, and what was shown too early is taken back by the cache itself. */
async function assignOne(client: Client, screen: Screen, product: ProductCardFragment, claim: ClaimFragment) {
  const line = (page: Page) => lineOf(same(page, product), claim)?.id;
  console.log(`Assigning "${claim.label}":`);
  const before = requests();
  const answer = client.assignClaim(product, claim, { gtin: product.gtin, claimId: claim.id });
  const saving = await screen.when((page) => line(page) === UNCONFIRMED);
  console.log(card(same(saving, product)));
  const result = await answer;
  console.log(`  ${assigned(result)}`);
  const settled = await screen.when((page) => line(page) !== UNCONFIRMED);
  console.log(card(same(settled, product)));
  console.log(`  requests for all this: ${requests() - before}`);
  return answered(result.assignClaim).__typename === "ClaimAssigned";
}

async function meetRefusals(client: Client, product: ProductCardFragment, claim: ClaimFragment): Promise<void> {
  const input = { gtin: product.gtin, claimId: claim.id };
  console.log(`Once more: ${assigned(await client.assignClaim(product, claim, input))}`);
  const wrong = { ...input, evidenceUrl: "somewhere" };
  console.log(`With a bad link: ${assigned(await client.assignClaim(product, claim, wrong))}`);
  const better = { ...input, source: "THIRD_PARTY_VERIFIED" as const, evidenceUrl: "https://example.org/audit" };
  console.log(`If it were verified: ${previewed(await client.previewClaim(better))}`);
}

async function removeOne(client: Client, screen: Screen, product: ProductCardFragment, claim: ClaimFragment) {
  console.log(`Removing it: ${removed(await client.removeClaim({ gtin: product.gtin, claimId: claim.id }))}`);
  const without = await screen.when((page) => !lineOf(same(page, product), claim));
  console.log(card(same(without, product)));
}

/** Puts the claim on all products of the page that do not make it yet, and takes it off those again. */
async function assignMany(client: Client, screen: Screen, page: Page, claim: ClaimFragment): Promise<void> {
  const input = products(page).map(({ gtin }) => ({ gtin, claimId: claim.id }));
  const carriers = (page: Page) => products(page).filter((product) => lineOf(product, claim)).length;

  const on = answered((await client.assignClaims(input)).assignClaims);
  if (on.__typename !== "AssignClaimRows") throw new Error(refusal(on));
  const all = await screen.when((page) => carriers(page) === input.length);
  console.log(`Assigning it to all: ${on.done} done, now on ${carriers(all)}`);

  const done = input.filter((_, index) => on.rows[index]?.result.__typename === "ClaimAssigned");
  const off = answered((await client.removeClaims(done)).removeClaims);
  if (off.__typename !== "RemoveClaimRows") throw new Error(refusal(off));
  const rest = await screen.when((page) => carriers(page) === input.length - done.length);
  console.log(`And off again: ${off.done} done, now on ${carriers(rest)}`);
}
