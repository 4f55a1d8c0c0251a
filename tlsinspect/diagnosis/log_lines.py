"""What programs log when the peer sends a fatal alert, as seen with the versions of Debian 12."""

from __future__ import annotations

from tlsinspect import registry

# Alert -> OpenSSL's error code and text, GnuTLS's text, Go's text.
TEXTS: dict[int, tuple[str, str, str, str]] = {
    10: ("0A0003F2", "sslv3 alert unexpected message", "Unexpected message", "unexpected message"),
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


def alert_lines(*numbers: int) -> tuple[tuple[str, str], ...]:
    """What clients log or print for these alerts of the server during the handshake, as (product, line)."""
    return tuple(line for number in numbers for line in lines_of(number))


def lines_of(number: int) -> tuple[tuple[str, str], ...]:
    """The lines of one alert."""
    code, openssl, gnutls, go = TEXTS[number]
    detailed = f"error:{code}:SSL routines:ssl3_read_bytes:{openssl}:SSL alert number {number}"
    # OpenSSL 3.0 has no constant for no_application_protocol, so Python shows none.
    reason = "SSL" if number == 120 else f"SSL: {openssl.upper().replace(' ', '_')}"
    return (
        (
            "nginx",
            f"SSL_do_handshake() failed (SSL: error:{code}:SSL routines::{openssl}:SSL alert number {number}) "
            "while SSL handshaking to upstream",
        ),
        ("curl", f"curl: (35) error:{code}:SSL routines::{openssl}"),
        ("HAProxy", f"error:{code}:SSL routines::{openssl}"),
        ("OpenSSL", detailed),
        ("Node", f"write EPROTO {detailed}"),
        ("Python", f"[{reason}] {openssl}"),
        ("GnuTLS", f"*** Received alert [{number}]: {gnutls}"),
        ("Go", f"remote error: tls: {go}"),
        ("Java", f"Received fatal alert: {registry.ALERTS.name(number)}"),
    )


def late_alert_lines(*numbers: int) -> tuple[tuple[str, str], ...]:
    """What clients log or print for alerts that come after their Finished, as a TLS 1.3 server refuses a client."""
    return tuple(line for number in numbers for line in late_lines_of(number))


def late_lines_of(number: int) -> tuple[tuple[str, str], ...]:
    """The lines of one alert that are otherwise after the handshake."""
    code, openssl, _, _ = TEXTS[number]
    return (
        (
            "nginx",
            f"SSL_read() failed (SSL: error:{code}:SSL routines::{openssl}:SSL alert number {number}) "
            "while reading response header from upstream",
        ),
        ("curl", f"curl: (56) OpenSSL SSL_read: error:{code}:SSL routines::{openssl}, errno 0"),
        ("Node", f"ERR_SSL_{openssl.upper().replace(' ', '_')}"),
    )


MISDIRECTED_LINES: tuple[tuple[str, str], ...] = (
    ("nginx", "client attempted to request the server name different from the one that was negotiated"),
    ("Apache", "AH02032: Hostname provided via SNI and hostname provided via HTTP have no compatible SSL setup"),
    ("Apache", "AH02032: Hostname (default host as no SNI was provided) and hostname provided via HTTP"),
    ("any client", "421 Misdirected Request"),
)
