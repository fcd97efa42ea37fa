"""The form of an API key: `<prefix>_<32 alphanumeric characters>_<CRC-32 of those, 8 hex digits>` (contract 1.5)."""

import hashlib
import secrets
import string
import zlib

from domain.vocabulary import KeyKind

MAX_KEYS = 100
"""How many keys that are neither revoked nor expired managers may make; the operator may add to them."""

MAX_SESSIONS = 50
"""How many browsers may be signed in with one key; the next one ends the session that began first."""

_ALPHABET = string.ascii_letters + string.digits
_KINDS = frozenset(KeyKind)


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def new_key(kind: KeyKind) -> str:
    """A fresh key. Only its digest may be stored."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(32))
    return f"{kind}_{body}_{_checksum(body)}"


def is_well_formed(key: str) -> bool:
    """Whether a key has the right shape and checksum; a key that has not is refused without asking the database."""
    parts = key.split("_")
    return (
        len(parts) == 3
        and parts[0] in _KINDS
        and len(parts[1]) == 32
        and parts[1].isascii()
        and parts[1].isalnum()
        and parts[2] == _checksum(parts[1])
    )


def digest(secret: str) -> str:
    """The SHA-256 of a secret in hex: what is stored, and what is looked up. The secrets are long and random."""
    return hashlib.sha256(secret.encode()).hexdigest()
