"""The server's certificate has a weak key or a weak signature.

## What happened

The chain has an RSA key of less than 2048 bits, an elliptic curve of less than 224 bits, or a signature with SHA-1 or
MD5. OpenSSL at its default security level 2, Python and browsers refuse that; GnuTLS, Go and Java let some of it pass.

## On the wire

TLS 1.2: the Certificate is in clear. OpenSSL answers bad_certificate(42), Java unsupported_certificate(43) or
certificate_unknown(46).
TLS 1.3: the Certificate is encrypted, and keys are needed to see it; the alert of OpenSSL clients is in clear.

## How to confirm

`openssl x509 -noout -text` of each certificate of the chain: "Public-Key" and "Signature Algorithm". A client that is
told to accept it gets through: `curl --ciphers DEFAULT@SECLEVEL=0`.

## What it is not

Small Diffie-Hellman parameters ("dh key too small"), which stand in the ServerKeyExchange: `group-no-overlap`. The
signature of a self-signed root means nothing, whatever its hash.
"""

from __future__ import annotations

from tlsinspect.diagnosis import server_auth as sa
from tlsinspect.diagnosis.log_lines import refused_by_client, untrusted_server
from tlsinspect.diagnosis.rule import Case, Cause, Certainty, Finding, Fix, Severity, Stage
from tlsinspect.diagnosis.server_auth import Taken
from tlsinspect.diagnosis.server_fixes import REPLACE_CERTIFICATE
from tlsinspect.model.frame import Side

FITTING = frozenset((sa.UNSUPPORTED_CERTIFICATE, *sa.UNSPECIFIC))


def check(case: Case) -> Finding | None:
    """A key or signature of the chain is weak."""
    handshake = case.handshake
    found = sa.weaknesses(handshake)
    if not found:
        return None
    how = sa.taken(handshake)
    # Few clients mind, so one that left without a word may well have left for another reason.
    weight = Severity.WARNING if how is Taken.LEFT else sa.weight(handshake, FITTING)
    text = ", and ".join(found)
    doubt = ""
    if how is Taken.REFUSED and weight is Severity.ERROR:
        doubt = " Not ruled out: an issuer that the client does not know, for which some clients send the same alert."
    return Finding(
        certainty=Certainty.LIKELY if how in (Taken.REFUSED, Taken.LEFT) else Certainty.SHOWN,
        severity=weight,
        explanation=(
            f"{text[0].upper()}{text[1:]}: clients with a policy for that, such as OpenSSL at security level 2, refuse "
            f"it. {sa.reaction_text(handshake, fits=weight is Severity.ERROR or how is not Taken.REFUSED)}{doubt}"
        ),
        evidence=sa.evidence(handshake),
        fill=sa.fill(case),
    )


CAUSE = Cause(
    code="server-cert-weak",
    title="The server's certificate has a weak key or signature",
    stage=Stage.SERVER_AUTH,
    severity=Severity.ERROR,
    looks_at=("server_certificates", "client_alert"),
    check=check,
    compare=sa.certificates_on_one_side(check),
    follows_from=(
        "server-cert-expired",
        "server-cert-not-yet-valid",
        "server-cert-name-mismatch",
        "server-cert-self-signed",
    ),
    fixes=(
        Fix(
            "any server",
            "Issue the certificate again, with ECDSA P-256 or RSA 2048 and SHA-256.",
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout KEY.pem -out SITE.csr",
            Side.SERVER,
        ),
        *REPLACE_CERTIFICATE,
        Fix(
            "nginx",
            "As a proxy, lower the security level for the time being.",
            "proxy_ssl_conf_command CipherString DEFAULT@SECLEVEL=0;",
            Side.CLIENT,
        ),
        Fix("curl", "The same.", "curl --ciphers DEFAULT@SECLEVEL=0 https://{host}/", Side.CLIENT),
        Fix(
            "HAProxy",
            "The same.",
            "server app ADDRESS:443 ssl verify required ca-file CA.pem ciphers DEFAULT@SECLEVEL=0",
            Side.CLIENT,
        ),
        Fix("OpenSSL", "The same.", "openssl s_client -cipher DEFAULT@SECLEVEL=0 -connect ADDRESS:443", Side.CLIENT),
        Fix("Python", "The same.", 'context.set_ciphers("DEFAULT@SECLEVEL=0")', Side.CLIENT),
        Fix("Node", "The same.", "tls.connect({ ciphers: 'DEFAULT@SECLEVEL=0', ... })", Side.CLIENT),
        Fix("Go", "Let SHA-1 pass (gone since Go 1.24).", "GODEBUG=x509sha1=1", Side.CLIENT),
        Fix(
            "Java",
            "Shorten the list of what is disabled (java.security).",
            "jdk.certpath.disabledAlgorithms",
            Side.CLIENT,
        ),
    ),
    log_lines=(
        ("nginx", "ee key too small"),
        ("nginx", "ca md too weak"),
        ("GnuTLS", "The certificate chain uses insecure algorithm."),
        ("Go", "x509: cannot verify signature: insecure algorithm SHA1-RSA"),
        ("Node", "UNSPECIFIED CA signature digest algorithm too weak"),
        *refused_by_client(sa.UNSUPPORTED_CERTIFICATE),
        *untrusted_server(66, "EE certificate key too weak"),
        *untrusted_server(68, "CA signature digest algorithm too weak"),
        (".NET", "The remote certificate is invalid because of errors in the certificate chain: HasWeakSignature"),
        ("Java", "Algorithm constraints check failed on signature algorithm: SHA1withRSA"),
        ("Java", "Algorithm constraints check failed on keysize limits: RSA 1024 bit key used"),
    ),
    references=("RFC 9325 section 4.5", "RFC 9155 section 2", "RFC 8446 section 4.4.2.4"),
    explanation=__doc__,
)
