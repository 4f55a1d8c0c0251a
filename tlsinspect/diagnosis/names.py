"""Which names a certificate is good for, and which certificates are defaults that nobody configured."""

from __future__ import annotations

import ipaddress

from tlsinspect.diagnosis.facts import quoted
from tlsinspect.model.message import Certificate

# What certificates have in their names that servers make up or ship until somebody configures one.
DEFAULT_PARTS = (
    "kubernetes ingress controller fake certificate",
    "ingress.local",
    "traefik default cert",
    "traefik.default",
    "default.invalid",
    "snakeoil",
    "plesk",
)
# Names that no host on the network has; a certificate with others beside them is somebody's own.
DEFAULT_NAMES = frozenset(
    (
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "example.com",
        "www.example.com",
        "ubuntu",
        "debian",
        "haproxy",
        "envoy",
        "default",
        "invalid",
    )
)


def is_address(text: str) -> bool:
    """Whether a name is an IP literal."""
    literal = text.strip("[]")
    if ":" not in literal and not literal[-1:].isdigit():  # nearly every name, and an exception costs ten times as much
        return False
    try:
        ipaddress.ip_address(literal)
    except ValueError:
        return False
    return True


def same_name(left: str, right: str) -> bool:
    """Whether two host names are the same: case and a trailing dot say nothing.  RFC 9499 section 2."""
    return left.rstrip(".").lower() == right.rstrip(".").lower()


def covers(certificate: Certificate, name: str) -> bool:
    """Whether a certificate is good for a host name or address.

    RFC 9525 section 6.3: a wildcard is the whole left-most label and stands for exactly one label.  The common name
    counts only where no alternative name of that kind is there, as older clients do.
    """
    wanted = name.rstrip(".").lower()
    if is_address(wanted):
        address = ipaddress.ip_address(wanted.strip("[]"))
        return any(is_address(each) and ipaddress.ip_address(each) == address for each in certificate.ip_addresses)
    names = certificate.dns_names
    if not names and certificate.subject_common_name and not certificate.ip_addresses:
        names = (certificate.subject_common_name,)
    return any(matches(each.rstrip(".").lower(), wanted) for each in names)


def matches(pattern: str, name: str) -> bool:
    """Whether a presented name, in lower case, stands for a host name.  RFC 9525 section 6.3."""
    if not pattern.startswith("*."):
        return pattern == name
    first, _, rest = name.partition(".")
    return bool(first) and rest == pattern[2:]


def names_text(certificate: Certificate) -> str:
    """The names of a certificate in a sentence, the first few of them."""
    names = certificate.dns_names or certificate.ip_addresses or (certificate.subject_common_name or "nobody",)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(quoted(each) for each in names[:3]) + more


def looks_default(certificate: Certificate) -> bool:
    """Whether a certificate is one of those that stand there until somebody configures one."""
    return made_up(certificate) or all(name in DEFAULT_NAMES for name in presented(certificate))


def made_up(certificate: Certificate) -> bool:
    """Whether a certificate is for a name that only a server's default host has, and nobody asks for."""
    names = presented(certificate)
    common_name = (certificate.subject_common_name or "").lower()
    if any(part in name for name in (common_name, *names) for part in DEFAULT_PARTS):
        return True
    return common_name.endswith(".invalid") or all(name.endswith(".invalid") for name in names)


def presented(certificate: Certificate) -> tuple[str, ...]:
    """The DNS names of a certificate in lower case, its common name where it has none."""
    names = tuple(name.lower() for name in certificate.dns_names)
    return names or ((certificate.subject_common_name or "").lower(),)
