"""Real handshakes of every kind that the local OpenSSL can do, each made once, with its key log."""

from __future__ import annotations

import functools
import ssl
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

from tests.support.conversation import Conversation, contexts, credentials, talk
from tests.support.openssl_pair import talk_with_early_data, talk_with_external_psk, talk_with_key_update

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@functools.cache
def folder() -> Path:
    """Where certificates and key logs are, until the tests end."""
    holder = tempfile.TemporaryDirectory()
    KEPT.append(holder)
    return Path(holder.name)


KEPT: list[tempfile.TemporaryDirectory[str]] = []


def pair(version: ssl.TLSVersion, *, suites: str = "ALL", **options: bool) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the versions before TLS 1.2
        return contexts(folder(), suites, version, **options)


def asking(server: ssl.SSLContext, client: ssl.SSLContext, *, certificate: bool, required: bool = False) -> None:
    """Has the server ask for a client certificate, and the client have one or none."""
    files, _ = credentials(folder())
    server.load_verify_locations(files[0])
    server.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    if certificate:
        client.load_cert_chain(files[0])


def plain(version: ssl.TLSVersion, suites: str = "ALL", **options: bool) -> Conversation:
    return talk(*pair(version, suites=suites, **options), folder() / "keys.log")


def with_request(version: ssl.TLSVersion, *, certificate: bool) -> Conversation:
    client, server = pair(version)
    asking(server, client, certificate=certificate)
    return talk(client, server, folder() / "keys.log")


def resumed(version: ssl.TLSVersion, *, tickets: bool = True) -> Conversation:
    client, server = pair(version)
    if not tickets:
        client.options |= ssl.OP_NO_TICKET
    first = talk(client, server, folder() / "keys.log")
    return talk(client, server, folder() / "keys.log", session=first.session)


def retried() -> Conversation:
    """TLS 1.3 with a HelloRetryRequest: OpenSSL sends a share for the first of its groups only."""
    client, server = pair(TLS13)
    server.set_ecdh_curve("secp384r1")
    return talk(client, server, folder() / "keys.log")


def post_handshake() -> Conversation:
    """TLS 1.3 with a CertificateRequest after the handshake."""
    client, server = pair(TLS13)
    asking(server, client, certificate=True)
    client.post_handshake_auth = server.post_handshake_auth = True
    return talk(client, server, folder() / "keys.log", post_handshake=True)


KINDS: dict[str, Callable[[], Conversation]] = {
    "TLS 1.0": lambda: plain(ssl.TLSVersion.TLSv1),
    "TLS 1.1": lambda: plain(ssl.TLSVersion.TLSv1_1),
    "TLS 1.2 GCM": lambda: plain(TLS12, "ECDHE-RSA-AES128-GCM-SHA256"),
    "TLS 1.2 ChaCha20": lambda: plain(TLS12, "ECDHE-ECDSA-CHACHA20-POLY1305"),
    "TLS 1.2 CBC": lambda: plain(TLS12, "AES128-SHA", encrypt_then_mac=False),
    "TLS 1.2 CBC, encrypt-then-mac": lambda: plain(TLS12, "ECDHE-RSA-AES256-SHA384"),
    "TLS 1.2, client certificate": lambda: with_request(TLS12, certificate=True),
    "TLS 1.2, no client certificate": lambda: with_request(TLS12, certificate=False),
    "TLS 1.2, ticket": lambda: resumed(TLS12),
    "TLS 1.2, session ID": lambda: resumed(TLS12, tickets=False),
    "TLS 1.3": lambda: plain(TLS13),
    "TLS 1.3, client certificate": lambda: with_request(TLS13, certificate=True),
    "TLS 1.3, no client certificate": lambda: with_request(TLS13, certificate=False),
    "TLS 1.3, PSK": lambda: resumed(TLS13),
    "TLS 1.3, HelloRetryRequest": retried,
    "TLS 1.3, post-handshake authentication": post_handshake,
    "TLS 1.3, KeyUpdate, AES-CCM-8": lambda: talk_with_key_update(folder(), "TLS_AES_128_CCM_8_SHA256"),
    "TLS 1.3, KeyUpdate, ChaCha20": lambda: talk_with_key_update(folder(), "TLS_CHACHA20_POLY1305_SHA256"),
    "TLS 1.3, 0-RTT": lambda: talk_with_early_data(folder(), accepted=True),
    "TLS 1.3, 0-RTT refused": lambda: talk_with_early_data(folder(), accepted=False),
    "TLS 1.3, 0-RTT and HelloRetryRequest": lambda: talk_with_early_data(folder(), accepted=False, retried=True),
    "TLS 1.3, external PSK": lambda: talk_with_external_psk(
        folder(), "-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"
    ),
}


@functools.cache
def conversation(kind: str) -> Conversation:
    """The conversation of a kind, made when it is first asked for."""
    return KINDS[kind]()
