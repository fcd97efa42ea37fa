"""Calendars of saved views in GraphQL, and how early something is to be heard of."""

import strawberry

from domain import calendars as commands
from domain import lead_times as of_lead_times
from execution.markers import cost
from resolvers import calendars, lead_times
from schema.changes import ShownOnce, Success, success_type
from schema.context import Info
from schema.keys import OrganizationId, of_organization, own_organization
from schema.mutations import Mutation, Wording
from schema.records import record_type, shown


@record_type(
    commands.Calendar,
    description="A calendar of a saved view, without its address, of whose token only a digest is stored.",
)
class CalendarType:
    """An addition of ours."""


@record_type(of_lead_times.LeadTimes, description="How early an organisation wants to hear that something lapses.")
class LeadTimesType:
    """An addition of ours."""


@strawberry.type
class CalendarQueries:
    """The root fields about calendars and lead times."""

    @strawberry.field(
        description="The calendars of an organisation of yours, oldest first.",
        metadata=cost(size=commands.MAX_CALENDARS),
    )
    async def calendars(self, info: Info, organization_id: OrganizationId = None) -> list[CalendarType] | None:
        """All of them."""
        command = of_organization(commands.ListCalendars, info.context, organization_id)
        return shown(await calendars.list_calendars(info.context.operation, command))

    @strawberry.field(
        description="How early an organisation of yours wants to hear that something lapses: first what holds for all,"
        " then the certifications for which it is otherwise."
    )
    async def lead_times(self, info: Info, organization_id: OrganizationId = None) -> list[LeadTimesType] | None:
        """All of them."""
        command = of_organization(of_lead_times.ListLeadTimes, info.context, organization_id)
        return shown(await lead_times.list_lead_times(info.context.operation, command))


@strawberry.type(description="The calendar was made.")
class CalendarCreated(ShownOnce, Success):
    """Success of `createCalendar`."""

    shows = "calendar"
    tells = ("url", "url")
    calendar: CalendarType = strawberry.field(description="The new calendar, without its address.")
    url: str | None = strawberry.field(
        description=(
            "The address to subscribe to: whoever knows it reads the calendar. It is shown here and never again: only a"
            " digest is stored. Null on a dry run."
        )
    )


MUTATIONS = [
    Mutation(
        operation=calendars.create_calendar,
        asks="Of which saved view.",
        defaults={"organization_id": own_organization},
        success=CalendarCreated,
        words=Wording(
            "Makes an address under which calendar programs find the lapses of what a saved view shows, for whoever"
            " knows it. Takes an editor of the organisation.",
            "Of which view.",
        ),
    ),
    Mutation(
        operation=calendars.revoke_calendar,
        asks="Which calendar to end.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "CalendarRevoked",
            "The address leads nowhere from now on.",
            "revoked",
            CalendarType,
            "The calendar as it was.",
        ),
        words=Wording("Ends a calendar. Takes an editor of the organisation.", "Which calendar."),
    ),
    Mutation(
        operation=lead_times.set_lead_times,
        asks="For what, and how many days before.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "LeadTimesSet", "The lead times are as asked for.", "lead_times", LeadTimesType, "What holds from now on."
        ),
        words=Wording(
            "Says how early the organisation wants to hear that a certification lapses, or all that have no lead times"
            " of their own. Takes an editor of the organisation.",
            "For what, and how early.",
        ),
    ),
]
