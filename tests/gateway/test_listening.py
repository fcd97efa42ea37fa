"""Where a server may not listen it says so in one sentence, with the setting to correct."""

import errno
import socket

import pytest

from gateway import server
from gateway.failures import Failure
from gateway.server import listen
from gateway.settings import Settings


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("a..b", "'a..b' is no address of this machine (no host has such a name): correct CERTGATE_HOST or --host."),
        ("192.0.2.1", "192.0.2.1 is no address of this machine: correct CERTGATE_HOST or --host."),
    ],
)
def test_an_address_of_another_machine_is_refused(host: str, says: str) -> None:
    with pytest.raises(Failure) as refused:
        listen(Settings(host=host, port=0))
    assert str(refused.value) == says


def test_a_name_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Failure, match=r"'nobody' is no address of this machine \(Name or service not known\): correct"):
        listen(Settings(host="nobody"))


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.EACCES, "Port 80 is reserved for administrators: choose one above 1023 with --port."),
        (errno.ENOBUFS, "Cannot listen on 127.0.0.1, port 80 (none left): correct --host and --port."),
    ],
)
def test_why_a_port_is_not_given(number: int, says: str) -> None:
    assert server._why(OSError(number, "none left"), "127.0.0.1", 80) == says


def test_a_port_that_is_taken_is_left_to_the_other_program() -> None:
    with listen(Settings(port=0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Failure, match=f"Port {port} is taken by another program"):
            listen(Settings(port=port))
