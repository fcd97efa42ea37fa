"""Sealing the log of changes in the background, a moment after each commit."""

from db.engine.database import Database
from db.sealing import Sealer
from gateway.regularly import Regularly

EVERY_SECONDS = 1


class Sealing(Regularly):
    """Seals every second what was committed; each process does, and the database lets one at a time."""

    def __init__(self, database: Database) -> None:
        super().__init__("Sealing the log of changes", Sealer(database).seal, EVERY_SECONDS)
