// The API reference: one tab for each API of the catalogue, shown by Swagger UI.
"use strict";

// What Swagger UI draws without a name, and boxes that only a mouse could scroll.
function tidy(page) {
  for (const table of page.querySelectorAll("table[role=region]:not([aria-label])")) table.setAttribute("aria-label", table.id.replaceAll("_", " "));
  for (const choice of page.querySelectorAll("select:not([aria-label])")) choice.setAttribute("aria-label", "Value or example");
  for (const body of page.querySelectorAll("textarea:not([aria-label])")) body.setAttribute("aria-label", "Request body");
  for (const box of page.querySelectorAll("pre:not([tabindex])")) box.tabIndex = 0;
}

(async () => {
  const page = document.getElementById("reference");
  // Swagger UI's own dark theme hangs on a class.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const followTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", followTheme);
  followTheme();
  // What screen readers stumble over in Swagger UI: the link inside of the button that opens an operation, a choice of
  // servers without a name, which has but one, and what stands outside of all landmarks.
  const plainer = ({ React: { createElement: h } }) => {
    const named = (name) => (Original) => (props) => h("section", { "aria-label": name }, h(Original, props));
    return {
      wrapComponents: {
        DeepLink: () => ({ text }) => h("span", null, text),
        ServersContainer: () => () => null,
        InfoContainer: named("About this API"),
        AuthorizeBtnContainer: named("Credentials"),
      },
    };
  };
  try {
    const catalogue = await (await fetch(".well-known/api-catalog")).json();
    // Of the APIs there, those that have an OpenAPI document; GraphQL is described by a schema of its own kind.
    const apis = catalogue.linkset
      .filter((entry) => entry["service-desc"]?.[0].type === "application/openapi+json")
      .map((entry) => ({ name: entry.anchor.match(/([a-z]+)\/api\/v1\/$/)[1], url: entry["service-desc"][0].href }));
    const wanted = new URLSearchParams(location.search).get("api");
    const shown = apis.find((api) => api.name === wanted) || apis[0];
    const tabs = document.getElementById("apis");
    for (const api of apis) {
      const tab = document.createElement("a");
      tab.textContent = api.name[0].toUpperCase() + api.name.slice(1);
      tab.href = `?api=${api.name}`;
      if (api === shown) tab.setAttribute("aria-current", "page");
      tabs.append(tab);
    }
    new MutationObserver(() => tidy(page)).observe(page, { childList: true, subtree: true });
    // The path alone: behind another public address, the document is still on this host.
    const url = new URL(shown.url, location.href).pathname;
    document.getElementById("document").href = url;
    SwaggerUIBundle({
      domNode: page,
      url,
      deepLinking: true,
      plugins: [plainer],
      // Its colours are too pale to be read, and coloured spans slow long examples down.
      syntaxHighlight: false,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
      docExpansion: "list",
      // What is typed under "Authorize" is gone with the page.
      persistAuthorization: false,
      // No badge: it would ask somebody else's server whether the document is valid.
      validatorUrl: null,
    });
  } catch (error) {
    page.textContent = `The reference cannot be shown: ${error.message}. The OpenAPI documents are listed at /.well-known/api-catalog.`;
    page.className = "waiting";
  }
})();
