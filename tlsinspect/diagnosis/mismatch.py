"""What of an offer the server can have nothing in common with, when all that it says is handshake_failure.

The alert names no parameter (RFC 8446 section 6.2), so the offer is all there is to go by: the more unusual a part of
it is, the likelier it is to blame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from tlsinspect import registry
from tlsinspect.diagnosis.facts import (
    alert_text,
    answered,
    at_frame,
    hello_frame,
    hello_of,
    label,
    refused_at_hello,
    server_name,
)
from tlsinspect.diagnosis.hosts import FOLLOWS_FROM_THE_HOST, likewise
from tlsinspect.diagnosis.offer import SIGNALLING_SUITES, highest_version, narrow_offer
from tlsinspect.diagnosis.pairs import meaningful_paths, titles
from tlsinspect.diagnosis.rule import Case, Certainty, Finding
from tlsinspect.model.frame import Missing
from tlsinspect.model.handshake import AlertSeen
from tlsinspect.model.message import ClientHello, ServerHello
from tlsinspect.tls import extensions as ext
from tlsinspect.tls.versions import TLS12, is_tls13

HANDSHAKE_FAILURE, INSUFFICIENT_SECURITY = 40, 71
VERSION, CIPHER = "version-no-overlap", "cipher-no-overlap"
GROUP, SIGNATURE = "group-no-overlap", "signature-no-overlap"

# What is not ruled out even where the offer is an ordinary one in that.
ORDINARY = {
    CIPHER: "the cipher suites",
    GROUP: "the groups",
    SIGNATURE: "the signature algorithms",
    "extension-missing": "an extension that the server demands",
}

MOST_NAMED = 4  # names of an offer in one sentence
FEW = 3
ONE_CERTIFICATE = "all of them for servers with a certificate of type"
# At least one of these is served by everything that is in use: secp256r1, x25519, X25519MLKEM768.
COMMON_GROUPS = frozenset((0x0017, 0x001D, 0x11EC))
SHA1_SCHEMES = frozenset((0x0201, 0x0202, 0x0203))
# RFC 8446 section 4.2.3, by the key of the certificate.
KEY_OF_SCHEME = (("rsa", "RSA"), ("ecdsa", "ECDSA"), ("ed", "EdDSA"), ("dsa", "DSA"), ("mldsa", "ML-DSA"))


@dataclass(frozen=True, slots=True)
class Candidate:
    """One part of an offer that may be to blame."""

    code: str  # of the cause
    fit: int  # the larger, the likelier; meaningful in comparison alone
    clause: str  # with "the client" as its subject


def candidates(hello: ClientHello) -> tuple[Candidate, ...]:
    """The parts of an offer that are unusual, the likeliest to be blamed first; empty for an ordinary offer."""
    if hello.defect is not None:
        return ()
    found = (*unusual_versions(hello), *unusual_suites(hello), *unusual_groups(hello), *unusual_schemes(hello))
    return tuple(sorted(found, key=lambda each: -each.fit))


def unusual_versions(hello: ClientHello) -> Iterator[Candidate]:
    """Nothing above TLS 1.1, which RFC 8996 deprecates; or TLS 1.3 alone, which GnuTLS refuses so if it must."""
    highest = highest_version(hello)
    if highest < TLS12:
        yield Candidate(VERSION, 100, f"the client offers nothing above {registry.version_name(highest)}")
    listed = hello.body(ext.SUPPORTED_VERSIONS)
    offered = [code for code in listed if not registry.is_grease(code)] if isinstance(listed, tuple) else []
    if len(offered) == 1 and is_tls13(highest):
        yield Candidate(VERSION, 30, f"the client offers {registry.version_name(highest)} alone")


def unusual_suites(hello: ClientHello) -> Iterator[Candidate]:
    """Few suites, or all of a kind that many servers do not have."""
    suites = real_suites(hello)
    if not suites or (highest_version(hello) < TLS12 and len(suites) >= FEW):
        return  # below TLS 1.2 no suite is an AEAD
    newer = [code for code in suites if registry.cipher_suite(code).tls13]
    older = [code for code in suites if code not in newer]
    named = f"the client offers {names(registry.CIPHER_SUITES, suites)}"
    if is_tls13(highest_version(hello)):
        if len(newer) < 2:
            yield Candidate(CIPHER, 45 if older else 80, f"{named} as its cipher suites")
        elif 0 < len(older) <= FEW or (older and kind_of(older)):
            below = names(registry.CIPHER_SUITES, older)
            yield Candidate(CIPHER, 40, f"the client offers {below} as its cipher suites below TLS 1.3")
        return
    if not older:
        yield Candidate(CIPHER, 95, f"{named} as its cipher suites, which are of TLS 1.3, and no TLS 1.3")
        return
    kind = kind_of(older)
    fit = 90 if len(older) < FEW else 70 if kind.startswith(ONE_CERTIFICATE) else 85 if kind else 65
    if kind or len(older) <= FEW:
        yield Candidate(CIPHER, fit, f"{named} as its cipher suites{f', {kind}' if kind else ''}")


def real_suites(hello: ClientHello) -> tuple[int, ...]:
    """The cipher suites offered, without GREASE and signalling values."""
    return tuple(code for code in hello.cipher_suites if not registry.is_grease(code) and code not in SIGNALLING_SUITES)


def kind_of(suites: list[int]) -> str:
    """A clause about what all of these suites of TLS 1.2 have in common and most servers ask for otherwise."""
    known = [registry.cipher_suite(code) for code in suites]
    exchanges = {each.key_exchange for each in known}
    if len(exchanges) == 1 and exchanges != {"ECDHE"}:
        return f"all of them with the key exchange {exchanges.pop()}"
    if not any(each.aead for each in known):
        return "none of them an AEAD"
    if not any(each.aead and each.key_exchange == "ECDHE" for each in known):
        return "none of them with both ECDHE and an AEAD"
    authentications = {each.authentication for each in known}
    if len(authentications) == 1:
        return f"{ONE_CERTIFICATE} {authentications.pop()}"
    return ""


def unusual_groups(hello: ClientHello) -> Iterator[Candidate]:
    """One group, or none that is common; only where a group is needed."""
    groups = hello.body(ext.SUPPORTED_GROUPS)
    if not isinstance(groups, tuple):
        return
    offered = [code for code in groups if not registry.is_grease(code)]
    suites = [registry.cipher_suite(code) for code in real_suites(hello)]
    if not any(each.tls13 or each.key_exchange.startswith("ECDH") for each in suites):
        return
    named = names(registry.NAMED_GROUPS, tuple(offered))
    if offered and not COMMON_GROUPS & set(offered):
        yield Candidate(GROUP, 83, f"the client offers {named} as its groups, none of the common ones")
    elif len(offered) == 1:
        yield Candidate(GROUP, 75, f"the client offers {named} as its only group")


def unusual_schemes(hello: ClientHello) -> Iterator[Candidate]:
    """Signature algorithms for one type of certificate alone, or with SHA-1 alone."""
    schemes = hello.body(ext.SIGNATURE_ALGORITHMS)
    if not isinstance(schemes, tuple):
        return
    offered = tuple(code for code in schemes if not registry.is_grease(code))
    if not offered:
        return
    named = names(registry.SIGNATURE_SCHEMES, offered)
    keys = {key_of_scheme(code) for code in offered}
    if set(offered) <= SHA1_SCHEMES:
        yield Candidate(SIGNATURE, 74, f"the client offers {named} as its signature algorithms, all of them with SHA-1")
    elif "RSA" not in keys:
        kinds = " and ".join(sorted(keys))
        yield Candidate(SIGNATURE, 73, f"the client accepts signatures of {kinds} certificates alone ({named})")
    elif keys == {"RSA"} or len(offered) < FEW:
        yield Candidate(SIGNATURE, 60, f"the client accepts {named} as signature algorithms alone")


@lru_cache(maxsize=256)
def key_of_scheme(code: int) -> str:
    """The type of key that makes a signature; its name where it is not known."""
    name = registry.SIGNATURE_SCHEMES.name(code)
    return next((key for prefix, key in KEY_OF_SCHEME if name.startswith(prefix)), name)


def names(table: registry.Registry, codes: tuple[int, ...] | list[int]) -> str:
    """Names in a sentence, the first few of them."""
    more = f" and {len(codes) - MOST_NAMED} more" if len(codes) > MOST_NAMED else ""
    return ", ".join(table.name(code) for code in codes[:MOST_NAMED]) + more


# -- findings -------------------------------------------------------------------------------------------------------


def refused_offer(case: Case, *alerts: int) -> tuple[AlertSeen, ClientHello] | None:
    """The alert with which the server refused the offer as a whole, and the offer."""
    seen, hello = refused_at_hello(case.handshake), hello_of(case.handshake)
    if seen is None or hello is None or seen.alert.description not in (alerts or (40, 71)):
        return None
    return seen, hello


def likeliest(case: Case, code: str, evidence: tuple[str, ...]) -> Finding | None:
    """A *likely* finding where the part of the offer that this cause is about is the most unusual one."""
    found = refused_offer(case)
    if found is None:
        return None
    seen, hello = found
    if server_name(case.handshake) is Missing.NOT_SENT and not narrow_offer(hello):
        return None  # an offer that is hardly unusual explains less than the missing name
    order = candidates(hello)
    if not order or order[0].code != code:
        return None
    others = "; ".join(each.clause for each in order[1:] if each.code != code)
    told = {each.code for each in order}
    left = ", ".join(name for other, name in ORDINARY.items() if other not in told)
    stronger = " It asks for stronger parameters than the client has." if seen.alert.description == 71 else ""
    return Finding(
        certainty=Certainty.LIKELY,
        explanation=(
            f"The server answered the ClientHello{at_frame(hello_frame(case.handshake))} with the alert "
            f"{alert_text(seen)}{at_frame(seen.frame)} and no ServerHello: it found nothing in common, and "
            f"{order[0].clause}.{stronger} Not ruled out: {others + '; ' if others else ''}{left}, or the "
            "server name, as the alert names nothing."
        ),
        evidence=(*evidence, "server_alert"),
    )


def choice_not_offered(
    left: Case, right: Case, judge: Callable[[Case, Case], str | None], evidence: tuple[str, ...]
) -> Finding | None:
    """One was refused at its hello; for the other the server chose what the one does not offer.

    *judge* takes the refused one and the other, and returns a clause about the choice, or None.
    """
    for side, one, other in (("left", left, right), ("right", right, left)):
        found = refused_offer(one)
        if found is None or not answered(other.handshake) or found[1].defect is not None:
            continue
        if server_name(one.handshake) != server_name(other.handshake):
            continue  # then another host may have refused
        clause = judge(one, other)
        if clause is None:
            continue
        return Finding(
            certainty=Certainty.LIKELY,
            explanation=(
                f"The server answered {label(one.handshake)} with the alert {alert_text(found[0])}"
                f"{at_frame(found[0].frame)}. For {label(other.handshake)} {clause}."
                f"{likewise(others_differ(left, right, evidence))}"
            ),
            evidence=(*evidence, "server_alert"),
            side=side,
        )
    return None


def others_differ(left: Case, right: Case, told: tuple[str, ...]) -> str:
    """What else differs and could make a server refuse, in a sentence; empty when there is nothing."""
    fingerprints = {"client_hello.ja3", "client_hello.ja4"}
    return titles(meaningful_paths(left, right) - FOLLOWS_FROM_THE_HOST - fingerprints - set(told))


def server_hello_of(case: Case) -> ServerHello | None:
    """The ServerHello, when there is one."""
    hello = case.handshake.server_hello
    return hello if isinstance(hello, ServerHello) else None
