"""The settings of one process: immutable; `gateway/environment.py` reads them.

pydantic costs a tenth of a second to import, so commands import this module when they need it.
"""

import re
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, AnyHttpUrl, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from domain.email_address import is_email
from domain.problem import ErrorPages
from domain.web_address import why_not_a_web_address

DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "valkey", "valkeys", "unix")

SIGNATURES = {f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)} | {"EdDSA"}
"""The algorithms whose keys an authorization server can publish: never `none`, never a shared secret."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HEADER_NAME = re.compile(r"[a-z0-9_-]+")


class SettingsError(Exception):
    """A setting is wrong; the text is one sentence for each: the variable and the remedy, never its value."""


def _database_url(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.partition("+")[0] not in DATABASE_SCHEMES:
        raise PydanticCustomError(
            "database_url", "should look like sqlite:///var/certgate.db or postgresql://user:password@host/name"
        )
    return url


def _direct_url(url: str) -> str:
    if url and url.partition("://")[0] not in DATABASE_SCHEMES[1:]:
        raise PydanticCustomError("direct_url", "should look like postgresql://user:password@host/name")
    return url


def _read_urls(urls: str) -> str:
    for url in urls.split():
        _direct_url(url)
    return urls


def _redis_url(url: str) -> str:
    if url:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in REDIS_SCHEMES and (parts.hostname or parts.scheme == "unix") and parts.port != 0
            # A slash in a password ends the host's name, which is logged.
            usable = usable and "@" not in parts.path
        except ValueError:
            usable = False
        if not usable:
            raise PydanticCustomError("redis_url", "should look like redis://localhost:6379/0")
    return url


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _is_plain(url: str) -> bool:
    """Whether something can be put behind it: a web address without query and fragment."""
    return not ("?" in url or "#" in url or why_not_a_web_address(url))


def _public_url(url: str) -> str:
    if url and not (url.isascii() and _is_plain(url)):
        raise PydanticCustomError("public_url", "should look like https://certgate.example.org")
    return url.rstrip("/")


def _problem_type_base(url: str) -> str:
    if not (_is_plain(url) and url.endswith("/")):
        raise PydanticCustomError("problem_type_base", "should be an http or https URL that ends with a slash")
    return url


def split(text: str) -> tuple[str, ...]:
    """What a setting lists with commas between, in lower case as browsers write origins."""
    return tuple(entry.strip().lower() for entry in text.split(",") if entry.strip())


def _is_origin(text: str) -> bool:
    # Browsers write a host in ASCII, and a port only where it is not the usual one.
    return _is_plain(text) and str(AnyHttpUrl(text)) == f"{text}/"


def _origins(text: str) -> str:
    origins = split(text)
    if origins != ("*",) and not all(map(_is_origin, origins)):
        raise PydanticCustomError(
            "origins",
            "should be * alone, or origins without path and without the usual port, as browsers write them, such as"
            " https://dashboard.example.org",
        )
    return text


def _header_names(text: str) -> str:
    if not all(_HEADER_NAME.fullmatch(name) for name in split(text)):
        raise PydanticCustomError("header_names", "should be names of headers such as sentry-trace, x-datadog-origin")
    return text


def _issuer(url: str) -> str:
    if url:
        parts = urlsplit(url) if _is_plain(url) else None
        # In the clear, whoever is on the way could sign tokens; nobody is between a machine and itself.
        if parts is None or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
            raise PydanticCustomError("issuer", "should be an https URL, such as https://login.example.org")
    return url


def _audience(audience: str, info: ValidationInfo) -> str:
    if info.data.get("oauth_issuer") and not (audience or info.data.get("public_url")):
        raise PydanticCustomError(
            "audience", "it should name this server, since CERTGATE_OAUTH_ISSUER is set; set it, or CERTGATE_PUBLIC_URL"
        )
    return audience


def _smtp_url(url: str) -> str:
    if url:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
            usable = usable and parts.path in ("", "/") and not parts.query
        except ValueError:
            usable = False
        if not usable:
            raise PydanticCustomError("smtp_url", "should look like smtp://user:password@mail.example.org:587")
    return url


def _smtp_from(address: str, info: ValidationInfo) -> str:
    if (address or info.data.get("smtp_url")) and not (is_email(address) and info.data.get("public_url")):
        raise PydanticCustomError(
            "smtp_from",
            "it should be the e-mail address that sends, since CERTGATE_SMTP_URL is set; set it, and"
            " CERTGATE_PUBLIC_URL, to which links in mails lead",
        )
    return address


def _metrics_token(token: str) -> str:
    if token and not re.fullmatch(r"[!-~]{16,}", token):
        raise PydanticCustomError("metrics_token", "should have at least 16 letters, digits or signs, and no blanks")
    return token


def _traces_url(url: str) -> str:
    if url and not _is_plain(url):
        raise PydanticCustomError("traces_url", "should look like http://127.0.0.1:4318/v1/traces")
    return url


def _client_id(id: str, info: ValidationInfo) -> str:
    if info.data.get("oidc_issuer") and not (id and info.data.get("public_url")):
        raise PydanticCustomError(
            "client_id",
            "it should be what the provider calls this server, since CERTGATE_OIDC_ISSUER is set; set it, and"
            " CERTGATE_PUBLIC_URL",
        )
    return id


def _openid_scopes(names: str) -> str:
    if "openid" not in names.split():
        raise PydanticCustomError("openid_scopes", "should name openid, such as openid email")
    return names


def _algorithms(names: str) -> str:
    if not names.split() or not set(names.split()) <= SIGNATURES:
        raise PydanticCustomError(
            "algorithms", "should be some of {names}, separated by blanks", {"names": ", ".join(sorted(SIGNATURES))}
        )
    return names


def _networks(names: str) -> str:
    try:
        for name in names.split():
            ip_network(name)
    except ValueError:
        raise PydanticCustomError(
            "networks", "should be networks without host bits, separated by blanks, such as 10.1.0.0/16 fd00::/8"
        ) from None
    return names


def _limit(default: int, description: str, most: int = 1_000_000_000) -> Any:
    """A limit of GraphQL documents: name and default are those of `DocumentLimits`, which is dear to import."""
    return Field(default=default, ge=1, le=most, description=description)


class Settings(BaseModel):
    """Every setting. Each is the variable `CERTGATE_<NAME>`; one that is empty counts as not set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Kept out of the representation: it may hold a password.
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///var/certgate.db",
        repr=False,
        description="The database: sqlite:///FILE, a relative one below the checkout, or"
        " postgresql://USER:PASSWORD@HOST:PORT/NAME.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on. The default is reached from this machine only; 0.0.0.0 opens"
        " the server to the network.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="The TCP port to listen on; 0 takes any free one.")
    database_direct_url: Annotated[str, AfterValidator(_direct_url)] = Field(
        default="",
        repr=False,
        description="The PostgreSQL server itself, where CERTGATE_DATABASE_URL names a pooler in transaction mode: that"
        " delivers no notifications, so that servers listen here, and migrations are run here. Empty:"
        " CERTGATE_DATABASE_URL.",
    )
    database_read_urls: Annotated[str, AfterValidator(_read_urls)] = Field(
        default="",
        repr=False,
        description="PostgreSQL servers that follow that of CERTGATE_DATABASE_URL by streaming replication, separated"
        " by blanks: what only reads is read there. Empty: none.",
    )
    workers: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="How many processes answer. 0: one on SQLite, on PostgreSQL one a core. Each has the limits below"
        " for itself, but for those of rates and of connections to the database.",
    )
    database_connections: int = Field(
        default=80,
        ge=3,
        description="The most connections to PostgreSQL that this server opens, of all its workers together; each has"
        " at least three and at most 17. PostgreSQL itself allows 100 unless it is told otherwise.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        default="",
        description="The address under which others reach the server, such as https://certgate.example.org, or with a"
        " path that a proxy strips: printed links start with it, and https makes the session cookie secure. Empty:"
        " where it listens.",
    )
    problem_type_base: Annotated[str, AfterValidator(_problem_type_base)] = Field(
        default="https://closient.com/docs/errors/",
        description="What the `type` of every problem document starts with; the error code follows it. It"
        " ends with a slash.",
    )
    session_hours: int = Field(
        default=12,
        ge=1,
        le=24 * 30,
        description="How many hours a browser stays signed in at most.",
    )
    session_idle_minutes: int = Field(
        default=60,
        ge=1,
        le=60 * 24 * 30,
        description="After how many minutes without a request a browser is signed out.",
    )
    oauth_issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        default="",
        description="The authorization server whose JWT access tokens are accepted, exactly as its tokens name it in"
        " `iss`, such as https://login.example.org. Empty: no bearer tokens.",
    )
    oauth_audience: Annotated[str, AfterValidator(_audience)] = Field(
        default="",
        validate_default=True,
        description="What a token must name in `aud`: this server's identifier at the authorization server. Empty:"
        " CERTGATE_PUBLIC_URL.",
    )
    oauth_jwks_url: Annotated[str, AfterValidator(_issuer)] = Field(
        default="",
        description="Where the authorization server publishes its keys. Empty: as its metadata says.",
    )
    oauth_algorithms: Annotated[str, AfterValidator(_algorithms)] = Field(
        default="RS256 ES256 EdDSA",
        description="The signature algorithms that tokens may use, asymmetric ones, separated by blanks.",
    )
    oauth_organization_claim: str = Field(
        default="organization",
        min_length=1,
        description="The claim of a token that names the organisation it acts for, by slug or id.",
    )
    # Kept out of the representation: it may hold a password.
    smtp_url: Annotated[str, AfterValidator(_smtp_url)] = Field(
        default="",
        repr=False,
        description="The mail server that sends invitations and links to sign in: smtp://USER:PASSWORD@HOST:587, where"
        " STARTTLS encrypts, or smtps://USER:PASSWORD@HOST:465. It needs CERTGATE_PUBLIC_URL. Empty: links are shown to"
        " those who invite.",
    )
    smtp_from: Annotated[str, AfterValidator(_smtp_from)] = Field(
        default="",
        validate_default=True,
        description="The address that sends them, such as certgate@example.org.",
    )
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        default="",
        description="The OpenID provider at which people sign in, exactly as it names itself, such as"
        " https://login.example.org; its discovery document says the rest. It needs CERTGATE_PUBLIC_URL, whose path"
        " /openid-callback is the redirect URI to register there. Empty: nobody signs in so.",
    )
    oidc_client_id: Annotated[str, AfterValidator(_client_id)] = Field(
        default="",
        validate_default=True,
        description="How the provider calls this server.",
    )
    oidc_client_secret: str = Field(
        default="",
        repr=False,
        description="The secret by which the provider knows this server. Empty: it is a public client, for which PKCE"
        " stands in, as it does beside a secret.",
    )
    oidc_scopes: Annotated[str, AfterValidator(_openid_scopes)] = Field(
        default="openid email",
        description="What is asked of the provider, separated by blanks; openid is among it.",
    )
    oidc_name: str = Field(
        default="single sign-on", min_length=1, max_length=60, description="What the button says after 'Sign in with'."
    )
    oidc_organization_claim: str = Field(
        default="",
        description="The claim by which the provider names an organisation, by slug or id: who signs in with it is a"
        " member there. Empty: members are those whom its managers invite.",
    )
    oidc_role: Annotated[Literal["readonly", "editor", "manager"], BeforeValidator(_lower)] = Field(
        default="readonly", description="What those may do who are members by that claim alone."
    )
    rate_limit_per_minute: int = Field(
        default=300,
        ge=1,
        description="How many requests a key may make in a minute, unless it has a limit of its own; also an address"
        " that shows no valid key. Publishable keys may make 100, or this if it is less. All keys of an organisation"
        " without limits of their own may make ten times as many together.",
    )
    rate_limit_per_day: int = Field(
        default=10_000,
        ge=1,
        description="How many requests a key may make in a day, unless it has a limit of its own; also an address"
        " that shows no valid key. All keys of an organisation without limits of their own may make ten times as many"
        " together.",
    )
    # Kept out of the representation: it may hold a password.
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        default="",
        repr=False,
        description="A Redis or Valkey server where several machines count their requests together:"
        " redis://HOST:PORT/DATABASE, with rediss for TLS. Empty: the workers of each machine count their own.",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        default="",
        description="The sites whose pages may use the API from a browser, such as https://dashboard.example.org,"
        " separated by commas; * opens it to every page, without cookies. Empty: none.",
    )
    cors_headers: Annotated[str, AfterValidator(_header_names)] = Field(
        default="",
        description="What those pages may send beside the API's own headers and those of W3C tracing, separated by"
        " commas, such as sentry-trace.",
    )
    graphql_limits: Annotated[Literal["enforce", "warn"], BeforeValidator(_lower)] = Field(
        default="enforce",
        description="What becomes of GraphQL operations that are over their limits of depth, aliases, root fields,"
        " directives or cost: enforce refuses them, warn runs them and says so in the answer and in the log. What is"
        " over a limit that protects the process is refused in any case.",
    )
    graphql_documents: Annotated[Literal["off", "prefer", "only"], BeforeValidator(_lower)] = Field(
        default="prefer",
        description="Whether registered GraphQL documents are run by their ids: off runs texts alone, prefer runs both,"
        " only runs no document that is not registered, GraphiQL's included.",
    )
    graphql_max_source_length: int = _limit(20_000, "The most characters that a GraphQL document may have.")
    graphql_max_tokens: int = _limit(
        1_000, "The most tokens that a GraphQL document may have; comments are counted apart."
    )
    graphql_max_operations: int = _limit(50, "The most operations in a GraphQL document.")
    graphql_max_depth: int = _limit(10, "How deep fields may be nested in GraphQL.", 200)
    graphql_max_introspection_depth: int = _limit(20, "How deep fields may be nested below __schema and __type.", 200)
    graphql_max_aliases: int = _limit(30, "The most aliases in a GraphQL operation, its fragments written out.")
    graphql_max_root_fields: int = _limit(20, "The most root fields in a GraphQL operation.")
    graphql_max_directives: int = _limit(50, "The most directives in a GraphQL operation, its fragments written out.")
    graphql_max_selections: int = _limit(
        10_000, "The most selections in a GraphQL operation, its fragments written out."
    )
    graphql_max_comparisons: int = _limit(
        2_000,
        "How many steps may be spent on proving that fields of one name can be merged, before a document is refused.",
    )
    graphql_max_errors: int = _limit(
        20, "The most validation errors that are reported for one GraphQL document.", 1_000
    )
    graphql_max_variables_depth: int = _limit(32, "How deep objects and lists may be nested in variables.", 200)
    graphql_max_variables_values: int = _limit(
        5_000, "The most values in the variables of a GraphQL operation, those in objects and lists included."
    )
    graphql_max_cost: int = _limit(
        15_000,
        "The most that a GraphQL operation may cost: one for each object that it may return, ten for each change.",
    )
    graphql_timeout_seconds: float = Field(
        default=10.0, gt=0, le=3600, description="After how many seconds a GraphQL operation is stopped."
    )
    graphql_introspection: bool = Field(
        default=True,
        description="Whether GraphQL tells its schema. Without it GraphiQL has no documentation, and errors suggest no"
        " names.",
    )
    max_body_bytes: int = Field(
        default=1024 * 1024,
        ge=1024,
        description="The largest request body in bytes; a larger one is refused with 413.",
    )
    max_header_bytes: int = Field(
        default=32 * 1024,
        ge=1024,
        description="The most bytes that the headers of a request may have, with the address that is asked for; more"
        " are refused with 431.",
    )
    max_connections: int = Field(
        default=4096,
        ge=1,
        description="The most connections at a time; on further ones requests are refused with 503. The system has to"
        " allow as many open files, and some besides.",
    )
    max_requests: int = Field(
        default=512,
        ge=1,
        description="The most requests that are answered at a time; further ones are refused with 503.",
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        description="How many seconds a connection may wait for its next request. It should be more than what a load"
        " balancer in front keeps its connections for, which often is 60.",
    )
    max_import_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024,
        description="The largest file in bytes that is put in over HTTP; a larger one is refused with 413.",
    )
    import_folder: str = Field(
        default="var/imports",
        min_length=1,
        description="Where files that are put in over HTTP lie until they are done, and for a month what became of"
        " their rows. Processes of one installation share it.",
    )
    shutdown_seconds: int = Field(
        default=20,
        ge=0,
        description="How many seconds requests under way may take to finish once the server is to stop.",
    )
    webhook_networks: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="Networks that are not of the internet, or without https, to which webhooks may be sent all the"
        " same, separated by blanks, such as 10.1.0.0/16 or 127.0.0.1. Empty: none.",
    )
    # Kept out of the representation: it is a secret.
    metrics_token: Annotated[str, AfterValidator(_metrics_token)] = Field(
        default="",
        repr=False,
        description="What a monitoring system has to send as a bearer token to be told Prometheus' metrics at /metrics:"
        " at least 16 visible characters. Empty: nothing is counted, and there is no such page.",
    )
    traces_url: Annotated[str, AfterValidator(_traces_url)] = Field(
        default="",
        description="Where a collector of OpenTelemetry takes spans over HTTP, such as"
        " http://127.0.0.1:4318/v1/traces: one for each operation and one for each of its statements. It needs"
        " ./certgate install tracing; OTEL_TRACES_SAMPLER and the other variables of OpenTelemetry hold. Empty: none.",
    )
    slow_seconds: float = Field(
        default=0,
        ge=0,
        le=3600,
        description="What takes longer is logged with its statements and the plan of the longest one; 0: nothing is.",
    )
    log_level: Annotated[Literal["critical", "error", "warning", "info", "debug"], BeforeValidator(_lower)] = Field(
        default="info", description="What is logged: critical, error, warning, info or debug."
    )
    access_log: bool = Field(
        default=False,
        description="Whether every request is logged, in a line with its id, who asked, the operation, the status, and"
        " how long it and its statements took. What only looks whether the server is well is not, while it is.",
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = Field(
        default="text", description="The form of lines in the log: text, or json for an object on each line."
    )

    @property
    def error_pages(self) -> ErrorPages:
        """Where error codes are explained; relative to this server where its public address is not set."""
        return ErrorPages(self.problem_type_base, f"{self.public_url}/docs/errors/")

    @property
    def public_path(self) -> str:
        """The path of the public address, decoded: empty, or from a slash to before the last one."""
        return unquote(urlsplit(self.public_url).path)
