"""Webhooks in GraphQL: where the changes of an organisation are sent, and what became of that."""

from typing import Annotated

import strawberry

from domain import webhooks as commands
from execution.markers import cost
from resolvers import webhooks
from schema.changes import ShownOnce, Success, success_type
from schema.context import Info
from schema.keys import OrganizationId, of_organization, own_organization
from schema.mutations import Mutation, Wording
from schema.records import record_type, shown


@record_type(
    commands.Webhook, description="An address to which changes are sent, without the secret by which they are signed."
)
class WebhookType:
    """An addition of ours."""


@record_type(commands.Delivery, name="WebhookDelivery", description="One try to deliver something to a webhook.")
class DeliveryType:
    """An addition of ours."""


@strawberry.type
class WebhookQueries:
    """The root fields about webhooks."""

    @strawberry.field(
        description="The webhooks of an organisation whose manager you are, oldest first.",
        metadata=cost(size=commands.MAX_WEBHOOKS),
    )
    async def webhooks(self, info: Info, organization_id: OrganizationId = None) -> list[WebhookType] | None:
        """All of them."""
        command = of_organization(commands.ListWebhooks, info.context, organization_id)
        return shown(await webhooks.list_webhooks(info.context.operation, command))

    @strawberry.field(
        description=f"The last {commands.REMEMBERED} tries to deliver something to a webhook of an organisation whose"
        " manager you are, the latest first.",
        metadata=cost(size=commands.REMEMBERED),
    )
    async def webhook_deliveries(
        self,
        info: Info,
        webhook_id: Annotated[strawberry.ID, strawberry.argument(description="The id of the webhook.")],
        organization_id: OrganizationId = None,
    ) -> list[DeliveryType] | None:
        """Those of one webhook."""
        owner = own_organization(info.context) if organization_id is None else organization_id
        command = commands.ListDeliveries.parse({"organization_id": owner, "webhook_id": webhook_id})
        return shown(await webhooks.list_deliveries(info.context.operation, command))


_SHOWN_ONCE = (
    "The secret by which what is sent is signed, as Standard Webhooks has it. It is shown here and never again. Null on"
    " a dry run."
)


@strawberry.type(description="The webhook was made.")
class WebhookCreated(ShownOnce, Success):
    """Success of `createWebhook`."""

    shows = "webhook"
    tells = ("secret", "secret")
    webhook: WebhookType = strawberry.field(description="The new webhook, without its secret.")
    secret: str | None = strawberry.field(description=_SHOWN_ONCE)


@strawberry.type(description="The webhook has another secret.")
class WebhookSecretRotated(ShownOnce, Success):
    """Success of `rotateWebhookSecret`."""

    shows = "webhook"
    tells = ("secret", "secret")
    webhook: WebhookType = strawberry.field(description="The webhook, without its secret.")
    secret: str | None = strawberry.field(description=_SHOWN_ONCE)


MUTATIONS = [
    Mutation(
        operation=webhooks.create_webhook,
        asks="Where changes are to be sent, and which.",
        defaults={"organization_id": own_organization},
        success=WebhookCreated,
        words=Wording(
            "Has the changes of an organisation sent to an address from now on. Takes a manager of the organisation.",
            "The webhook.",
        ),
    ),
    Mutation(
        operation=webhooks.patch_webhook,
        asks="Which webhook to change, and how.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "WebhookPatched", "The webhook is as asked for.", "webhook", WebhookType, "The webhook after the change."
        ),
        words=Wording(
            "Changes a webhook; what failed before is tried at once. Takes a manager of the organisation.",
            "Which webhook, and what changes.",
        ),
    ),
    Mutation(
        operation=webhooks.remove_webhook,
        asks="Which webhook to end.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "WebhookRemoved", "Nothing is sent there any more.", "removed", WebhookType, "The webhook as it was."
        ),
        words=Wording("Ends a webhook. Takes a manager of the organisation.", "Which webhook."),
    ),
    Mutation(
        operation=webhooks.rotate_webhook_secret,
        asks="Which webhook is to have another secret.",
        defaults={"organization_id": own_organization},
        success=WebhookSecretRotated,
        words=Wording(
            "Gives a webhook another secret and shows it, this once. For 24 hours what is sent is signed by the one"
            " before, too. Takes a manager of the organisation.",
            "Which webhook.",
        ),
    ),
    Mutation(
        operation=webhooks.test_webhook,
        asks="Which webhook to try.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "WebhookTested",
            "Something is sent within seconds; the deliveries say what became of it.",
            "webhook",
            WebhookType,
            "The webhook.",
        ),
        words=Wording(
            "Sends a webhook something that only tries it, whether it is enabled or not. Takes a manager of the"
            " organisation.",
            "Which webhook.",
        ),
    ),
    Mutation(
        operation=webhooks.replay_webhook,
        asks="Which webhook is to go on from where.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "WebhookReplayed", "It goes on from there.", "webhook", WebhookType, "The webhook after the change."
        ),
        words=Wording(
            "Has a webhook go on from an earlier moment or change, so that what came since is sent again, or from a"
            " later one, so that what is between is not. Takes a manager of the organisation.",
            "Which webhook, and from where: one of the two.",
        ),
    ),
]
