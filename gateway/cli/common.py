"""What several commands need: settings, the database, how failures and tables are shown."""

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from domain.vocabulary import Role

if TYPE_CHECKING:
    from db.engine.database import Database
    from gateway.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


CALLED_FROM = "CERTGATE_CALLED_FROM"
"""The variable by which the launcher, which goes to the project root, says where it was called."""


class CallersPath(click.Path):
    """A path as the caller means it: a relative one starts where the caller stands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, whole where the command runs elsewhere."""
        where = os.environ.get(CALLED_FROM, "")
        if where and not Path(where).samefile(Path.cwd()) and not (self.allow_dash and str(value) == "-"):
            value = Path(where, value)
        return super().convert(value, param, ctx)


def role_option(help: str) -> Callable[[F], F]:
    """The option that names a role; `help` says of what."""
    return click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help=help)


class FailedCommand(click.ClickException):
    """How an expected failure is shown."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes it to standard error."""
        for line in self.message.splitlines():
            click.echo(f"certgate: {line}", file=file, err=True)


class WrongSetting(FailedCommand):
    """How a wrong setting is shown."""

    exit_code = 2


def printable(_: click.Context, option: click.Parameter, text: str) -> str:
    """A name as it was typed; refuses one that cannot be shown."""
    return read_name(text, at_least=int(option.required))


def read_name(text: str, *, at_least: int = 1) -> str:
    """A name as it was typed. Raises `click.BadParameter` for one that cannot be shown, or is too short."""
    if len(text) > 255 or not text.isprintable() or len(text.strip()) < at_least:
        raise click.BadParameter(f"A name has {at_least} to 255 printable characters.")
    return text


def read_settings(**overrides: Any) -> "Settings":
    """The settings, those that the command line gives first; says which variables nobody reads."""
    from gateway.environment import load_settings, unknown_variables

    for sentence in unknown_variables():
        click.echo(f"certgate: {sentence}", err=True)
    return load_settings(**{name: value for name, value in overrides.items() if value is not None})


def run(work: Coroutine[Any, Any, R]) -> R:
    """What the work of a command gives."""
    import asyncio
    import logging

    log = logging.getLogger("certgate.database")
    level = log.level
    # What befalls the database is the sentence with which the command ends.
    log.setLevel(logging.ERROR)
    try:
        return asyncio.run(work)
    finally:
        log.setLevel(level)


def on_database(
    settings: "Settings",
    operation: "Callable[Concatenate[Database, P], Awaitable[R]]",
    *arguments: P.args,
    **options: P.kwargs,
) -> R:
    """What an operation on the database gives, which is opened for it."""
    from gateway import storage

    async def work() -> R:
        async with storage.opened(settings) as database:
            return await operation(database, *arguments, **options)

    return run(work())


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Says how far the work is: what is done, how many rows were, and of how many, 0 where that is not known.

    Once a second at a terminal, every ten seconds elsewhere.
    """
    from time import monotonic

    at_terminal = sys.stderr.isatty()
    pause = 1 if at_terminal else 10
    said = monotonic()

    def told(what: str, rows: int, of: int) -> None:
        nonlocal said
        if monotonic() - said >= pause:
            said = monotonic()
            text = f"certgate: {what}{f', {rows:,} of {of:,} rows' if of else ''}"
            click.echo(f"\r{text}\x1b[K" if at_terminal else text, err=True, nl=not at_terminal)

    try:
        yield told
    finally:
        if at_terminal:
            click.echo("\r\x1b[K", err=True, nl=False)


def print_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], if_none: str = "") -> None:
    """Prints rows below their head, or what to say if there are none."""
    table = [head, *rows]
    if if_none and len(table) == 1:
        print(if_none)
        return
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
