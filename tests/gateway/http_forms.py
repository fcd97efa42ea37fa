"""Forms of HTTP requests: ordinary ones, odd ones, and those with which requests are smuggled past a proxy."""

from itertools import product

_GET = b"GET /plain HTTP/1.1\r\nHost: x\r\n%b\r\n"
_POST = b"POST /plain HTTP/1.1\r\nHost: x\r\n%b\r\n%b"
_CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


def _line_ends() -> dict[str, bytes]:
    """Each end of a line as something else."""
    return {
        f"{name} behind {where}": b"GET /plain HTTP/1.1%bHost: x%bA: b%b%b"
        % tuple(end if place == where else b"\r\n" for place in ("the request", "Host", "a header", "all"))
        for where in ("the request", "Host", "a header", "all")
        for name, end in {
            "LF": b"\n",
            "CR": b"\r",
            "CRCRLF": b"\r\r\n",
            "LFCR": b"\n\r",
            "VT": b"\x0b",
            "nothing": b"",
        }.items()
    }


def _characters() -> dict[str, bytes]:
    """Each odd character in each part."""
    odd = [*range(0x21), 0x22, 0x28, 0x2C, 0x2F, 0x3A, 0x40, 0x5C, 0x7B, 0x7F, 0x80, 0xA0, 0xFF]
    places = {
        "the method": b"GE%bT /plain HTTP/1.1\r\nHost: x\r\n\r\n",
        "the address": b"GET /plain%b HTTP/1.1\r\nHost: x\r\n\r\n",
        "the version": b"GET /plain HTTP/1%b.1\r\nHost: x\r\n\r\n",
        "a name": b"GET /plain HTTP/1.1\r\nHost: x\r\nA%bB: c\r\n\r\n",
        "front of the colon": b"GET /plain HTTP/1.1\r\nHost: x\r\nA%b: c\r\n\r\n",
        "a value": b"GET /plain HTTP/1.1\r\nHost: x\r\nA: b%bc\r\n\r\n",
        "front of a header": b"GET /plain HTTP/1.1\r\nHost: x\r\n%bA: b\r\n\r\n",
    }
    return {
        f"{character:#04x} in {place}": form % bytes([character])
        for (place, form), character in product(places.items(), odd)
    }


def _framings() -> dict[str, bytes]:
    """Ways to say how long a body is, and to say it twice."""
    lengths = [
        b"3",
        b"03",
        b"+3",
        b"-3",
        b"3,3",
        b"3, 3",
        b"3 3",
        b"0x3",
        b"3.0",
        b"",
        b" 3 ",
        b"\t3",
        b"3;",
        b"3a",
        b"1_0",
    ]
    lengths += [b"9" * 30, b"18446744073709551619", "³".encode("latin-1")]
    codings = [
        b"chunked",
        b"Chunked",
        b" chunked ",
        b"chunked,",
        b",chunked",
        b"chunked, chunked",
        b"identity",
        b"gzip",
    ]
    codings += [
        b"gzip, chunked",
        b"chunked, gzip",
        b"chunked;q=1",
        b"xchunked",
        b"chunkedx",
        b'"chunked"',
        b"chunked\x0b",
    ]
    codings += [b"chu\tnked", b"", b"identity, chunked", b"chunked\r\n ", b"\r\n chunked"]
    names = [
        b"Transfer-Encoding",
        b"Transfer_Encoding",
        b"Transfer-Encoding ",
        b"transfer-encoding",
        b" Transfer-Encoding",
    ]
    forms = {f"length {length!r}": _POST % (b"Content-Length: %b\r\n" % length, b"abc") for length in lengths}
    forms |= {f"coding {coding!r}": _POST % (b"Transfer-Encoding: %b\r\n" % coding, _CHUNKS) for coding in codings}
    forms |= {f"coding in {name!r}": _POST % (b"%b: chunked\r\n" % name, _CHUNKS) for name in names}
    both = [
        b"Content-Length: 3\r\n",
        b"Content-Length: 4\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
    ]
    both += [b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: gzip\r\n", b"Content-Length : 3\r\n"]
    forms |= {
        f"{first!r} and {second!r}": _POST % (first + second, body)
        for first, second in product(both, both)
        for body in (_CHUNKS,)
    }
    forms |= {
        f"{version} with {header!r}": b"POST /plain HTTP/%b\r\nHost: x\r\n%b\r\n%b" % (version.encode(), header, body)
        for version in ("1.0", "0.9", "2.0", "1.2", "1.1.1", "3", "")
        for header, body in (
            (b"", b""),
            (b"Content-Length: 3\r\n", b"abc"),
            (b"Transfer-Encoding: chunked\r\n", _CHUNKS),
        )
    }
    return forms


def _chunks() -> dict[str, bytes]:
    """Odd chunks."""
    bodies = [
        b"3\r\nabc\r\n0\r\n\r\n",
        b"03\r\nabc\r\n0\r\n\r\n",
        b"3;a=b\r\nabc\r\n0\r\n\r\n",
        b'3;a="b;c"\r\nabc\r\n0\r\n\r\n',
        b"3 \r\nabc\r\n0\r\n\r\n",
        b" 3\r\nabc\r\n0\r\n\r\n",
        b"+3\r\nabc\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nab\r\n0\r\n\r\n",
        b"3\rabc\r\n0\r\n\r\n",
        b"3;\nabc\r\n0\r\n\r\n",
        b"3;a\r\rabc\r\n0\r\n\r\n",
        b"g\r\nabc\r\n0\r\n\r\n",
        b"\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n0\r\nIn-A-Trailer: b\r\n\r\n",
        b"3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n",
        b"3\r\nabc\r\n0\r\nA b\r\n\r\n",
        b"3\r\nabc\r\n0\r\n\n",
        b"3\r\nabc\r\n00000\r\n\r\n",
        b"3\r\nabc\r\n0;a\r\n\r\n",
        b"1\r\na\r\n" * 50 + b"0\r\n\r\n",
    ]
    return {f"chunks {body!r:.60}": _POST % (b"Transfer-Encoding: chunked\r\n", body) for body in bodies}


def _hosts_and_addresses() -> dict[str, bytes]:
    hosts = [
        b"",
        b"Host: x\r\nHost: x\r\n",
        b"Host: x\r\nHost: y\r\n",
        b"Host:\r\n",
        b"Host: x:80\r\n",
        b"Host: x/y\r\n",
    ]
    addresses = [
        b"/",
        b"//x/y",
        b"/a?b=c",
        b"/a?b?c#d",
        b"/%41%00",
        b"/%zz",
        b"http://x/y?z",
        b"http://x",
        b"https://x:1/y",
    ]
    addresses += [b"*", b"x:80", b"a", b"/a b", b"/\xc3\xa9", b"/..;/a", b"?a", b"#a", b"", b"ftp://x/y", b"/a\\b"]
    methods = [
        b"OPTIONS",
        b"HEAD",
        b"PUT",
        b"get",
        b"CONNECT",
        b"TRACE",
        b"PRI",
        b"QUERY",
        b"NOTAMETHOD",
        b"M-SEARCH",
        b"",
    ]
    forms = {f"hosts {host!r}": b"GET /plain HTTP/1.1\r\n%b\r\n" % host for host in hosts}
    forms |= {f"address {address!r}": b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % address for address in addresses}
    forms |= {f"method {method!r}": b"%b /plain HTTP/1.1\r\nHost: x\r\n\r\n" % method for method in methods}
    return forms


FORMS = {
    "plain": _GET % b"",
    "two at once": _GET % b"" + b"GET /error HTTP/1.1\r\nHost: x\r\n\r\n",
    "three at once, with bodies": (_POST % (b"Content-Length: 3\r\n", b"abc")) * 3,
    "blank lines in front": b"\r\n\r\n" + _GET % b"",
    "a blank in front": b" " + _GET % b"",
    "no headers": b"GET /plain HTTP/1.0\r\n\r\n",
    "1.0 kept": b"GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "closing": _GET % b"Connection: close\r\n",
    "closing among others": _GET % b"Connection: a, Close\r\n",
    "keeping and closing": _GET % b"Connection: keep-alive\r\nConnection: close\r\n",
    "a body of GET": b"GET /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "an expected body": _POST % (b"Expect: 100-continue\r\nContent-Length: 3\r\n", b"abc"),
    "another expectation": _POST % (b"Expect: a\r\nContent-Length: 3\r\n", b"abc"),
    "a folded header": _GET % b"A: b\r\n c\r\n",
    "a header folded at its colon": _GET % b"A:\r\n b\r\n",
    "a header without colon": _GET % b"A\r\n",
    "a header without name": _GET % b": b\r\n",
    "an empty value": _GET % b"A:\r\n",
    "a header twice": _GET % b"A: b\r\nA: c\r\n",
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "nothing but ends of lines": b"\r\n" * 100,
    "a body that is a request": _POST % (b"Content-Length: 35\r\n", b"GET /error HTTP/1.1\r\nHost: smuggled\r\n"[:35]),
    **_line_ends(),
    **_characters(),
    **_framings(),
    **_chunks(),
    **_hosts_and_addresses(),
}

STRICTER = {
    # Other versions than 1.0 and 1.1; chunks are of 1.1 alone (RFC 9112 section 6.1).
    *(name for name in FORMS if name.startswith(("0.9 with", "2.0 with"))),
    "1.0 with b'Transfer-Encoding: chunked\\r\\n'",
    # Codings that nobody here takes off again.
    "coding b',chunked'",
    "coding b'gzip, chunked'",
    "coding b'identity, chunked'",
    # No host, and several (RFC 9112 section 3.2).
    "hosts b''",
    "hosts b'Host: x\\r\\nHost: x\\r\\n'",
    "hosts b'Host: x\\r\\nHost: y\\r\\n'",
    "method b'CONNECT'",
}
"""What uvicorn takes and we refuse."""
