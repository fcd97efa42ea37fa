"""Checkpoints of the log as signed notes (C2SP signed-note, Ed25519).

A name, how many rows the chain has, and the hash of the last one, in a line each.
"""

from base64 import b64decode, b64encode
from binascii import Error
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.sealing import Checkpoint

_ED25519 = b"\x01"


class NoCheckpoint(Exception):
    """A text is no checkpoint of this installation; the text says why, and what to do."""


class Signer:
    """What signs checkpoints and knows its own signatures; `secret` is 64 hex digits."""

    def __init__(self, secret: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
        self._public = self._private.public_key()
        encoded = _ED25519 + self._public.public_bytes_raw()
        self.name = f"certgate-{sha256(encoded).hexdigest()[:8]}"
        """What the installation is called in its checkpoints."""
        self._id = sha256(f"{self.name}\n".encode() + encoded).digest()[:4]
        self.verifier = f"{self.name}+{self._id.hex()}+{b64encode(encoded).decode()}"
        """The public key, as programs for signed notes take it."""

    def signed(self, checkpoint: Checkpoint) -> str:
        """The note of a checkpoint."""
        text = f"{self.name}\n{checkpoint.size}\n{checkpoint.hash}\n"
        signature = b64encode(self._id + self._private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"

    def read(self, note: str) -> Checkpoint:
        """The checkpoint of a note that this installation has signed. Raises `NoCheckpoint`."""
        text, _, signatures = note.partition("\n\n")
        try:
            origin, size, head = text.split("\n")
            checkpoint = Checkpoint(int(size), head)
            if len(b64decode(head, validate=True)) != 32 or checkpoint.size < 0:
                raise ValueError(head)
        except ValueError as error:
            raise NoCheckpoint("This is no checkpoint: it has a name, a number and a hash in a line each.") from error
        if origin != self.name:
            raise NoCheckpoint(f"This is a checkpoint of {origin!r}, and this installation is {self.name!r}.")
        for line in signatures.splitlines():
            try:
                self._public.verify(_signature(line, self.name, self._id), f"{text}\n".encode())
            except (InvalidSignature, ValueError):
                continue
            return checkpoint
        raise NoCheckpoint("The checkpoint is not signed by this installation; take the file as it was made.")


def _signature(line: str, name: str, id: bytes) -> bytes:
    """The signature in a line of a note. Raises `ValueError` where it is of another key."""
    dash, signer, encoded = line.split(" ")
    try:
        signature = b64decode(encoded, validate=True)
    except Error as error:
        raise ValueError(line) from error
    if (dash, signer, signature[:4]) != ("—", name, id):
        raise ValueError(line)
    return signature[4:]
