"""What is unusual about the offer of a ClientHello."""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.model.message import ClientHello
from tlsinspect.tls import extensions as ext

SIGNALLING_SUITES = frozenset((0x00FF, 0x5600))  # TLS_EMPTY_RENEGOTIATION_INFO_SCSV and TLS_FALLBACK_SCSV
FEW_SUITES = 5  # the shortest default list for TLS 1.2 that was seen, that of rustls, has six
TLS12 = 0x0303


def highest_version(hello: ClientHello) -> int:
    """The highest version that a client offers, GREASE left out.  RFC 8446 section 4.2.1."""
    listed = hello.body(ext.SUPPORTED_VERSIONS)
    codes = listed if isinstance(listed, tuple) else ()
    return max((code for code in codes if not registry.is_grease(code)), default=hello.legacy_version)


def narrow_offer(hello: ClientHello) -> tuple[str, ...]:
    """What in an offer is so unusually narrow that a server may well have nothing in common with it."""
    found = []
    highest = highest_version(hello)
    if highest < TLS12:
        found.append(f"the client offers nothing above {registry.version_name(highest)}")
    found += narrow_suites(hello, highest)
    groups = hello.body(ext.SUPPORTED_GROUPS)
    if isinstance(groups, tuple):
        named = [code for code in groups if not registry.is_grease(code)]
        if len(named) == 1:
            found.append(f"the client offers one group ({registry.NAMED_GROUPS.name(named[0])})")
    schemes = hello.body(ext.SIGNATURE_ALGORITHMS)
    if isinstance(schemes, tuple) and len(schemes) <= 2:
        names = ", ".join(registry.SIGNATURE_SCHEMES.name(code) for code in schemes)
        found.append(f"the client offers few signature algorithms ({names})")
    return tuple(found)


def narrow_suites(hello: ClientHello, highest: int) -> list[str]:
    """What is narrow about the cipher suites."""
    suites = [code for code in hello.cipher_suites if not registry.is_grease(code) and code not in SIGNALLING_SUITES]
    older = [registry.cipher_suite(code) for code in suites if not registry.cipher_suite(code).tls13]
    found = []
    # Three suites are all that there is for a client of TLS 1.3 alone.
    if (highest > TLS12 and len(suites) - len(older) < 2) or 0 < len(older) <= FEW_SUITES:
        names = ", ".join(registry.CIPHER_SUITES.name(code) for code in suites[:4])
        found.append(f"the client offers few cipher suites ({names})")
    elif highest <= TLS12 and older:
        if {each.key_exchange for each in older} == {"RSA"}:
            found.append(
                "every cipher suite offered has the static RSA key exchange, which many servers no longer serve"
            )
        elif len(authentications := {each.authentication for each in older}) == 1:
            found.append(f"every cipher suite offered needs {authentications.pop()} authentication of the server")
    return found
