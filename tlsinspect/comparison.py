"""Two handshakes, field by field: what differs, and whether the difference can matter."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tlsinspect.fields import FIELDS, UNSEEN, Compare, Field, Value
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import Handshake

# Fields that can only differ together with others, or follow from them: where one of those differs already, the
# difference says nothing more.
DERIVED: dict[str, tuple[str, ...]] = {
    "certificate_request.certificate_authorities": ("certificate_request",),
    "certificate_request.signature_algorithms": ("certificate_request",),
    "client_hello.ja3": (
        "client_hello.legacy_version",
        "client_hello.cipher_suites",
        "client_hello.extensions",
        "client_hello.supported_groups",
    ),
    "client_hello.ja4": (
        "client_hello.supported_versions",
        "client_hello.server_name",
        "client_hello.cipher_suites",
        "client_hello.extensions",
        "client_hello.alpn",
        "client_hello.signature_algorithms",
    ),
    "server_hello.extensions": ("client_hello.extensions", "server_hello.version"),
    "encrypted_extensions.extensions": ("client_hello.extensions", "server_hello.version"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field of two handshakes."""

    field: Field
    left: Value
    right: Value
    equal: bool
    meaningful: bool  # both were seen, they differ, and the difference can change what a server does

    @property
    def path(self) -> str:
        """The field's path in the catalogue."""
        return self.field.path


def compare(left: Handshake, right: Handshake) -> tuple[Difference, ...]:
    """Every field of the catalogue, in its order."""
    found = [difference(field, left, right) for field in FIELDS]
    paths = {each.path for each in found if each.meaningful}
    return tuple(
        replace(each, meaningful=False) if paths.intersection(DERIVED.get(each.path, ())) else each for each in found
    )


def difference(field: Field, left: Handshake, right: Handshake) -> Difference:
    """One field of both."""
    ours, theirs = field.read(left), field.read(right)
    equal = same(field, ours, theirs)
    seen = not {each for each in (ours, theirs) if isinstance(each, Missing)} & UNSEEN
    meaningful = seen and not equal and field.compare is not Compare.EXPECTED
    return Difference(field=field, left=ours, right=theirs, equal=equal, meaningful=meaningful)


def same(field: Field, left: Value, right: Value) -> bool:
    """Whether two values are equal in the way that the field is compared."""
    if field.compare is Compare.SET and isinstance(left, tuple) and isinstance(right, tuple):
        return set(left) == set(right)
    return left == right


def only_in(left: Value, right: Value) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """The elements that only the left has, and those that only the right has, each in its own order."""
    ours = left if isinstance(left, tuple) else ()
    theirs = right if isinstance(right, tuple) else ()
    return tuple(each for each in ours if each not in theirs), tuple(each for each in theirs if each not in ours)
