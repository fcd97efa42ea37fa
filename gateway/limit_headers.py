"""What every answer says about rate limits: the contract's headers (1.7), their older aliases, and the IETF field.

`RateLimit-Policy` and the `RateLimit-*` triple are those of the contract, an older draft's. `RateLimit` is the field of
draft-ietf-httpapi-ratelimit-headers-10, a list of structured-field strings with parameters; that draft has its own form
of `RateLimit-Policy`, which the contract's takes the place of.
"""

from functools import lru_cache
from math import ceil

from gateway.limiter import DAY, MINUTE, Limits, Standing


@lru_cache(maxsize=256)
def _policy(limits: Limits) -> bytes:
    return b"%d;w=%d, %d;w=%d" % (limits.minute, MINUTE, limits.day, DAY)


def limit_headers(standing: Standing) -> list[tuple[bytes, bytes]]:
    """The headers of a standing, for an ASGI message.

    The window reported is the one that trips first. Seconds are rounded up: who waits as long as
    told finds the window over.
    """
    _, limits, now, minute_used, minute_end, day_used, day_end = standing
    # Below nought when a limit was lowered after more had been spent.
    minute_left, day_left = max(0, limits.minute - minute_used), max(0, limits.day - day_used)
    minute_reset, day_reset = ceil(minute_end - now), ceil(day_end - now)
    if standing.minute_trips_first:
        limit, left, reset, end = limits.minute, minute_left, minute_reset, minute_end
    else:
        limit, left, reset, end = limits.day, day_left, day_reset, day_end
    quota, remaining = b"%d" % limit, b"%d" % left
    return [
        (b"ratelimit-policy", _policy(limits)),
        (b"ratelimit-limit", quota),
        (b"ratelimit-remaining", remaining),
        (b"ratelimit-reset", b"%d" % reset),
        (b"x-ratelimit-limit", quota),
        (b"x-ratelimit-remaining", remaining),
        (b"x-ratelimit-reset", b"%d" % ceil(end)),
        (b"ratelimit", b'"minute";r=%d;t=%d, "day";r=%d;t=%d' % (minute_left, minute_reset, day_left, day_reset)),
    ]
