"""What pages weigh on the wire, compressed as browsers ask for it: the first with all that it loads, and later ones."""

import re
from urllib.parse import urlencode

import httpx2

from tests.conftest import LiveServer
from tests.web.test_workbench import FIRST_LOAD, LATER
from tests.web.workbench_pages import FORMS, OWN_LEAD_TIMES, PAGES, SECTIONS
from workbench.lists import COLUMNS, NAMES

LOADED = re.compile(r'<(?:link rel="(?:icon|stylesheet)" href|script src)="([^"]+)"')

LISTS = [f"/app/{name}?{urlencode({'column': COLUMNS[kind].every}, doseq=True)}" for name, kind in NAMES.items()]
"""Whole pages of the lists, with every column."""


def test_every_page_is_light(live_server: LiveServer) -> None:
    headers = {"X-API-Key": live_server.api_key, "Accept": "text/html", "Accept-Encoding": "gzip"}
    with httpx2.Client(base_url=live_server.url, headers=headers) as client:

        def weighed(path: str) -> tuple[int, str]:
            with client.stream("GET", path) as answer:
                answer.read()
                head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)
                return answer.num_bytes_downloaded + head, answer.text

        path, fields = OWN_LEAD_TIMES
        assert client.post(path, data=fields).status_code == 303
        files: dict[str, int] = {}
        heavy = {}
        for path in (*PAGES, *LISTS, *SECTIONS, *FORMS, "/sign-in"):
            page, text = weighed(path)
            loads = LOADED.findall(text)
            assert bool(loads) is (path != "/sign-in")
            files |= {file: weighed(file)[0] for file in loads if file not in files}
            first = page + sum(files[file] for file in loads)
            if page >= LATER or first >= FIRST_LOAD:
                heavy[path] = page, first
        assert heavy == {}
