"""Whether the client's certificate fits what the server asked for, and the time at which it was shown."""

from __future__ import annotations

import re
from datetime import datetime

from tlsinspect import registry
from tlsinspect.diagnosis.client_auth import accepted_authorities, sent_chain
from tlsinspect.diagnosis.facts import quoted
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.model.message import Certificate, CertificateRequest, CertificateVerify
from tlsinspect.tls.x509 import name_text

ANY_EXTENDED_KEY_USAGE = frozenset(("anyExtendedKeyUsage", "2.5.29.37.0"))
# ClientCertificateType of RFC 5246 section 7.4.4 and RFC 8422 section 5.5 -> key types that can sign so.
SIGNING_KEYS = {1: ("RSA",), 2: ("DSA",), 64: ("ECDSA", "Ed25519", "Ed448")}
# Words of authorities' names that say nothing of whose they are.
GENERIC_WORDS = frozenset(
    (
        *("a", "and", "of", "the", "my", "new", "old", "test", "internal", "global", "private", "public"),
        *("authority", "ca", "cert", "certificate", "certificates", "certification", "class", "trust"),
        *("intermediate", "issuer", "issuing", "primary", "root", "secondary", "signing", "sub", "subordinate"),
        *("client", "clients", "device", "server", "service", "services", "user", "users", "mtls", "tls"),
        *("ecc", "ecdsa", "rsa", "g1", "g2", "g3", "r1", "r2", "v1", "v2", "v3", "x1"),
    )
)
ROOT = "root"
WORD = re.compile(r"[a-z0-9]+")
RELATIVE_NAMES = re.compile(r"(?:^|[,+])(?P<key>CN|O|OU|DC)=(?P<value>(?:\\.|[^,+\\])*)")  # RFC 4514 section 2


def validity_problem(chain: tuple[Certificate, ...], at: datetime) -> str | None:
    """A clause about the first certificate that was not valid at a time, None when all were.

    RFC 5280 section 4.1.2.5.
    """
    for place, certificate in enumerate(chain):
        which = "the client certificate" if place == 0 else f"the certificate {quoted(certificate.subject)} behind it"
        if certificate.not_after is not None and at > certificate.not_after:
            return f"{which} expired at {certificate.not_after:%Y-%m-%d %H:%M:%SZ}"
        if certificate.not_before is not None and at < certificate.not_before:
            return f"{which} is not valid before {certificate.not_before:%Y-%m-%d %H:%M:%SZ}"
    return None


def unsuitable_reasons(handshake: Handshake) -> tuple[str, ...]:
    """Clauses about what of the client's leaf does not fit its use, or the server's CertificateRequest."""
    chain = sent_chain(handshake)
    if not chain:
        return ()
    leaf = chain[0]
    found = []
    usages = leaf.extended_key_usage
    if usages is not None and "clientAuth" not in usages and not ANY_EXTENDED_KEY_USAGE & set(usages):
        found.append(f"its extended key usage is {', '.join(usages) or 'empty'}, without clientAuth")
    if leaf.key_usage is not None and "digitalSignature" not in leaf.key_usage:
        found.append(f"its key usage is {', '.join(leaf.key_usage) or 'empty'}, without digitalSignature")
    request = handshake.certificate_request
    if not isinstance(request, CertificateRequest):
        return tuple(found)
    allowed = {key for kind in request.certificate_types for key in SIGNING_KEYS.get(kind, ())}
    if allowed and leaf.public_key_type in {"RSA", "DSA", "ECDSA", "Ed25519", "Ed448"} - allowed:
        found.append(f"its key is {leaf.public_key}, and certificate_types allows {' and '.join(sorted(allowed))}")
    scheme = signature_scheme(handshake)
    if scheme is not None and request.signature_algorithms and scheme not in request.signature_algorithms:
        name = registry.SIGNATURE_SCHEMES.name(scheme)
        found.append(f"its CertificateVerify has {name}, which signature_algorithms does not list")
    return tuple(found)


def signature_scheme(handshake: Handshake) -> int | None:
    """The scheme of the client's CertificateVerify; None when it has none or was not seen."""
    for event in handshake.events:
        if event.side is Side.CLIENT and isinstance(event.message, CertificateVerify):
            return event.message.algorithm
    return None


def issuer_listed(handshake: Handshake) -> bool | None:
    """Whether an authority in the server's list issued a certificate of the client's chain, or stands in it.

    None when that is not known, or the list is empty: then any issuer will do.  RFC 8446 section 4.2.4.
    """
    chain, listed = sent_chain(handshake), accepted_authorities(handshake)
    if not chain or not listed:
        return None
    names = {same_name(name_text(der)) for der in listed}
    ours = {certificate.issuer_der for certificate in chain} | {each.subject_der for each in chain[1:]}
    return any(der in listed or same_name(name_text(der)) in names for der in ours)


def same_name(text: str) -> str:
    """A distinguished name in a form in which equal names are equal text: case and inner spaces do not count.

    RFC 5280 section 7.1.
    """
    return " ".join(text.casefold().split())


def top(chain: tuple[Certificate, ...]) -> Certificate:
    """The highest certificate that the leaf leads to within the chain that was sent."""
    at = chain[0]
    for _ in chain:
        above = next((each for each in chain if each.subject_der == at.issuer_der and each is not at), None)
        if above is None or at.self_issued:
            break
        at = above
    return at


def lacks_intermediate(handshake: Handshake) -> bytes | None:
    """The listed authority that the client's chain would probably lead to, were an intermediate not missing.

    The octets have names alone, so this goes by them: the issuer of what was sent is not in the list, is no root by
    its name, and shares its organization, or a word that is not generic, with one that is in the list.
    """
    chain = sent_chain(handshake)
    if not chain or issuer_listed(handshake) is not False:
        return None
    highest = top(chain)
    if highest.self_issued:
        return None
    organizations, words = owner(highest.issuer)
    if ROOT in words:
        return None
    for der in accepted_authorities(handshake):
        theirs, their_words = owner(name_text(der))
        if organizations and theirs:
            if organizations & theirs:
                return der
        elif (words & their_words) - GENERIC_WORDS:
            return der
    return None


def owner(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The organizations and domains of a distinguished name, and the words of its common name."""
    organizations, words = set(), set()
    for found in RELATIVE_NAMES.finditer(name):
        if found["key"] in ("O", "DC"):
            organizations.add(same_name(found["value"]))
        elif found["key"] == "CN":
            words.update(WORD.findall(found["value"].casefold()))
    return frozenset(organizations), frozenset(words)


def authorities_text(handshake: Handshake) -> str:
    """The names in certificate_authorities in a sentence, the first few of them."""
    listed = accepted_authorities(handshake)
    names = ", ".join(quoted(name_text(der)) for der in listed[:3])
    return names + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
