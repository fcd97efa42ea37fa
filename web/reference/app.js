// The API reference: one tab for each API of the catalogue, shown by Swagger UI.
"use strict";

(async () => {
  const page = document.getElementById("reference");
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
    // The path alone: behind another public address, the document is still on this host.
    const url = new URL(shown.url, location.href).pathname;
    document.getElementById("document").href = url;
    SwaggerUIBundle({
      domNode: page,
      url,
      deepLinking: true,
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
