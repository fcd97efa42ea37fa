"""The catalogue and the demo products as they lie in `data/`, read and judged.

The files hold more members than we use (cross-references, provenance); those are passed over. A value that
would not fit its column, or that points nowhere, is an error that names the file and the place.
"""

from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from domain.countries import ALPHA2
from domain.gtin import check_digit_is_right
from domain.vocabulary import ClaimCategory, DataSource, VerificationStatus

DATA = Path(__file__).resolve().parent.parent / "data"

Code = Annotated[str, Meta(pattern="^[A-Z0-9_]{1,50}$")]
Label = Annotated[str, Meta(min_length=1, max_length=255)]
Text255 = Annotated[str, Meta(max_length=255)]
WebAddress = Annotated[str, Meta(pattern=r"^https://[^/\s]", max_length=2000)]

T = TypeVar("T")


class CatalogueError(Exception):
    """A file of the catalogue is not what it should be; the text names the file and the place."""


class BodyEntry(msgspec.Struct):
    """A certification body of `certification_bodies.json`."""

    code: Code
    label: Label
    description: str
    url: WebAddress | None
    country: str | None
    kind: Annotated[str, Meta(max_length=32)]

    def __post_init__(self) -> None:
        if self.country and self.country not in ALPHA2:
            raise ValueError(f"{self.country!r} of {self.code} is no ISO 3166-1 alpha-2 country")


class CertificationEntry(msgspec.Struct):
    """A certification of `certifications.json`; the body is the owner of the mark, not always who issues."""

    code: Code
    label: Label
    description: str
    url: WebAddress | None
    certification_body_code: Code | None
    program: Text255 | None
    standard: Text255 | None


class ClaimEntry(msgspec.Struct):
    """A claim of `claims.json`."""

    code: Code
    label: Annotated[str, Meta(min_length=1, max_length=100)]
    category: ClaimCategory
    description: str


class Catalogue(msgspec.Struct):
    """The definitions, every code once."""

    certification_bodies: list[BodyEntry]
    certifications: list[CertificationEntry]
    claims: list[ClaimEntry]


Days = Annotated[int, Meta(ge=-5000, le=5000)]
"""A day, counted from the one on which the demo is loaded."""


class EarlierHeld(msgspec.Struct):
    """A certificate before the one that is held."""

    certification_number: Annotated[str, Meta(max_length=100)]
    valid_days: tuple[Days, Days]


class HeldCertification(msgspec.Struct):
    """A certification as the pack states it. `control_codes` name control bodies, not certificates.

    What stands below them is no pack's: invented products have it, so that something runs out soon in every demo.
    """

    code: Code
    certification_number: Annotated[str, Meta(max_length=100)] = ""
    value: Text255 = ""
    control_codes: list[str] = []
    certification_body_code: Code | None = None
    valid_days: tuple[Days | None, Days | None] = (None, None)
    audited_days: Days | None = None
    verification_status: VerificationStatus = VerificationStatus.UNVERIFIED
    issuing_body: Text255 = ""
    scope: str = ""
    countries: list[str] = []
    metadata: dict[str, str] = {}
    previous: list[EarlierHeld] = []
    """Oldest first."""

    def __post_init__(self) -> None:
        if not ALPHA2.issuperset(self.countries):
            raise ValueError(f"{self.countries!r} of {self.code} are not all ISO 3166-1 alpha-2 countries")


class DemoProduct(msgspec.Struct):
    """A line of `demo_products.jsonl` or `invented_products.jsonl`."""

    gtin: Annotated[str, Meta(pattern="^[0-9]{14}$")]
    name: Label
    brand: Text255
    certifications: list[HeldCertification]
    claims: list[Code]
    claim_ends: dict[Code, int] = {}
    """By code the last day of a claim, in days from the start on; the others have none."""
    quantity: Annotated[str, Meta(max_length=100)] = ""
    country_of_origin: str = ""
    data_source: DataSource = DataSource.OPEN_FOOD_FACTS
    metadata: dict[str, str] = {}

    def __post_init__(self) -> None:
        if not check_digit_is_right(self.gtin):
            raise ValueError(f"the GTIN {self.gtin} has a wrong check digit")


class _Bodies(msgspec.Struct):
    certification_bodies: list[BodyEntry]


class _Certifications(msgspec.Struct):
    certifications: list[CertificationEntry]


class _Claims(msgspec.Struct):
    claims: list[ClaimEntry]


def read_catalogue(folder: Path = DATA / "catalogue") -> Catalogue:
    """The definitions of a folder. Raises `CatalogueError`, or `OSError` when a file is missing."""
    bodies = _read(folder / "certification_bodies.json", _Bodies).certification_bodies
    certifications = _read(folder / "certifications.json", _Certifications).certifications
    claims = _read(folder / "claims.json", _Claims).claims
    _check_codes(folder / "certification_bodies.json", [body.code for body in bodies])
    _check_codes(folder / "certifications.json", [certification.code for certification in certifications])
    _check_codes(folder / "claims.json", [claim.code for claim in claims])
    _check_known(
        folder / "certifications.json",
        [certification.certification_body_code for certification in certifications],
        {body.code for body in bodies},
    )
    return Catalogue(bodies, certifications, claims)


def read_demo_products(catalogue: Catalogue, folder: Path = DATA / "demo") -> list[DemoProduct]:
    """The demo products, whose codes must all be in the catalogue. Raises `CatalogueError` or `OSError`.

    Real ones come first, then the invented ones, whose GTINs are of the range that GS1 keeps for demonstrations.
    """
    certifications = {definition.code for definition in catalogue.certifications}
    bodies = {body.code for body in catalogue.certification_bodies}
    claims = {claim.code for claim in catalogue.claims}
    products: list[DemoProduct] = []
    for name in ("demo_products.jsonl", "invented_products.jsonl"):
        file = folder / name
        of_file = [
            _decode(line, DemoProduct, f"{file} line {number}")
            for number, line in enumerate(file.read_bytes().splitlines(), 1)
        ]
        held = [certification for product in of_file for certification in product.certifications]
        products += of_file
        _check_codes(file, [product.gtin for product in products])
        _check_known(file, [certification.code for certification in held], certifications)
        _check_known(file, [certification.certification_body_code for certification in held], bodies)
        _check_known(file, [code for product in of_file for code in product.claims], claims)
    return products


def _read(file: Path, type_: type[T]) -> T:
    return _decode(file.read_bytes(), type_, str(file))


def _decode(content: bytes, type_: type[T], place: str) -> T:
    try:
        return msgspec.json.decode(content, type=type_)
    except msgspec.DecodeError as error:  # its text ends with the path inside the document
        raise CatalogueError(f"{place}: {error}") from error


def _check_codes(file: Path, codes: list[str]) -> None:
    repeated = {code for code in codes if codes.count(code) > 1} if len(set(codes)) < len(codes) else set()
    if repeated:
        raise CatalogueError(f"{file}: {', '.join(sorted(repeated))} must occur once only")


def _check_known(file: Path, codes: list[str | None] | list[str], known: set[str]) -> None:
    unknown = {code for code in codes if code is not None} - known
    if unknown:
        raise CatalogueError(f"{file}: nothing in the catalogue has the code {', '.join(sorted(unknown))}")
