"""The OAuth server of `server.mjs`, installed once and run in a process of its own."""

import json
import socket
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.npm import workplace

HERE = Path(__file__).parent

Key = dict[str, Any]


def new_keys(generation: str = "1") -> list[Key]:
    """A private key of each kind that is accepted by default, as JWKs."""
    made = (
        ("rsa", RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048), as_dict=True)),
        ("ec", ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)),
        ("okp", OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True)),
    )
    return [{**jwk, "kid": f"{name}-{generation}", "use": "sig", "key_ops": ["sign"]} for name, jwk in made]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@cache
def _loaded(jwk: str, algorithm: str) -> Any:
    """A private key to sign with; loading one of RSA takes longer than anything that a test does with it."""
    return jwt.PyJWK(json.loads(jwk), algorithm).key


class Authority:
    """One running server. `fetched` counts how often somebody asked for its keys."""

    def __init__(
        self,
        clients: dict[str, dict[str, str]],
        *,
        people: dict[str, dict[str, Any]] | None = None,
        site: dict[str, str] | None = None,
        tells: bool = True,
        port: int = 0,
        clock_shift: int = 0,
    ) -> None:
        self.port = port or free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.clients = clients
        self.people = people or {}
        self.site = site
        self.tells = tells
        self.clock_shift = clock_shift
        self.fetched = 0
        self.keys: list[Key] = []
        self._process: subprocess.Popen[str] | None = None
        self._counting: threading.Thread | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="certgate-oauth-")

    def start(self, keys: list[Key]) -> None:
        """Starts it with these keys, and waits until it listens."""
        self.keys = keys
        folder = Path(self._folder.name) / HERE.name
        if not folder.exists():
            workplace(HERE, folder.parent)
        config = {
            "port": self.port,
            "keys": keys,
            "clients": self.clients,
            "people": self.people,
            "site": self.site,
            "tells": self.tells,
            "clockShift": self.clock_shift,
        }
        self._process = subprocess.Popen(
            ["node", "server.mjs", json.dumps(config)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == f"listening {self.port}\n"
        self._counting = threading.Thread(target=self._count, args=[self._process.stdout], daemon=True)
        self._counting.start()

    def stop(self) -> None:
        """Stops it; what it has said by then is counted."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
        if self._counting is not None:
            self._counting.join(10)

    def _count(self, lines: Any) -> None:
        with lines:
            self.fetched += sum(line == "keys\n" for line in lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def token(
        self,
        client: str = "writer",
        scope: str = "certifications:read certifications:write",
        resource: str = "https://certgate.test",
    ) -> str:
        """An access token that the server issues to a client."""
        form = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
        answer = httpx2.post(f"{self.issuer}/token", data=form, auth=(client, "secret"), trust_env=False)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def forged(self, kid: str = "rsa-1", algorithm: str = "RS256", **claims: Any) -> str:
        """A token that the server would not issue, signed with a key of its own; None takes a claim away."""
        return self.signed({**self.stated(), **claims}, kid, algorithm)

    def stated(self) -> dict[str, Any]:
        """What a token says that the server issues."""
        said: dict[str, Any] = jwt.decode(self.token(), options={"verify_signature": False})
        return said

    def signed(self, claims: dict[str, Any], kid: str = "rsa-1", algorithm: str = "RS256") -> str:
        """A token with exactly these claims but for those that are None, of whatever types they are."""
        jwk = next(key for key in self.keys if key["kid"] == kid)
        key = _loaded(json.dumps(jwk), algorithm)
        stated = {name: value for name, value in claims.items() if value is not None}
        return jwt.PyJWS().encode(json.dumps(stated).encode(), key, algorithm, headers={"kid": kid})
