"""The header of the pages that are files: the doors, as the workbench has them, and who has signed in.

Files are the same for everybody, so a script fills in who that is, with what `/app/who` sends.
"""

_DOORS = (("app", "Workbench"), ("graphiql", "GraphiQL"), ("docs", "API reference"))


def filled(html: str, here: str) -> str:
    """A page that has places for its header and what it loads for it."""
    return html.replace("<!-- header -->", header("", here)).replace("<!-- loads -->", loads(""))


def header(up: str, here: str) -> str:
    """That of the page `here`, one of the doors, whose relative addresses begin with `up`."""
    current = ' aria-current="page"'
    doors = "\n".join(
        f'    <a href="{up}{path}"{current if path == here else ""}>{words}</a>' for path, words in _DOORS
    )
    return f"""<header class="top">
  <a class="name" href="{up or "./"}">certgate</a>
  <nav class="doors" aria-label="Doors">
{doors}
  </nav>
  <div class="who" data-from="{up}app/who"><a href="{up}sign-in?to=/{here}">Sign in</a></div>
</header>"""


def loads(up: str) -> str:
    """What the head of such a page loads for it."""
    return f"""<link rel="stylesheet" href="{up}app/files/header.css">
    <script src="{up}app/files/header.js" defer></script>"""
