"""Lines for operators, on standard error: each with its moment, as text or as JSON, and without secrets."""

import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

import msgspec

from domain.problem import KINDS
from domain.vocabulary import KeyKind

LogFormat = Literal["text", "json"]

_HIDDEN = "***"
# What is a secret wherever it stands: keys, JSON web tokens, passwords in addresses, what links and forms carry.
_secret = re.compile(
    rf"(?<![A-Za-z0-9])({'|'.join(KeyKind)})_[A-Za-z0-9]{{16,}}(?:_[0-9a-f]+)?"
    r"|(?<![A-Za-z0-9_-])(eyJ)[A-Za-z0-9_-]{12,}(?:\.[A-Za-z0-9_-]*)*"
    r"|(://[^\s/:@'\"]*:)[^\s/@'\"]+(?=@)"
    # The code of a refusal is none.
    rf"|(\b(?:token|link|code|state|sessionid|password|secret)=)(?!(?:{'|'.join(KINDS)})(?:[\s;]|$))[^\s&;,'\"]+"
    r"|(\bbearer +)\S+",
    re.IGNORECASE,
)
_CONTROL = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def redacted(text: str) -> str:
    """The text without what may be a secret in it."""
    return _secret.sub(lambda found: f"{next(part for part in found.groups() if part is not None)}{_HIDDEN}", text)


def moment(seconds: float) -> str:
    """A moment, in seconds since 1970, as lines have it: in UTC, to the millisecond."""
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat(timespec='milliseconds')[:-6]}Z"


class TextLines(logging.Formatter):
    """A line of text for each event: moment, process, level, where it comes from and what it is; then a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One event. What it quotes can neither end its line nor begin another."""
        said = record.getMessage().translate(_CONTROL)
        line = f"{moment(record.created)} {record.process} {record.levelname} {record.name}: {said}"
        return redacted("\n".join((line, *self._traceback(record))))

    def _traceback(self, record: logging.LogRecord) -> list[str]:
        return [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []


class JsonLines(TextLines):
    """A JSON object on a line of its own for each event."""

    def format(self, record: logging.LogRecord) -> str:
        """One event."""
        event = {
            "time": moment(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": redacted(record.getMessage()),
        }
        for traceback in self._traceback(record):
            event["traceback"] = redacted(traceback)
        return msgspec.json.encode(event).decode()


def formatter(form: LogFormat) -> logging.Formatter:
    """What makes lines of that form."""
    return JsonLines() if form == "json" else TextLines()


def configure(form: LogFormat, level: str) -> None:
    """From here on everything that is logged in this process goes to standard error, from that level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    # What libraries say besides is for those who develop them.
    root.setLevel(logging.WARNING)
    for name in ("certgate", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
