"""What an archive has besides rows, put in once they are: each by the operation that its members would have called."""

from contextlib import closing

from domain.lead_times import setting
from domain.public_proof import SetPublicProof
from domain.views import restoring
from domain.vocabulary import Existing
from files.archives.reading import Missing
from resolvers.importing import Met, definitions_of, put
from resolvers.lead_times import set_lead_times
from resolvers.operation import Context
from resolvers.public_proof import set_public_proof
from resolvers.views import restore_view


async def put_settings(context: Context, missing: Missing) -> None:
    """Sets what is missing. Put in again, the archive goes on where this was killed."""
    lacking, settings = missing
    if lacking:
        # They are made with the first rows, of which there may be none.
        with closing(Met()) as met:
            await put(context, (), Existing.UPDATE, await definitions_of(context, lacking), met)
    for view in settings.views:
        await restore_view(context, restoring(view))
    for times in settings.lead_times:
        await set_lead_times(context, setting(times))
    for proof in settings.public_proof:
        sent = {"organization_id": proof.organization_id, "is_enabled": proof.is_enabled}
        await set_public_proof(context, SetPublicProof.parse(sent))
