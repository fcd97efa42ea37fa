"""The command line: `./certgate WORD ...`, or `python -m gateway WORD ...`.

Everything dear is imported inside the commands, so that `--help` answers at once. An expected failure is one
sentence on standard error: exit code 2 for a wrong setting or argument, 1 for anything else.
"""

import sys
from typing import Any

import click

from gateway.cli.common import FailedCommand, WrongSetting
from gateway.cli.contracts import contracts, schema
from gateway.cli.data import distribute, migrate, seed
from gateway.cli.documents import documents, explain
from gateway.cli.export import export
from gateway.cli.importing import import_
from gateway.cli.init import init
from gateway.cli.keys import keys
from gateway.cli.moving import backup, copy, restore
from gateway.cli.organizations import members, organizations
from gateway.cli.sealing import checkpoint, verify
from gateway.cli.serving import demo, serve


class _Commands(click.Group):
    """The commands; their expected failures become sentences, defects keep their traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from gateway.failures import explain
            from gateway.settings import SettingsError

            if isinstance(error, SettingsError):
                raise WrongSetting(str(error)) from error
            sentence = explain(error)
            if sentence is None:
                raise
            raise FailedCommand(sentence) from error


def _show_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        from gateway.version import version

        click.echo(f"certgate {version()}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Which it is.")
def cli() -> None:
    """A gateway for product certifications and claims, in GraphQL and REST.

    Settings are environment variables that start with CERTGATE_; docs/settings.md lists them.
    """


for _command in (
    backup,
    checkpoint,
    contracts,
    copy,
    demo,
    distribute,
    documents,
    explain,
    export,
    import_,
    init,
    keys,
    members,
    migrate,
    organizations,
    restore,
    schema,
    seed,
    serve,
    verify,
):
    cli.add_command(_command)


def main() -> None:
    """Runs the command line and ends the process."""
    # Bytes that are no text come as half characters, which no database takes.
    if any("\ud800" <= character <= "\udfff" for word in sys.argv for character in word):
        click.echo("certgate: what was typed is not all text in UTF-8; type it again, or set LC_ALL=C.UTF-8.", err=True)
        sys.exit(2)
    cli(prog_name="certgate")
