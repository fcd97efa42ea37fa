"""How the installation is: what it runs on, and how far it has come with what is done beside requests."""

from datetime import timedelta
from typing import Any, NamedTuple

from starlette.requests import Request

from domain.vocabulary import ImportState
from resolvers import imports
from resolvers.installation import Installation, installation
from resolvers.operation import Context
from workbench.settings import webhooks


class HealthPart(NamedTuple):
    """One thing that the installation needs or does, whether it is well, and what is to be said of it."""

    name: str
    is_well: bool
    value: Any = ""


async def health(context: Context, request: Request) -> dict[str, Any]:
    """The installation. Raises `Forbidden`."""
    found = await installation(context)
    return {
        "installation": found,
        "version": request.app.state.version(),
        "checks": [*await _needs(request), *_done(found, context)],
        "running": [each for each in await imports.latest_imports(context) if each.state is ImportState.RUNNING],
        "failing": [each for each in await webhooks.every(context) if each.failing_since is not None],
    }


async def is_well(context: Context, request: Request) -> bool:
    """Whether all of it is. Raises `Forbidden`."""
    found = await installation(context)
    return all(part.is_well for part in (*await _needs(request), *_done(found, context)))


async def _needs(request: Request) -> list[HealthPart]:
    """What `/readyz` tells, but for the days, which are told of below."""
    _, parts, _ = await request.app.state.dependencies(request.app)
    return [HealthPart(name, said == "ok", said) for name, said in parts.items() if name != "date_events"]


def _done(found: Installation, context: Context) -> list[HealthPart]:
    is_late = found.waiting_since is not None and found.waiting_since < context.now - _A_WHILE
    told = found.told_until
    return [
        HealthPart("revision", found.revision == found.newest, found.revision),
        HealthPart("date_events", told is None or told >= context.today - timedelta(days=1), told),
        HealthPart("sealed", not is_late, found.sealed),
    ]


_A_WHILE = timedelta(minutes=1)
"""What waits longer to be sealed is pointed out: it is sealed every second."""
