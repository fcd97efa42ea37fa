"""The public proof in GraphQL: whether anybody is shown what the products of an organisation hold."""

import strawberry

from domain import public_proof as commands
from resolvers import public_proof
from schema.changes import success_type
from schema.context import Info
from schema.keys import OrganizationId, of_organization, own_organization
from schema.mutations import Mutation, Wording
from schema.records import record_type, shown


@record_type(
    commands.PublicProof, description="Whether anybody is shown what the products of an organisation hold and claim."
)
class PublicProofType:
    """An addition of ours."""


@strawberry.type
class PublicProofQueries:
    """The root field about public proofs."""

    @strawberry.field(description="Whether anybody is shown what the products of an organisation of yours hold.")
    async def public_proof(self, info: Info, organization_id: OrganizationId = None) -> PublicProofType | None:
        """That of one organisation."""
        command = of_organization(commands.GetPublicProof, info.context, organization_id)
        return shown(await public_proof.get_public_proof(info.context.operation, command))


MUTATIONS = [
    Mutation(
        operation=public_proof.set_public_proof,
        asks="Whether anybody is shown what the products hold.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "PublicProofSet", "It is as asked for.", "public_proof", PublicProofType, "What holds from now on."
        ),
        words=Wording(
            "Has each product of the organisation shown to anybody at `/products/{gtin}`, with what it holds and claims"
            " today, or no longer. Takes a manager of the organisation.",
            "Whether it is shown.",
        ),
    ),
]
