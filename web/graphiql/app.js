// The page around GraphiQL: who is asking, the example operations, links to share. React, ReactDOM, GraphiQL and
// GraphiQLPluginExplorer are the ready-made browser files of vendor/; there is no build step.
(() => {
  "use strict";

  const { createElement: h, Fragment, useEffect, useMemo, useState } = React;
  const { ToolbarButton, useEditorContext } = GraphiQL.React;

  // Addresses are relative to the page, so that it also works below a path prefix.
  const ENDPOINT = "graphql";
  const ASSETS = "graphiql/";
  const WHO_AM_I = "query WhoAmI { viewer { role organization { name } user { email } } }";

  // As app.css has it: panes lie above each other there instead of side by side.
  const isNarrow = () => matchMedia("(max-width: 720px)").matches;

  // The typed API key lives in this variable alone: never in a cookie, in storage, in React's state or in an address.
  let apiKey = null;
  let onRefused = () => {};

  // Whether answers are to say what their operation costs; a switch in the toolbar.
  let asksForCost = false;

  // -- talking to the server ------------------------------------------------------------------------------------------

  async function post(operation) {
    const headers = {
      Accept: "application/graphql-response+json, application/json;q=0.9",
      "Content-Type": "application/json",
    };
    if (apiKey !== null) headers["X-API-Key"] = apiKey;
    // A typed key answers alone: with the session's cookie beside it nobody could tell which of the two was meant.
    const credentials = apiKey === null ? "same-origin" : "omit";
    const response = await fetch(ENDPOINT, { method: "POST", headers, credentials, body: JSON.stringify(operation) });
    return { status: response.status, body: readable(response, await response.text()) };
  }

  // What the result pane shows: the JSON as it came (a GraphQL response or a problem document), else what came instead.
  function readable(response, text) {
    try {
      return JSON.parse(text);
    } catch {
      const type = response.headers.get("Content-Type") || "no content type";
      const status = `${response.status} ${response.statusText}`.trim();
      return { errors: [{ message: `The server answered ${status} with ${type} instead of JSON: ${text.slice(0, 500)}` }] };
    }
  }

  // Editor headers are ignored: the credential is the session's cookie or the typed key.
  async function fetcher(operation) {
    try {
      const { status, body } = await post(asksForCost ? { ...operation, extensions: { cost: { breakdown: true } } } : operation);
      if (status === 401) onRefused(body);
      return body;
    } catch (error) {
      return { errors: [{ message: `The server could not be reached (${error.message}); check that certgate is running.` }] };
    }
  }

  // "known": the server says who we are; "unknown": it wants a credential, or is in trouble; "served": it runs operations, but not
  // this one.
  async function identify() {
    const typed = apiKey !== null;
    try {
      const { status, body } = await post({ query: WHO_AM_I, operationName: "WhoAmI" });
      if (status === 401 || status === 403) {
        apiKey = null;
        return { state: "unknown", reason: typed ? body.detail || "The key was refused." : "" };
      }
      const viewer = body.data && body.data.viewer;
      if (!viewer && status >= 429) return { state: "unknown", reason: body.detail || `The server answered ${status}.` };
      if (!viewer) return { state: "served", typed };
      return { state: "known", typed, organization: viewer.organization.name, person: viewer.user?.email, role: String(viewer.role).toLowerCase() };
    } catch (error) {
      return { state: "unknown", reason: `The server could not be reached (${error.message}).` };
    }
  }

  // -- the bar: who you are -------------------------------------------------------------------------------------------

  function KeyForm({ onKey, onCancel, reason }) {
    const [complaint, setComplaint] = useState("");
    const submit = (event) => {
      event.preventDefault();
      const input = event.target.elements[0];
      const typed = input.value.trim();
      if (!/^[\x21-\x7e]+$/.test(typed)) return setComplaint("An API key is one word of letters, digits and underscores.");
      input.value = "";
      setComplaint("");
      onKey(typed);
    };
    // The input has no name: even a submit without this script would put nothing into the address.
    return h(
      "form",
      { className: "key-form", onSubmit: submit },
      h("input", {
        id: "api-key",
        type: "password",
        autoComplete: "off",
        spellCheck: false,
        placeholder: "API key, csb_…",
        "aria-label": "API key",
        "aria-describedby": "key-note",
        autoFocus: Boolean(onCancel),
      }),
      h("button", { type: "submit", className: "primary" }, "Use key"),
      onCancel && h("button", { type: "button", onClick: onCancel }, "Cancel"),
      complaint || reason
        ? h("span", { id: "key-note", className: "refused", role: "alert" }, complaint || reason)
        : h("span", { id: "key-note", className: "note" }, "A typed key is kept in this page's memory only."),
    );
  }

  function Identity({ who, onKey, onForget }) {
    const [typing, setTyping] = useState(false);
    const take = (key) => {
      setTyping(false);
      onKey(key);
    };
    if (who.state === "asking") return h("span", { className: "note" }, "Asking the server who you are …");
    if (who.state === "unknown" || typing) {
      return h(
        Fragment,
        null,
        h("span", { className: "dot off" }),
        h("span", { className: "who" }, who.state === "unknown" ? "Not signed in" : "Act with another credential"),
        h(KeyForm, { onKey: take, onCancel: who.state !== "unknown" && (() => setTyping(false)), reason: who.reason }),
      );
    }
    const name =
      who.state === "known"
        ? h(
            "span",
            { className: "who" },
            who.typed ? "Using a key of " : "Signed in as ",
            who.person && h(Fragment, null, h("strong", null, who.person), ", "),
            h("strong", null, who.organization),
            h("span", { className: "role" }, " (", who.role, ")"),
          )
        : h("span", { className: "who" }, who.typed ? "Using your API key" : "Connected");
    const change = who.typed
      ? h("button", { type: "button", onClick: onForget }, "Forget key")
      : h("button", { type: "button", onClick: () => setTyping(true) }, "Use an API key");
    return h(Fragment, null, h("span", { className: "dot" }), name, change);
  }

  function Bar(props) {
    return h(
      "section",
      { className: "bar", "aria-label": "Credential" },
      h("div", { className: "identity", "aria-live": "polite" }, h(Identity, props)),
      h("h1", { className: "unseen" }, "certgate GraphiQL"),
      h("code", { className: "endpoint", title: new URL(ENDPOINT, document.baseURI).href }, "POST /graphql"),
    );
  }

  // -- the example operations -----------------------------------------------------------------------------------------

  function examplesPlugin(examples) {
    const Icon = () =>
      h(
        "svg",
        { viewBox: "0 0 20 20", fill: "none", stroke: "currentColor", strokeWidth: 1.5, strokeLinecap: "round", strokeLinejoin: "round" },
        h("path", { d: "M7.5 2.5h5M8.5 2.5v5L3.8 15a1.7 1.7 0 0 0 1.5 2.5h9.4a1.7 1.7 0 0 0 1.5-2.5L11.5 7.5v-5M6 12.5h8" }),
      );
    const Content = () => {
      const { addTab, changeTab, tabs, activeTabIndex, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
      const holds = (tab, example) => tab.query === example.query && (tab.variables || "") === example.variables;
      const open = (example) => {
        if (isNarrow()) document.querySelector("[aria-label='Hide Examples']")?.click();
        const there = tabs.findIndex((tab) => holds(tab, example));
        if (there >= 0) return changeTab(there);
        addTab();
        // The new tab becomes the active one with the next render; from then on the editors write into it.
        setTimeout(() => {
          queryEditor.setValue(example.query);
          variableEditor.setValue(example.variables);
        });
      };
      const entry = (example) =>
        h(
          "li",
          { key: example.title },
          h(
            "button",
            {
              type: "button",
              className: "example",
              "aria-current": holds(tabs[activeTabIndex], example) ? "true" : undefined,
              onClick: () => open(example),
            },
            h("div", null, h("strong", null, example.title), example.changes && h("em", { className: "changes" }, "changes data")),
            h("span", null, example.description),
          ),
        );
      return h(
        "section",
        { className: "examples", "aria-label": "Examples" },
        h("div", { className: "examples-title" }, "Examples"),
        h("p", { className: "examples-note" }, "A tour in small steps. Each opens in a tab of its own, ready to run."),
        h("ol", null, examples.map(entry)),
        h(
          "p",
          { className: "colophon" },
          "This page loads nothing from other hosts. ",
          h("a", { href: `${ASSETS}licences.txt`, target: "_blank", rel: "noopener" }, "Open-source licences"),
        ),
      );
    };
    return { title: "Examples", icon: Icon, content: Content };
  }

  // -- links to share: the operation in the fragment, which browsers do not send to any server ------------------------

  // Whoever signs in comes back without it: the tab keeps it meanwhile.
  const FRAGMENT = "certgate:graphiql:fragment";

  function keepFragment(event) {
    if (location.hash && event.target.closest(".top .who a")) kept((storage) => storage.setItem(FRAGMENT, location.hash));
  }

  function bringFragmentBack() {
    const fragment = kept((storage) => storage.getItem(FRAGMENT));
    kept((storage) => storage.removeItem(FRAGMENT));
    if (fragment && !location.hash) history.replaceState(history.state, "", fragment);
  }

  function kept(use) {
    try {
      return use(sessionStorage);
    } catch {
      return null; // storage is switched off in this browser
    }
  }

  function sharedOperation() {
    for (const source of [location.hash.slice(1), location.search.slice(1)]) {
      const parameters = new URLSearchParams(source);
      const query = parameters.get("query");
      if (query) return { query, variables: indented(parameters.get("variables")) };
    }
    return null;
  }

  function indented(json) {
    try {
      return json ? JSON.stringify(JSON.parse(json), null, 2) : "";
    } catch {
      return json;
    }
  }

  function ShareButton() {
    const { queryEditor, variableEditor } = useEditorContext({ nonNull: true });
    const [label, setLabel] = useState("Copy a link to this operation");
    const share = async () => {
      const parameters = new URLSearchParams({ query: queryEditor.getValue() });
      const variables = variableEditor.getValue().trim();
      if (variables) parameters.set("variables", variables);
      history.replaceState(null, "", `#${parameters}`);
      try {
        await navigator.clipboard.writeText(location.href);
        setLabel("Link copied");
      } catch {
        setLabel("The link is in the address bar");
      }
      setTimeout(setLabel, 3000, "Copy a link to this operation");
    };
    return h(
      ToolbarButton,
      { label, onClick: share },
      h(
        "svg",
        { className: "graphiql-toolbar-icon", viewBox: "0 0 20 20", fill: "none", stroke: "currentColor", strokeWidth: 1.5, strokeLinecap: "round" },
        h("path", { d: "M8.5 11.5a3.5 3.5 0 0 0 5 0l3-3a3.54 3.54 0 0 0-5-5l-1.2 1.2M11.5 8.5a3.5 3.5 0 0 0-5 0l-3 3a3.54 3.54 0 0 0 5 5l1.2-1.2" }),
      ),
    );
  }

  // The editors have no names of their own, and would keep the Tab key: whoever has no mouse could not get out of them.
  function ReachableEditors() {
    const { queryEditor, variableEditor, responseEditor } = useEditorContext({ nonNull: true });
    useEffect(() => {
      for (const [editor, name] of [[queryEditor, "Operation"], [variableEditor, "Variables"], [responseEditor, "Answer"]]) {
        if (!editor) continue;
        editor.setOption("screenReaderLabel", name);
        editor.addKeyMap({ Tab: false, "Shift-Tab": false });
        editor.setOption("lineWrapping", true);
        editor.getScrollerElement().tabIndex = 0;
      }
    }, [queryEditor, variableEditor, responseEditor]);
    return null;
  }

  // GraphiQL's tabs are elements of the role "tab" with two buttons inside, which that role does not have. The buttons are
  // what is used, so the list is a list of them.
  function plainTabs() {
    for (const list of document.querySelectorAll(".graphiql-tabs[role=tablist]")) list.removeAttribute("role");
    for (const tab of document.querySelectorAll("li.graphiql-tab")) {
      const active = tab.classList.contains("graphiql-tab-active");
      for (const name of ["role", "aria-selected"]) if (tab.hasAttribute(name)) tab.removeAttribute(name);
      const button = tab.querySelector(".graphiql-tab-button");
      if (button && button.ariaCurrent !== String(active)) button.ariaCurrent = String(active);
    }
  }

  // GraphiQL's check of variables knows no scalar whose value is an object, as that of Metadata is.
  function MapsInVariables() {
    const { variableEditor } = useEditorContext({ nonNull: true });
    useEffect(() => {
      if (!variableEditor) return;
      const CodeMirror = variableEditor.constructor;
      const check = CodeMirror.helpers.lint["graphql-variables"];
      if (check.knowsMaps) return;
      const wrapped = (text, options, editor) => {
        const isMap = ({ message, from }) =>
          /^Expected value of type "(Metadata|JSON)"/.test(message) && editor.getRange(from, { line: from.line, ch: from.ch + 1 }) === "{";
        return check(text, options, editor).filter((found) => !isMap(found));
      };
      wrapped.knowsMaps = true;
      CodeMirror.registerHelper("lint", "graphql-variables", wrapped);
      variableEditor.performLint();
    }, [variableEditor]);
    return null;
  }

  function CostButton() {
    const [on, setOn] = useState(false);
    const toggle = () => {
      asksForCost = !on;
      setOn(!on);
    };
    return h(
      ToolbarButton,
      {
        label: on ? "Answers say what they cost; no longer" : "Say with each answer what it costs",
        "aria-pressed": on,
        className: on ? "pressed" : "",
        onClick: toggle,
      },
      h(
        "svg",
        { className: "graphiql-toolbar-icon", viewBox: "0 0 20 20", fill: "none", stroke: "currentColor", strokeWidth: 1.5, strokeLinecap: "round", strokeLinejoin: "round" },
        h("path", { d: "M10 4v13M6 17h8M3 6h14M5 6l-2.5 6h5L5 6zM15 6l-2.5 6h5L15 6z" }),
      ),
    );
  }

  // -- the page -------------------------------------------------------------------------------------------------------

  // Our own names, because other tools on the same host and port keep their GraphiQL tabs there too.
  function tabStorage() {
    try {
      const storage = GraphiQL.createLocalStorage({ namespace: "certgate" });
      storage.getItem("graphiql:tabState");
      return storage;
    } catch {
      return null; // storage is switched off in this browser: tabs last as long as the page
    }
  }

  // The tab that was active when this browser last showed the page.
  function lastTab(storage) {
    try {
      const { tabs, activeTabIndex } = JSON.parse(storage.getItem("graphiql:tabState"));
      return { query: tabs[activeTabIndex].query || "", variables: tabs[activeTabIndex].variables || "" };
    } catch {
      return null;
    }
  }

  // GraphiQL fills the editors from `query` and `variables`, and opens one tab more when no tab has exactly these. Nothing runs by itself.
  function firstTabs(examples, storage) {
    const shared = sharedOperation();
    const last = lastTab(storage);
    const opened = shared || last || examples[0] || {};
    const { query, variables } = opened;
    return { query, variables, defaultTabs: query ? [{ query, variables }] : undefined, isFirstVisit: !shared && !last };
  }

  // GraphiQL's check of variables takes a default of "", 0 or false for none, and would mark every input without that member as
  // wrong. An object around the value is not mistaken, and prints the same.
  function keepFalsyDefaults(schema) {
    for (const type of Object.values(schema.getTypeMap())) {
      if (!GraphiQL.GraphQL.isInputObjectType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        if (field.defaultValue !== undefined && field.defaultValue !== null) field.defaultValue = Object(field.defaultValue);
      }
    }
  }

  // The schema's text is public: there is documentation before anybody has signed in, unless the server keeps it to itself.
  async function readSchema() {
    try {
      const response = await fetch("schema.graphql", { credentials: "omit" });
      if (!response.ok) return null;
      const schema = GraphiQL.GraphQL.buildSchema(await response.text());
      keepFalsyDefaults(schema);
      return schema;
    } catch {
      return null;
    }
  }

  function Logo() {
    return h(
      GraphiQL.Logo,
      null,
      h("span", { className: "wordmark" }, h("img", { src: `${ASSETS}favicon.svg`, alt: "", width: 20, height: 20 }), "certgate"),
    );
  }

  function Page({ examples, schema, storage }) {
    const [who, setWho] = useState({ state: "asking" });
    const identifyAgain = async () => setWho(await identify());
    const use = (key) => {
      apiKey = key;
      setWho({ state: "asking" });
      identifyAgain();
    };
    const { isFirstVisit, ...initial } = useMemo(() => firstTabs(examples, storage), []);
    useEffect(() => {
      onRefused = (problem) => {
        apiKey = null;
        setWho({ state: "unknown", reason: problem.detail || "" });
      };
      identifyAgain();
      // GraphiQL has an option for this too, but gives the pane no width then. Its buttons come with the next render.
      if (isFirstVisit && !isNarrow()) setTimeout(() => document.querySelector("[aria-label='Show Examples']")?.click());
    }, []);
    const plugins = useMemo(() => [examplesPlugin(examples), GraphiQLPluginExplorer.explorerPlugin({ showAttribution: false })], []);
    return h(
      Fragment,
      null,
      h(Bar, { who, onKey: use, onForget: () => use(null) }),
      h(
        "main",
        { className: "graphiql" },
        h(
          GraphiQL,
          {
            fetcher,
            storage,
            plugins,
            ...initial,
            schema,
            isHeadersEditorEnabled: false,
            shouldPersistHeaders: false,
            defaultEditorToolsVisibility: "variables",
            defaultQuery: "# Ctrl-Space suggests what fits, Ctrl-Enter runs it.\n",
          },
          Logo(),
          h(GraphiQL.Toolbar, null, ({ prettify, merge, copy }) => h(Fragment, null, prettify, merge, copy, h(ShareButton), h(CostButton), h(MapsInVariables), h(ReachableEditors))),
        ),
      ),
    );
  }

  async function open() {
    const [schema, response] = await Promise.all([readSchema(), fetch(`${ASSETS}examples.json`)]);
    const examples = response.ok ? await response.json() : [];
    ReactDOM.createRoot(document.getElementById("page")).render(h(Page, { examples, schema, storage: tabStorage() }));
    new MutationObserver(plainTabs).observe(document.body, { childList: true, subtree: true, attributeFilter: ["aria-selected", "class"] });
  }

  // A link to an operation, pasted into the address bar of an open page, changes the fragment only.
  addEventListener("hashchange", () => sharedOperation() && location.reload());
  document.addEventListener("click", keepFragment);
  bringFragmentBack();
  open();
})();
