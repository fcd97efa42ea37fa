"""Commands that serve."""

import gc
import os

import click

from gateway.cli.common import read_settings

_host = click.option("--host", help="The address to listen on, instead of CERTGATE_HOST.")
_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to listen on, instead of CERTGATE_PORT; 0: any free one.",
)


@click.command()
@_host
@_port
def serve(host: str | None, port: int | None) -> None:
    """Serve both faces until told to stop."""
    # What is imported stays for good. Looking for garbage in it, again and again, is a fifth of a start.
    # `server.serve` switches the collector on again.
    gc.disable()
    # Looking for plugins of pydantic reads the metadata of every package, and the locks name none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    from gateway import server, storage

    settings = read_settings(host=host, port=port)

    async def work() -> None:
        with server.listen(settings) as listener:
            async with storage.opened(settings) as database:
                from gateway.app import create_app
                from gateway.telemetry.telemetry import Telemetry

                site = server.address(settings, listener)
                text = (
                    f"certgate answers on {site}; its database is"
                    f" {storage.shown(settings.database_url)}; stop it with Ctrl+C."
                )
                application = create_app(settings, database, site=site)
                telemetry = Telemetry(settings)
                await server.serve(settings, application, listener, lambda: print(text, flush=True), telemetry)

    server.run(work())


@click.command()
@_host
@_port
def demo(host: str | None, port: int | None) -> None:
    """Set up whatever is missing, serve the demo products and print how to sign in."""
    from gateway import server
    from gateway.demo import demo as run_demo

    server.run(run_demo(read_settings(host=host, port=port)))
