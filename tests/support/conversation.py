"""Real handshakes between two ends of OpenSSL in memory, and the records that they exchange."""

import base64
import contextlib
import datetime
import math
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID

from tlsinspect.model.frame import Side

NO_ENCRYPT_THEN_MAC = 1 << 19  # SSL_OP_NO_ENCRYPT_THEN_MAC, which the ssl module does not name
QUESTION, ANSWER = b"What is said " * 40, b"is read again. " * 3000


class Record(NamedTuple):
    type: int
    version: int
    fragment: bytes


def records(octets: bytes) -> list[Record]:
    found = []
    while octets:
        size = 5 + int.from_bytes(octets[3:5], "big")
        found.append(Record(octets[0], int.from_bytes(octets[1:3], "big"), octets[5:size]))
        octets = octets[size:]
    return found


@dataclass
class Conversation:
    """What both sides sent, and the key log."""

    octets: dict[Side, bytes] = field(default_factory=lambda: {Side.CLIENT: b"", Side.SERVER: b""})
    flights: list[tuple[Side, bytes]] = field(default_factory=list)  # the same in the order of the wire
    keylog: bytes = b""
    session: ssl.SSLSession | None = None  # that the client got

    def add(self, side: Side, octets: bytes) -> None:
        """Takes what a side sent next."""
        self.octets[side] += octets
        if octets:
            self.flights.append((side, octets))

    def records(self, side: Side) -> list[Record]:
        return records(self.octets[side])


@lru_cache(maxsize=1)
def credentials(folder: Path) -> tuple[list[Path], Path]:
    """Files with key and certificate (RSA, ECDSA, DSA), and one with the parameters of DHE."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example")])
    start = datetime.datetime(2026, 1, 1)
    files = []
    keys = [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        dsa.generate_private_key(1024),
    ]
    for number, key in enumerate(keys):
        builder = x509.CertificateBuilder(name, name, key.public_key(), number + 1, start, start.replace(year=2036))
        file = folder / f"{number}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        files.append(file)
    parameters = folder / "dh.pem"
    parameters.write_text(pem_of_ffdhe2048())
    return files, parameters


def pem_of_ffdhe2048() -> str:
    """DHParameter of the group ffdhe2048, whose prime is made of digits of e.  RFC 7919 appendix A.1."""
    guard = 64
    digits_of_e = sum((1 << 1918 + guard) // math.factorial(k) for k in range(400)) >> guard
    prime = 2**2048 - 2**1984 + (digits_of_e + 560316) * 2**64 - 1
    integers = b"\x02\x82\x01\x01" + prime.to_bytes(257, "big") + b"\x02\x01\x02"
    der = b"\x30\x82" + len(integers).to_bytes(2, "big") + integers
    return f"-----BEGIN DH PARAMETERS-----\n{base64.encodebytes(der).decode()}-----END DH PARAMETERS-----\n"


def contexts(
    folder: Path, ciphers: str, version: ssl.TLSVersion, *, encrypt_then_mac: bool = True
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A client and a server that agree on nothing but the suites and the version."""
    files, parameters = credentials(folder)
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    for context in (client, server):
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        if not encrypt_then_mac:
            context.options |= NO_ENCRYPT_THEN_MAC
    for file in files:
        server.load_cert_chain(file)
    server.load_dh_params(str(parameters))
    return client, server


def talk(
    client: ssl.SSLContext,
    server: ssl.SSLContext,
    keylog: Path,
    *,
    session: ssl.SSLSession | None = None,
    post_handshake: bool = False,
) -> Conversation:
    """A handshake, a question of the client, and an answer of the server.

    *session* is offered to be resumed; *post_handshake* has the server ask for a certificate after the question.
    """
    keylog.write_bytes(b"")
    client.keylog_filename = str(keylog)
    conversation = Conversation()
    sent = {side: ssl.MemoryBIO() for side in Side}
    received = {side: ssl.MemoryBIO() for side in Side}
    ends = {
        Side.CLIENT: client.wrap_bio(
            received[Side.CLIENT], sent[Side.CLIENT], server_hostname="a.example", session=session
        ),
        Side.SERVER: server.wrap_bio(received[Side.SERVER], sent[Side.SERVER], server_side=True),
    }
    pending = {side: end.do_handshake for side, end in ends.items()}

    def pass_on(side: Side) -> None:
        octets = sent[side].read()
        conversation.add(side, octets)
        received[side.other].write(octets)

    def say(side: Side, text: bytes) -> None:
        ends[side].write(text)
        pass_on(side)
        heard = b""
        while len(heard) < len(text):
            heard += ends[side.other].read(len(text))
        assert text == heard

    for _ in range(10):
        for side, step in list(pending.items()):
            try:
                step()
            except ssl.SSLWantReadError:
                pass
            else:
                del pending[side]
            pass_on(side)
    assert not pending
    say(Side.CLIENT, QUESTION)
    if post_handshake:
        ends[Side.SERVER].verify_client_post_handshake()
        say(Side.SERVER, QUESTION)
        pass_on(Side.CLIENT)
        say(Side.CLIENT, QUESTION)
    say(Side.SERVER, ANSWER)
    for side in Side:
        with contextlib.suppress(ssl.SSLWantReadError):
            ends[side].unwrap()
        pass_on(side)
    conversation.keylog = keylog.read_bytes()
    conversation.session = ends[Side.CLIENT].session
    return conversation
