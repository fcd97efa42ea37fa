// The dashboard in a browser: no build step, no library, and a publishable key, which anybody may see.

const EXPIRING = `query ($days: Int!) {
  certificationAssignments(first: 20, where: {lapsesWithin: {days: $days}}, orderBy: {field: LAPSES_ON}) {
    totalCount
    nodes { id lapsesOn certification { label } product { gtin name } }
  }
  months: certificationAssignmentStats(where: {lapsesWithin: {days: 365}}, bucket: MONTH) {
    groups { expiresFrom count }
  }
}`;

const SEARCH = `query ($search: String!, $after: String) {
  products(first: 5, after: $after, where: {search: $search}) {
    totalCount
    nodes { gtin name brand certifications { isActive certification { label } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

const at = (id) => document.getElementById(id);
const gateway = { url: "", key: "" };

/** Asks the gateway. What it refuses, and that it cannot be asked, is thrown in words for people. */
async function ask(query, variables) {
  let answer;
  try {
    answer = await fetch(`${gateway.url}/graphql`, {
      method: "POST",
      // The key is all that is sent: no cookie, so that `CERTGATE_CORS_ORIGINS=*` would do as well.
      credentials: "omit",
      headers: { "Content-Type": "application/json", "X-API-Key": gateway.key },
      body: JSON.stringify({ query, variables }),
    });
  } catch {
    // A browser does not tell a page more than that it may not read an answer, or that there was none.
    throw new Error(unread());
  }
  const { data, errors, detail } = await answer.json();
  if (detail) throw new Error(detail); // a problem document: the key is wrong, or has asked too often
  if (errors) throw new Error(errors.map((error) => error.message).join("\n"));
  return data;
}

function unread() {
  if (location.protocol === "file:") {
    return "This page was opened as a file, which has no origin that a gateway could let in.\n"
      + "Serve its folder, for example with: python3 -m http.server 8080 --bind 127.0.0.1";
  }
  return `The browser kept the answer of ${gateway.url} from this page, or there was none.\n`
    + `If the gateway is running, it does not let in pages of ${location.origin}. Start it with:\n`
    + `CERTGATE_CORS_ORIGINS=${location.origin}\n`
    + "The scheme, the host and the port have to be these: localhost and 127.0.0.1 are two origins.";
}

function row(...cells) {
  const made = document.createElement("tr");
  for (const cell of cells) made.insertCell().append(cell);
  return made;
}

async function showExpiring() {
  const { certificationAssignments: soon, months } = await ask(EXPIRING, { days: 90 });
  at("number").textContent = soon.totalCount;
  at("certificates").replaceChildren(
    ...soon.nodes.map((each) => row(each.lapsesOn, each.certification.label, each.product.name || each.product.gtin)),
  );
  const most = Math.max(1, ...months.groups.map((group) => group.count));
  at("months").replaceChildren(
    ...months.groups.map((group) => {
      const bar = Object.assign(document.createElement("meter"), { max: most, value: group.count });
      bar.setAttribute("aria-label", `${group.count} in ${group.expiresFrom.slice(0, 7)}`);
      return row(group.expiresFrom.slice(0, 7), String(group.count), bar);
    }),
  );
}

let next = {};

async function search(words, after = null) {
  const { products } = await ask(SEARCH, { search: words, after });
  const lines = products.nodes.map((each) => {
    const held = each.certifications.filter((one) => one.isActive).map((one) => one.certification.label);
    const line = document.createElement("li");
    line.textContent = `${each.name || each.gtin} (${each.brand || "no brand"}): ${held.join(", ") || "no certificate"}`;
    return line;
  });
  if (after === null) at("list").replaceChildren();
  at("list").append(...lines);
  at("found").textContent = `${at("list").children.length} of ${products.totalCount}`;
  at("more").hidden = !products.pageInfo.hasNextPage;
  next = { words, after: products.pageInfo.endCursor };
}

/** Does something, and says below the form what went wrong. */
async function attempt(work) {
  at("trouble").hidden = true;
  try {
    await work();
  } catch (error) {
    at("trouble").textContent = error.message;
    at("trouble").hidden = false;
  }
}

at("gateway").addEventListener("submit", (event) => {
  event.preventDefault();
  const entered = new FormData(event.target);
  Object.assign(gateway, { url: entered.get("url").replace(/\/+$/, ""), key: entered.get("key").trim() });
  attempt(async () => {
    await showExpiring();
    at("shown").hidden = false;
  });
});
at("search").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => search(new FormData(event.target).get("words")));
});
at("more").addEventListener("click", () => attempt(() => search(next.words, next.after)));
