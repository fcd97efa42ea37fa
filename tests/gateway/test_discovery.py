"""What an issuer says of itself is taken only where nobody on the way could have said it."""

from typing import Any

import pytest

from gateway.auth import discovery

ISSUER = "https://login.example.org"


@pytest.mark.parametrize("name", ["jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
@pytest.mark.parametrize("address", ["http://login.example.org/x", "file:///etc/passwd", None, 7])
def test_addresses_without_https_are_refused_of_an_issuer_with_it(
    monkeypatch: pytest.MonkeyPatch, name: str, address: Any
) -> None:
    said = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", name: address}
    monkeypatch.setattr(discovery, "fetch_json", lambda url: said)
    with pytest.raises(ValueError, match=f"its {name} is without https"):
        discovery.metadata_of(ISSUER)
    said[name] = f"{ISSUER}/x"
    assert discovery.metadata_of(ISSUER) is said


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://login.example.org/keys", "data:application/json,{}", ""])
def test_nothing_is_fetched_but_from_the_web(url: str) -> None:
    with pytest.raises(ValueError, match="not one of the web"):
        discovery.fetch_json(url)
