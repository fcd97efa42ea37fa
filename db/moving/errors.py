"""Why something does not move."""


class CannotMove(Exception):
    """The text is one sentence with the remedy."""
