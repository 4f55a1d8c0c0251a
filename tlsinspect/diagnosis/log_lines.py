"""What programs log when the peer sends a fatal alert or shows a certificate that is not to be trusted.

Seen with the versions of Debian 12, Envoy 1.40, Caddy 2.11 and Go 1.27; those of Traefik, .NET and Windows are from
their sources and from reports of users.
"""

from __future__ import annotations

from tlsinspect import registry

# Alert -> OpenSSL's error code and text, GnuTLS's text, Go's text.
TEXTS: dict[int, tuple[str, str, str, str]] = {
    10: ("0A0003F2", "sslv3 alert unexpected message", "Unexpected message", "unexpected message"),
    20: ("0A0003FC", "sslv3 alert bad record mac", "Bad record MAC", "bad record MAC"),
    40: ("0A000410", "sslv3 alert handshake failure", "Handshake failed", "handshake failure"),
    42: ("0A000412", "sslv3 alert bad certificate", "Certificate is bad", "bad certificate"),
    43: ("0A000413", "sslv3 alert unsupported certificate", "Certificate is not supported", "unsupported certificate"),
    44: ("0A000414", "sslv3 alert certificate revoked", "Certificate was revoked", "revoked certificate"),
    45: ("0A000415", "sslv3 alert certificate expired", "Certificate is expired", "expired certificate"),
    46: ("0A000416", "sslv3 alert certificate unknown", "Unknown certificate", "unknown certificate"),
    47: ("0A000417", "sslv3 alert illegal parameter", "Illegal parameter", "illegal parameter"),
    48: ("0A000418", "tlsv1 alert unknown ca", "CA is unknown", "unknown certificate authority"),
    49: ("0A000419", "tlsv1 alert access denied", "Access was denied", "access denied"),
    50: ("0A00041A", "tlsv1 alert decode error", "Decode error", "error decoding message"),
    51: ("0A00041B", "tlsv1 alert decrypt error", "Decrypt error", "error decrypting message"),
    70: ("0A00042E", "tlsv1 alert protocol version", "Error in protocol version", "protocol version not supported"),
    71: ("0A00042F", "tlsv1 alert insufficient security", "Insufficient security", "insufficient security level"),
    80: ("0A000438", "tlsv1 alert internal error", "Internal error", "internal error"),
    86: ("0A00043E", "tlsv1 alert inappropriate fallback", "Inappropriate fallback", "inappropriate fallback"),
    109: (
        "0A000455",
        "tlsv13 alert missing extension",
        "An extension was expected but was not seen",
        "missing extension",
    ),
    110: (
        "0A000456",
        "tlsv1 unsupported extension",
        "An unsupported extension was sent",
        "unsupported extension",
    ),
    112: ("0A000458", "tlsv1 unrecognized name", "The server name sent was not recognized", "unrecognized name"),
    116: ("0A00045C", "tlsv13 alert certificate required", "Certificate is required", "certificate required"),
    120: (
        "0A000460",
        "tlsv1 alert no application protocol",
        "No supported application protocol could be negotiated",
        "no application protocol",
    ),
}


# What BoringSSL calls alerts otherwise than OpenSSL.
BORINGSSL = {
    109: "unknown_error",
    110: "TLSV1_ALERT_UNSUPPORTED_EXTENSION",
    112: "TLSV1_ALERT_UNRECOGNIZED_NAME",
    116: "TLSV1_ALERT_CERTIFICATE_REQUIRED",
}
# .NET's names of alerts; it shows the others as numbers.
DOTNET = {
    10: "UnexpectedMessage",
    20: "BadRecordMac",
    40: "HandshakeFailure",
    42: "BadCertificate",
    43: "UnsupportedCert",
    44: "CertificateRevoked",
    45: "CertificateExpired",
    46: "CertificateUnknown",
    47: "IllegalParameter",
    48: "UnknownCA",
    49: "AccessDenied",
    50: "DecodeError",
    51: "DecryptError",
    70: "ProtocolVersion",
    71: "InsuffientSecurity",
    80: "InternalError",
    110: "UnsupportedExt",
}
SSL_REASON, BORINGSSL_LIBRARY = 1000, 0x10000000
Lines = tuple[tuple[str, str], ...]


def alert_lines(*numbers: int) -> Lines:
    """What clients log or print for these alerts of the server during the handshake, as (product, line)."""
    return tuple(line for number in numbers for line in lines_of(number))


def lines_of(number: int) -> Lines:
    """The lines of one alert."""
    code, openssl, gnutls, go = TEXTS[number]
    detailed = f"error:{code}:SSL routines:ssl3_read_bytes:{openssl}:SSL alert number {number}"
    # OpenSSL 3.0 has no constant for no_application_protocol, so Python shows none.
    reason = "SSL" if number == 120 else f"SSL: {constant(openssl)}"
    return (
        (
            "nginx",
            f"SSL_do_handshake() failed (SSL: error:{code}:SSL routines::{openssl}:SSL alert number {number}) "
            "while SSL handshaking to upstream",
        ),
        ("HAProxy", f"error:{code}:SSL routines::{openssl}"),
        (
            "Envoy",
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, "
            f"transport failure reason: {envoy_line(number)}",
        ),
        ("Apache", f"SSL Library Error: error:{code}:SSL routines::{openssl} (SSL alert number {number})"),
        ("Caddy", f"remote error: tls: {go}"),
        ("Traefik", f'502 Bad Gateway error="remote error: tls: {go}"'),
        ("curl", f"curl: (35) error:{code}:SSL routines::{openssl}"),
        ("OpenSSL", detailed),
        ("GnuTLS", f"*** Received alert [{number}]: {gnutls}"),
        ("Go", f"remote error: tls: {go}"),
        ("Java", f"Received fatal alert: {registry.ALERTS.name(number)}"),
        ("Node", f"write EPROTO {detailed}"),
        ("Python", f"[{reason}] {openssl}"),
        (
            ".NET",
            f"Authentication failed because the remote party sent a TLS alert: '{DOTNET.get(number, str(number))}'.",
        ),
        ("Windows", schannel_line(number)),
    )


def constant(openssl: str) -> str:
    """OpenSSL's name of a reason, such as TLSV1_ALERT_UNKNOWN_CA."""
    return openssl.upper().replace(" ", "_")


def envoy_line(number: int) -> str:
    """What Envoy gives as the reason why the transport to an upstream failed."""
    name = BORINGSSL.get(number, constant(TEXTS[number][1]))
    return f"TLS_error:|{BORINGSSL_LIBRARY + SSL_REASON + number}:SSL_routines:OPENSSL_internal:{name}:TLS_error_end"


def schannel_line(number: int) -> str:
    """Event 36887 of Schannel."""
    return (
        "36887: A fatal alert was received from the remote endpoint. The TLS protocol defined fatal alert code is "
        f"{number}."
    )


def late_alert_lines(*numbers: int) -> Lines:
    """What clients log or print for alerts that come after their Finished, as a TLS 1.3 server refuses a client."""
    return tuple(line for number in numbers for line in late_lines_of(number))


def late_lines_of(number: int) -> Lines:
    """The lines of one alert that are otherwise after the handshake."""
    code, openssl, _, _ = TEXTS[number]
    return (
        (
            "nginx",
            f"SSL_read() failed (SSL: error:{code}:SSL routines::{openssl}:SSL alert number {number}) "
            "while reading response header from upstream",
        ),
        ("curl", f"curl: (56) OpenSSL SSL_read: error:{code}:SSL routines::{openssl}, errno 0"),
        ("Node", f"ERR_SSL_{constant(openssl)}"),
    )


def refused_by_client(*numbers: int) -> Lines:
    """What servers log when the client refuses their certificate with one of these alerts."""
    return tuple(line for number in numbers for line in refused_lines(number))


def refused_lines(number: int) -> Lines:
    """The lines of one alert of a client."""
    code, openssl, gnutls, go = TEXTS[number]
    return (
        (
            "nginx",
            f"SSL_do_handshake() failed (SSL: error:{code}:SSL routines::{openssl}:SSL alert number {number}) "
            "while SSL handshaking",
        ),
        ("Envoy", f"remote address:ADDRESS,{envoy_line(number)}"),
        ("Apache", f"SSL Library Error: error:{code}:SSL routines::{openssl} (SSL alert number {number})"),
        ("Caddy", f"http: TLS handshake error from ADDRESS: remote error: tls: {go}"),
        ("Traefik", f"http: TLS handshake error from ADDRESS: remote error: tls: {go}"),
        ("OpenSSL", f"error:{code}:SSL routines:ssl3_read_bytes:{openssl}:SSL alert number {number}"),
        ("GnuTLS", f"*** Received alert [{number}]: {gnutls}"),
        ("Go", f"http: TLS handshake error from ADDRESS: remote error: tls: {go}"),
        ("Java", f"Received fatal alert: {registry.ALERTS.name(number)}"),
        ("Node", f"tlsClientError ERR_SSL_{constant(openssl)}"),
        ("Python", f"[SSL: {constant(openssl)}] {openssl}"),
        ("Windows", schannel_line(number)),
    )


def untrusted_server(number: int, openssl: str, *, boringssl: str = "", go: str = "", dotnet: str = "") -> Lines:
    """What clients say of a server's certificate that fails OpenSSL's check *number*.

    *boringssl*, *go* and *dotnet* are what these say of it; BoringSSL mostly the same as OpenSSL.
    """
    lines = [
        ("nginx", f"upstream SSL certificate verify error: ({number}:{openssl}) while SSL handshaking to upstream"),
        ("HAProxy", "error:0A000086:SSL routines::certificate verify failed"),
        (
            "Envoy",
            "upstream connect error ... transport failure reason: "
            "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:"
            "_X509_verify_cert:_certificate_verification_error_at_"
            f"depth_0:_{(boringssl or openssl).replace(' ', '_').replace('-', '_')}:TLS_error_end",
        ),
        ("Apache", f"[remote ADDRESS] AH02276: Certificate Verification: Error ({number}): {openssl}"),
        ("Apache", f"[remote ADDRESS] AH02039: Certificate Verification: Error ({number}): {openssl}"),
        ("curl", f"curl: (60) SSL certificate problem: {openssl}"),
        ("OpenSSL", f"verify error:num={number}:{openssl}"),
        ("Python", f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {openssl}"),
    ]
    if go:
        lines += [
            ("Caddy", f"tls: failed to verify certificate: x509: {go}"),
            ("Traefik", f'500 Internal Server Error error="tls: failed to verify certificate: x509: {go}"'),
            ("Go", f"tls: failed to verify certificate: x509: {go}"),
        ]
    if dotnet:
        lines.append(
            (".NET", f"The remote certificate is invalid because of errors in the certificate chain: {dotnet}")
        )
    return tuple(lines)


def untrusted_client(number: int, openssl: str, *, boringssl: str = "", go: str = "", dotnet: str = "") -> Lines:
    """What servers log of a client's certificate that fails OpenSSL's check *number*.

    *boringssl*, *go* and *dotnet* are what these say of it; BoringSSL mostly the same as OpenSSL.
    """
    lines = [
        (
            "nginx",
            f"client SSL certificate verify error: ({number}:{openssl}) while reading client request headers",
        ),
        ("HAProxy", "SSL client certificate not trusted"),
        (
            "Envoy",
            "remote address:ADDRESS,TLS_error:|268435581:SSL "
            "routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: certificate "
            "verification error at "
            f"depth 0: {boringssl or openssl}",
        ),
        ("Apache", f"[client ADDRESS] AH02276: Certificate Verification: Error ({number}): {openssl}"),
        ("Apache", f"[client ADDRESS] AH02039: Certificate Verification: Error ({number}): {openssl}"),
        ("OpenSSL", f"verify error:num={number}:{openssl}"),
        ("Python", f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {openssl}"),
    ]
    if go:
        lines += [
            (product, f"http: TLS handshake error from ADDRESS: tls: failed to verify certificate: x509: {go}")
            for product in ("Caddy", "Traefik", "Go")
        ]
    if dotnet:
        lines.append(
            (".NET", f"The remote certificate is invalid because of errors in the certificate chain: {dotnet}")
        )
    return tuple(lines)


MISDIRECTED_LINES: tuple[tuple[str, str], ...] = (
    ("nginx", "client attempted to request the server name different from the one that was negotiated"),
    (
        "Apache",
        "AH02032: Hostname NAME provided via SNI and hostname NAME provided via HTTP have no compatible SSL setup",
    ),
    (
        "Apache",
        "AH02032: Hostname NAME (default host as no SNI was provided) and hostname NAME provided via HTTP have no "
        "compatible SSL setup",
    ),
    ("Caddy", "strict host matching: TLS ServerName (NAME) and HTTP Host (NAME) values differ"),
    ("any client", "421 Misdirected Request"),
)
