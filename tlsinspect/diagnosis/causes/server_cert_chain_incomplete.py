"""The server did not send an intermediate certificate.

## What happened

The server showed its leaf without the certificates between it and the root. A client that has no copy of them cannot
build the path. Browsers often work all the same, as they keep intermediates that they saw elsewhere or fetch them;
curl, Java, Python, nginx and most programs do neither.

## On the wire

TLS 1.2: the Certificate message has one entry (or one too few), and the issuer of the last one is no root. The client
answers unknown_ca(48) (OpenSSL, NSS), bad_certificate(42) (Go, GnuTLS) or certificate_unknown(46) (Java).
TLS 1.3: the Certificate is encrypted, and keys are needed to see it; the alert of OpenSSL clients is in clear.

## How to confirm

`openssl s_client -showcerts -connect ADDRESS:443 -servername NAME`: "verify error:num=20" or "num=21", and a chain of
one certificate. With the anchors of the client (`--ca FILE`) this tool builds the chain itself.

## What it is not

A chain that was sent in full to a client without its root: `server-cert-untrusted`. From the octets alone the two
differ by the name of the issuer only, so without `--ca` this is *likely* at most. nginx with proxy_ssl_verify_depth 1
refuses a full chain with two intermediates, too.
"""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.facts import label, quoted
from tlsinspect.diagnosis.log_lines import refused_by_client, untrusted_server
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_auth import Taken
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE, TRUST_AUTHORITY
from tlsinspect.diagnosis.server_trust import Standing, sent_text, standing
from tlsinspect.model.frame import Side
from tlsinspect.model.message import Certificate
from tlsinspect.tls.trust import made_signature

FITTING = frozenset((sa.UNKNOWN_CA, *sa.UNSPECIFIC))


def check(case: Case) -> Finding | None:
    """The chain ends below an authority that is neither sent nor an anchor, and is no root by its name."""
    handshake = case.handshake
    how = sa.taken(handshake)
    refused = how is Taken.REFUSED and sa.refusal_code(handshake) in FITTING
    if not refused and how is not Taken.LEFT and case.meant.anchors is None:
        return None
    if (refused or how is Taken.LEFT) and sa.explained(case):
        return None
    found = standing(case)
    if found is None or not found.incomplete:
        return None
    return Finding(
        certainty=Certainty.SHOWN if found.given and how is not Taken.LEFT else Certainty.LIKELY,
        severity=severity(how, refused=refused, given=found.given or sa.leaves_without_a_word(handshake)),
        explanation=(
            f"The server sent {sent_text(found.length)}, which ends below {quoted(found.verdict.name)}{ending(found)}. "
            f"{sa.reaction_text(handshake, fits=refused)}"
        ),
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


def severity(how: Taken, *, refused: bool, given: bool) -> Severity:
    """An error where the client said so; where it left without a word only if the anchors are known."""
    return Severity.ERROR if refused or (how is Taken.LEFT and given) else Severity.WARNING


def ending(found: Standing) -> str:
    """A clause about the authority that is missing."""
    if found.given:
        return f": that certificate was not sent, and it is none of {found.anchors_text}"
    return (
        ": that certificate was not sent, and by its name it is an intermediate. Not ruled out: a root that the client "
        "does not know, of which only the name would differ"
    )


BY_ITSELF = sa.certificates_on_one_side(check)


def compare(left: Case, right: Case) -> Finding | None:
    """The other side was sent the certificate that is missing on one; else what either shows by itself."""
    for side, one, other in (("left", left, right), ("right", right, left)):
        finding = lacking(one, other)
        if finding is not None:
            return replace(finding, side=side)
    return BY_ITSELF(left, right)


def lacking(one: Case, other: Case) -> Finding | None:
    """One client went away from a chain without an intermediate that the other, which went on, was sent."""
    how = sa.taken(one.handshake)
    refused = how is Taken.REFUSED and sa.refusal_code(one.handshake) in FITTING
    if not refused and how is not Taken.LEFT:
        return None
    missing = sent_to(other, one) if sa.taken(other.handshake) is Taken.ACCEPTED else None
    if missing is None or sa.explained(one):
        return None
    sent = sent_text(len(sa.server_chain(one.handshake)))
    return Finding(
        certainty=Certainty.SHOWN,
        explanation=(
            f"{label(one.handshake)}: The server sent {sent}, which ends below {quoted(missing.subject)}; that "
            f"certificate was not sent, and {label(other.handshake)} shows that it is an intermediate: there it was. "
            f"{sa.reaction_text(one.handshake, fits=refused)} {label(other.handshake)} completed its handshake."
        ),
        evidence=sa.evidence(one.handshake),
        fill=sa.fill(one),
    )


def sent_to(other: Case, one: Case) -> Certificate | None:
    """The intermediate that the other side was sent and one was not, though it issued a certificate of that side."""
    ours = sa.server_chain(one.handshake)
    names = {each.subject_der for each in ours}
    for each in sa.server_chain(other.handshake):
        if each.self_issued or each.subject_der in names:
            continue
        if any(below.issuer_der == each.subject_der and made_signature(each.der, below.der) for below in ours):
            return each
    return None


CAUSE = Cause(
    code="server-cert-chain-incomplete",
    title="The server did not send an intermediate certificate",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("server_certificates", "client_alert"),
    check=check,
    compare=compare,
    follows_from=("server-cert-expired", "server-cert-not-yet-valid", "server-cert-name-mismatch"),
    fixes=(
        Fix(
            "any server",
            "Send the leaf and then every intermediate; fullchain.pem of ACME clients has them.",
            "cat LEAF.pem INTERMEDIATE.pem > FULLCHAIN.pem",
            Side.SERVER,
        ),
        *REPLACE_CERTIFICATE,
        Fix(
            "Java",
            "Let the client fetch intermediates from the address in the certificate.",
            "-Dcom.sun.security.enableAIAcaIssuers=true",
            Side.CLIENT,
        ),
        *(
            replace(fix, action=f"Until then, have the client know the intermediate. {fix.action}")
            for fix in TRUST_AUTHORITY
        ),
    ),
    log_lines=(
        ("GnuTLS", "The certificate is NOT trusted. The certificate issuer is unknown."),
        ("Java", "PKIX path building failed: unable to find valid certification path to requested target"),
        ("Node", "UNABLE_TO_VERIFY_LEAF_SIGNATURE unable to verify the first certificate"),
        *refused_by_client(sa.UNKNOWN_CA),
        *untrusted_server(
            20,
            "unable to get local issuer certificate",
            go="certificate signed by unknown authority",
            dotnet="PartialChain",
        ),
        *untrusted_server(21, "unable to verify the first certificate"),
    ),
    references=("RFC 8446 section 4.4.2", "RFC 5246 section 7.4.2", "RFC 5280 section 6.1"),
    explanation=__doc__,
)
