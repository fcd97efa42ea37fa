"""What changes what products hold and claim: the same mutations for both kinds."""

from typing import Any

from domain.errors import AlreadyAssigned, Archived, NotFound
from execution.batched import batched
from resolvers import products
from resolvers.operation import MAX_ROWS, WriteOperation
from schema.changes import success_type
from schema.context import Info
from schema.mutations import Mutation, Wording
from schema.objects import AcknowledgementType, ProductType
from schema.records import shown

Write = WriteOperation[Any, Any]


def assignment_mutations(
    noun: str, verb: tuple[str, str, str], assignment: type, assign: Write, patch: Write, remove: Write
) -> list[Mutation]:
    """The mutations of what a product has of one kind. `verb` is plain, of the third person, and of the past."""
    have, has, had = verb
    kind = noun.capitalize()

    async def products_of_removed(parents: list[Any], info: Info) -> list[ProductType]:
        gtins = [parent.removed.gtin for parent in parents]
        return shown(await products.products_of_gtins(info.context.operation, gtins))

    product = batched(description=f"The product that {had} the {noun}, as it is now.")(products_of_removed)
    return [
        Mutation(
            operation=assign,
            asks=f"Which {noun} to put on which product, and what is known about it.",
            success=success_type(
                f"{kind}Assigned", f"The {noun} is on the product.", "assignment", assignment, "The new assignment."
            ),
            refusals=(NotFound, AlreadyAssigned),
            words=Wording(
                f"Puts a {noun} on a product that your organisation owns.", f"Which {noun} on which product."
            ),
            bulk=Wording(
                f"Puts {noun}s on products that your organisation owns.",
                f"Which {noun}s on which products; at most {MAX_ROWS} rows.",
            ),
        ),
        Mutation(
            operation=patch,
            asks=f"Which {noun} of which product to change, and its new values.",
            versioned="assignment",
            refusals=(NotFound, Archived),
            success=success_type(
                f"{kind}AssignmentPatched",
                "The assignment is as asked for.",
                "assignment",
                assignment,
                "The assignment after the change.",
            ),
            words=Wording(
                f"Changes what is recorded about a {noun} that your product {has}.",
                "Which assignment, and what changes.",
            ),
            bulk=Wording(
                f"Changes what is recorded about {noun}s that your products {have}.",
                f"Which assignments, and what changes; at most {MAX_ROWS} rows.",
            ),
        ),
        Mutation(
            operation=remove,
            asks=f"Which {noun} to take off which product.",
            versioned="assignment",
            refusals=(NotFound, Archived),
            success=success_type(
                f"{kind}Removed",
                f"The product no longer {has} the {noun}.",
                "removed",
                assignment,
                "The assignment as it was; its id is gone.",
                product=product,
            ),
            words=Wording(
                f"Takes a {noun} off a product that your organisation owns.", f"Which {noun} of which product."
            ),
            bulk=Wording(
                f"Takes {noun}s off products that your organisation owns.",
                f"Which {noun}s of which products; at most {MAX_ROWS} rows.",
            ),
        ),
    ]


def acknowledgement_mutations(noun: str, acknowledge: Write, unacknowledge: Write) -> list[Mutation]:
    """The mutations about who has taken on that what a product has of one kind lapses."""
    kind = noun.capitalize()
    return [
        Mutation(
            operation=acknowledge,
            asks=f"Which {noun} of which product lapses, until when that is taken on, and why.",
            versioned="assignment",
            refusals=(NotFound, Archived),
            success=success_type(
                f"{kind}Acknowledged",
                "The lapse is taken on.",
                "acknowledgement",
                AcknowledgementType,
                "Who has, until when and why.",
            ),
            words=Wording(
                f"Takes on that a {noun} of a product that your organisation owns lapses: digests leave it out, and"
                " lists can. That ends by itself behind its last day, and once the day of the lapse is another one.",
                "Which lapse, until when, and why.",
            ),
            bulk=Wording(
                f"Takes on that {noun}s of products that your organisation owns lapse.",
                f"Which lapses, until when, and why; at most {MAX_ROWS} rows.",
            ),
        ),
        Mutation(
            operation=unacknowledge,
            asks=f"Which {noun} of which product it is.",
            versioned="assignment",
            refusals=(NotFound, Archived),
            success=success_type(
                f"{kind}Unacknowledged",
                "Nobody has taken the lapse on any more.",
                "removed",
                AcknowledgementType,
                "Who had.",
            ),
            words=Wording(
                f"Gives it back to everybody that a {noun} of a product that your organisation owns lapses.",
                f"Which {noun} of which product.",
            ),
            bulk=Wording(
                f"Gives it back to everybody that {noun}s of products that your organisation owns lapse.",
                f"Which {noun}s of which products; at most {MAX_ROWS} rows.",
            ),
        ),
    ]
