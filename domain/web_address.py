"""Web addresses: http and https URLs that everybody reads alike.

Parsers of URLs repair what they read (they drop tabs and line ends, turn backslashes, fold the host), each in its own
way; what one of them approves another may take for a different place. So an address is judged as it is written, by the
characters of RFC 3987, and its host has to be the one that is looked up.
"""

import re

from pydantic import AnyHttpUrl, TypeAdapter, ValidationError

# Control characters, blanks, what RFC 3987 leaves out of every part, and what cannot be seen.
_NEVER = (
    r'\x00-\x20"<>\\^`{|}\x7f-\xa0\xad'
    r"\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\uf8ff\ufeff\ufff0-\uffff"
)
_LABEL = rf"[^{_NEVER}!#$%&'()*+,./:;=?@~\[\]]+"
_PART = rf"(?:[^{_NEVER}#%\[\]]|%[0-9A-Fa-f]{{2}})*"
_address = re.compile(
    rf"[Hh][Tt][Tt][Pp][Ss]?://(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{{0,4}})?"
    rf"(?:[/?]{_PART})?(?:#{_PART})?"
)
_BEFORE_PATH = r'[Hh][Tt][Tt][Pp][Ss]?://[^\x00-\x20"<>\\^`{|}/?#@]+'
PATTERN = rf'^(?:{_BEFORE_PATH}(?:[/?#][^\x00-\x20"<>\\^`{{|}}]*)?)?$'
"""The form of an address as documented, or of no address: short, so that some that fit are refused nevertheless."""
PATTERN_OF_RECEIVER = rf'^{_BEFORE_PATH}(?:[/?][^\x00-\x20"<>\\^`{{|}}#]*)?$'
"""The same of an address to which something is sent, which is some address and has no fragment."""

_unwelcome = re.compile(rf"[{_NEVER}]|(?<!//)\[")
_stray_percent = re.compile("%(?![0-9A-Fa-f]{2})")
_host = re.compile(r"[^:]+://(\[.*?\]|[^/?#:]*)")
_user = re.compile("[^/?#]*//[^/?#]*@")

_url: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def why_not_a_web_address(text: str) -> str | None:
    """Why `text` is no absolute http or https URL without user name, in one sentence; None when it is one."""
    if found := _unwelcome.search(text):
        encoded = "".join(f"%{byte:02X}" for byte in found[0].encode(errors="replace"))
        return f"Input should be a URL without {found[0]!a}; write it as {encoded} or leave it out"
    if _stray_percent.search(text):
        return "Input should be a URL with two hexadecimal digits behind each '%'; write '%' itself as %25"
    if _user.match(text) or not _address.fullmatch(text):
        return "Input should be an http or https URL without user name, or an empty string"
    try:
        url = _url.validate_python(text)
    except ValidationError:
        return "Input should be a URL with a host and a port that can exist"
    host = _host.match(text)
    if host is None or host[1].lower() not in (url.host, url.unicode_host()):
        return "Input should be a URL whose host is written as it is looked up, without variants of letters and digits"
    return None


def scheme_and_host(address: str) -> tuple[str, str]:
    """Both of a web address, in small letters; the host without brackets."""
    host = _host.match(address)
    return address.partition(":")[0].lower(), "" if host is None else host[1].strip("[]").lower()
