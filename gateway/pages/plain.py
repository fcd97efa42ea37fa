"""The few pages without a file: plain HTML, one line of script, nothing from elsewhere, in the workbench's colours."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape

from starlette.responses import HTMLResponse, Response

from gateway.pages.assets import WEB

_STYLE = (WEB / "plain.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# For whoever's link goes on by itself.
_GO_ON = "document.forms[0].submit()"
_GO_ON_HASH = base64.b64encode(hashlib.sha256(_GO_ON.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; script-src 'sha256-{_GO_ON_HASH}';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def _page(title: str, content: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title} · certgate</title><style>{_STYLE}</style></head>
<body><main><h1>{title}</h1>
{content}
</main></body>
</html>
"""


def standalone(html: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that shows one of these pages."""
    return HTMLResponse(html, status, {**(headers or {}), "Content-Security-Policy": CONTENT_SECURITY_POLICY})


LINK_REFUSED = _page(
    "This link does not sign in",
    """<p>A sign-in link works once and for an hour, and this one is used, expired or incomplete. Ask a manager of your
organisation for another one, or <a href="sign-in">sign in</a> in another way.</p>
<p class="soft">If you run this installation: <code>./certgate members link</code> prints a link for a member,
<code>./certgate demo</code> one at each start, and <code>./certgate keys create</code> makes an API key to sign in
with.</p>""",
)


INVITATION_REFUSED = _page(
    "This invitation is not open",
    """<p>An invitation works once and for seven days, and this one is used, taken back, replaced, expired or
incomplete: ask who invited you for another link. Whoever is a member already may <a href="sign-in">sign in</a>.</p>""",
)


def invitation(organization: str, role: str, email: str, token: str) -> str:
    """Asks whether to accept an invitation: a program that only looks at the link must not use it up."""
    return _page(
        f"Join {escape(organization)}",
        f"""<p>You are invited to <strong>{escape(organization)}</strong> as {escape(role)}, under the address
<strong>{escape(email)}</strong>.</p>
<form method="post" action="invitation">
<input type="hidden" name="token" value="{escape(token)}">
<button type="submit">Accept and sign in</button>
</form>
<p class="soft">If that is not your address, close this page: the invitation is for somebody else.</p>""",
    )


def choice(links: Iterable[tuple[str, str, str]]) -> str:
    """Asks for which organisation to sign in: the name of each, the role there, and the token of a link."""
    entries = "".join(
        f"""<form method="post" action="sign-in">
<input type="hidden" name="token" value="{escape(token)}">
<button type="submit">{escape(name)} ({escape(role)})</button>
</form>
"""
        for name, role, token in links
    )
    return _page("Choose an organisation", f"<p>You belong to several. Sign in for</p>\n{entries}")


def sign_in_refused(sentence: str) -> str:
    """Says why somebody who came back from elsewhere is not signed in."""
    return _page(
        "You are not signed in",
        f"""<p class="refused" role="alert">{escape(sentence)}</p>
<p><a href="sign-in">Sign in</a></p>""",
    )


LINK_SENT = _page(
    "Look into your mail",
    """<p role="status">If that address is a member's, a link is on its way to it, which signs in once and within the
hour. Nothing comes for other addresses, and nothing again within a minute.</p>
<p><a href="sign-in">Back</a></p>""",
)


def link(token: str, who: str, organization: str, role: str, *, at_once: bool = False) -> str:
    """Asks whether to sign in by a link: a program that looks into a mail or a message must not use it up.

    `who` is a person's address, or the name of an API key; `at_once` has the browser press the button.
    """
    return _page(
        f"Sign in to {escape(organization)}",
        f"""<p>This link signs in <strong>{escape(who)}</strong> ({escape(role)}).</p>
<form method="post" action="sign-in">
<input type="hidden" name="token" value="{escape(token)}">
<button type="submit">Sign in</button>
</form>
<p class="soft">It works once.</p>{f"<script>{_GO_ON}</script>" if at_once else ""}""",
    )


_BY_MAIL = """<form method="post" action="sign-in">
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" placeholder="ann@example.org" required autofocus
 autocomplete="email" maxlength="254">
<button type="submit">Send me a link</button>
</form>
<p class="soft">Or, with a key:</p>
"""


def form(refusal: str = "", provider: str = "", *, by_mail: bool = False) -> str:
    """Asks for an API key, and for an address if links can be mailed.

    `refusal` is why the last try failed, `provider` where people may sign in elsewhere.
    """
    said = f'<p class="refused" role="alert">{escape(refusal)}</p>\n' if refusal else ""
    if provider:
        said += f'<p><a class="button" href="openid">Sign in with {escape(provider)}</a></p>\n'
    if by_mail:
        said += _BY_MAIL
    # Not named like a password, so that no browser offers to keep it.
    return _page(
        "Sign in",
        f"""{said}<form method="post" action="sign-in">
<label for="api-key">API key</label>
<input id="api-key" name="api_key" type="password" placeholder="csb_…" required{"" if by_mail else " autofocus"}
 spellcheck="false" autocomplete="off">
<button type="submit">Sign in</button>
</form>
<p class="soft">This browser then acts with the key's authority, until you sign out or leave it alone for a while.
A manager of your organisation can make a key for you; at the terminal <code>./certgate keys create</code> does.</p>""",
    )


def signed_in(organization: str, role: str) -> str:
    """Says as whom the browser acts, and offers the way out."""
    return _page(
        "Signed in",
        f"""<p>You act for <strong>{escape(organization)}</strong> ({escape(role)}).
<a href="app">Open the workbench</a></p>
<form method="post" action="sign-out"><button type="submit">Sign out</button></form>""",
    )
