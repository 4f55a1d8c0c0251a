"""Real handshakes of every kind with their keys: all is opened, cutting only removes, segmentation does not matter."""

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.conversation import ANSWER, QUESTION, Conversation, credentials, talk
from tests.support.openssl_pair import talk_with_external_psk, talk_with_renegotiation
from tests.support.real import KINDS, asking, conversation, folder, pair, plain
from tests.support.tcp import Wire, frames_of
from tests.tls.test_protection import suites_of_tls12
from tlsinspect import fields
from tlsinspect.inspector import inspect
from tlsinspect.model.frame import Frame, Missing, Side
from tlsinspect.model.handshake import Handshake, Outcome, Visibility
from tlsinspect.model.message import CertificateMessage, EncryptedRecord, NewSessionTicket, ServerHello
from tlsinspect.net.reassembly import Chunk
from tlsinspect.tls.connection import Connection
from tlsinspect.tls.keylog import Secrets
from tlsinspect.tls.opened_data import OpenedData

HISTORIES = {
    "TLS 1.0": "CsxknGIFtifLl",
    "TLS 1.1": "CsxknGIFtifLl",
    "TLS 1.2 GCM": "CsxknGIFtifLl",
    "TLS 1.2 ChaCha20": "CsxknGIFtifLl",
    "TLS 1.2 CBC": "CsxnGIFtifLl",
    "TLS 1.2 CBC, encrypt-then-mac": "CsxknGIFtifLl",
    "TLS 1.2, client certificate": "CsxkrnXGYIFtifLl",
    "TLS 1.2, no client certificate": "CsxkrnXGIFtifLl",
    "TLS 1.2, ticket": "CsifIFLl",
    "TLS 1.2, session ID": "CsifIFLl",
    "TLS 1.3": "CsioxyfIFttLl",
    "TLS 1.3, client certificate": "CsiorxyfIXYFttLl",
    "TLS 1.3, no client certificate": "CsiorxyfIXFttLl",
    "TLS 1.3, PSK": "CsiofIFtLl",
    "TLS 1.3, HelloRetryRequest": "CjiICsoxyfFttLl",
    "TLS 1.3, post-handshake authentication": "CsioxyfIFttrXYFttLl",
    "TLS 1.3, KeyUpdate, AES-CCM-8": "CsioxyfIFttPp",
    "TLS 1.3, KeyUpdate, ChaCha20": "CsioxyfIFttPp",
    "TLS 1.3, 0-RTT": "CIsiofEFt",
    "TLS 1.3, 0-RTT refused": "CIsioxyfFtt",
    "TLS 1.3, 0-RTT and HelloRetryRequest": "CIjiCsofFt",
    "TLS 1.3, external PSK": "CsiofIFt",
}
GROWING = frozenset(("session_tickets", "alerts", "http.requests", "http.responses"))  # as far as the capture goes
ASKED_LATER = frozenset(("certificate_request", "client_certificates"))  # with post-handshake authentication
OF_THE_END = frozenset(("outcome", "history"))


def opened(found: Conversation, frames: list[Frame] | None = None) -> Handshake:
    (handshake,) = inspect(frames_of(found.flights) if frames is None else frames, secrets=Secrets(found.keylog))
    return handshake


def values(handshake: Handshake) -> dict[str, object]:
    return {
        field.path: field.read(handshake)
        for field in fields.FIELDS
        if field.path not in OF_THE_END and not field.path.startswith("tcp.")
    }


def removed_only(less: object, whole: object, path: str) -> bool:
    if path in GROWING and isinstance(less, tuple) and isinstance(whole, tuple):
        rest = iter(whole)
        return all(each in rest for each in less)
    return less == whole or less is Missing.LOST


@pytest.mark.parametrize("kind", KINDS)
def test_opens_all_messages(kind: str) -> None:
    handshake = opened(conversation(kind))

    assert handshake.history == HISTORIES[kind]
    assert handshake.visibility is Visibility.DECRYPTED
    assert handshake.outcome is Outcome.COMPLETED
    assert handshake.defects == ()
    assert [event for event in handshake.events if isinstance(event.message, EncryptedRecord)] == []


@pytest.mark.parametrize("name", [name for name, _ in suites_of_tls12() if "ARIA" not in name])
def test_opens_what_is_said_in_every_suite_of_tls12(name: str) -> None:
    found = plain(ssl.TLSVersion.TLSv1_2, name)
    connection = Connection(secrets=Secrets(found.keylog))
    connection.data = OpenedData()
    for side, octets in found.flights:
        connection.feed(side, Chunk(octets, 0, 1, 0))
    said = {side: b"".join(data.octets for data in connection.data.items if data.side is side) for side in Side}

    assert said == {Side.CLIENT: QUESTION, Side.SERVER: ANSWER}


PSK_SUITES = [
    "PSK-AES128-GCM-SHA256",
    "PSK-AES256-CCM8",
    "PSK-CHACHA20-POLY1305",
    "PSK-AES128-CBC-SHA256",
    "PSK-NULL-SHA384",
    "DHE-PSK-AES256-CCM",
    "DHE-PSK-CAMELLIA128-SHA256",
    "ECDHE-PSK-AES256-CBC-SHA384",
    "ECDHE-PSK-CHACHA20-POLY1305",
    "ECDHE-PSK-NULL-SHA256",
]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
@pytest.mark.parametrize("suite", PSK_SUITES)
def test_opens_what_is_protected_by_a_shared_key(suite: str, tmp_path: Path) -> None:
    parameters = ("-dhparam", str(credentials(folder())[1])) if suite.startswith("DHE") else ()
    handshake = opened(
        talk_with_external_psk(tmp_path, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0", server=parameters)
    )

    assert handshake.visibility is Visibility.DECRYPTED
    assert handshake.outcome is Outcome.COMPLETED
    assert handshake.defects == ()
    assert [event for event in handshake.events if isinstance(event.message, EncryptedRecord)] == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
@pytest.mark.parametrize(
    "suite", ["ECDHE-RSA-AES128-GCM-SHA256", "AES256-SHA", "AES128-CCM8", "ECDHE-RSA-CHACHA20-POLY1305"]
)
def test_opens_a_second_handshake_inside_of_the_first(suite: str, tmp_path: Path) -> None:
    found = talk_with_renegotiation(tmp_path, suite)
    first, second = inspect(frames_of(found.flights), secrets=Secrets(found.keylog))

    assert (first.part, second.part) == (1, 2)
    assert first.client_hellos[0].random != second.client_hellos[0].random
    assert isinstance(second.server_certificates, CertificateMessage)
    assert (first.outcome, second.outcome) == (Outcome.COMPLETED, Outcome.COMPLETED)
    assert [
        event for each in (first, second) for event in each.events if isinstance(event.message, EncryptedRecord)
    ] == []


VERSIONS = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
OLD_SUITES = ("AES128-SHA", "ECDHE-RSA-AES256-SHA", "DHE-RSA-CAMELLIA128-SHA", "NULL-SHA", "ECDHE-ECDSA-AES128-SHA")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_opens_whatever_was_agreed_and_cutting_only_removes(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    if version is ssl.TLSVersion.TLSv1_2:
        suite = data.draw(st.sampled_from([name for name, _ in suites_of_tls12() if "ARIA" not in name]))
    else:
        suite = data.draw(st.sampled_from(OLD_SUITES))
    encrypt_then_mac, certificate, retried = data.draw(st.booleans()), data.draw(st.none() | st.booleans()), False
    client, server = pair(version, suites=suite, encrypt_then_mac=encrypt_then_mac)
    anonymous = "ADH" in suite or "AECDH" in suite  # a server without a certificate must not ask for one
    if certificate is not None and not anonymous:
        asking(server, client, certificate=certificate)
    if version is ssl.TLSVersion.TLSv1_3 and data.draw(st.booleans()):
        retried = True
        server.set_ecdh_curve("secp384r1")
    found = talk(client, server, folder() / "keys.log")
    resumed = data.draw(st.booleans())
    if resumed:
        found = talk(client, server, folder() / "keys.log", session=found.session)
    frames = frames_of(found.flights, segment_octets=data.draw(st.integers(200, 9000)))
    whole = opened(found, frames)

    assert whole.visibility is Visibility.DECRYPTED
    assert (whole.outcome, whole.defects) == (Outcome.COMPLETED, ())
    assert [event for event in whole.events if isinstance(event.message, EncryptedRecord)] == []
    assert (whole.resumption.accepted is not None) is resumed
    if certificate is not None and not anonymous and not resumed:
        chain = whole.client_certificates
        assert isinstance(chain, CertificateMessage)
        assert bool(chain.entries) is certificate
    frames = frames[: data.draw(st.integers(4, len(frames)))]
    known = values(whole)
    for less in inspect(frames, secrets=Secrets(found.keylog)):
        for path, value in values(less).items():
            retry = retried and path.startswith("client_hello.")  # the second stands for the first
            assert removed_only(value, known[path], path) or retry, path


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_segmentation_does_not_matter(data: st.DataObject) -> None:
    found = conversation(data.draw(st.sampled_from(sorted(KINDS))))
    frames = frames_of(found.flights, segment_octets=data.draw(st.integers(40, 9000)))
    late = data.draw(st.lists(st.integers(4, len(frames) - 1), max_size=4))
    for at in late:  # a segment that comes after its successor, when that is of the same side
        if frames[at].data[12:16] == frames[at - 1].data[12:16]:
            frames[at - 1], frames[at] = frames[at], frames[at - 1]
    frames += [frames[at] for at in late]
    frames = [frame._replace(number=number) for number, frame in enumerate(frames, 1)]

    assert values(opened(found, frames)) == values(opened(found))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cutting_only_removes(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    found = conversation(kind)
    frames = frames_of(found.flights, segment_octets=data.draw(st.integers(100, 1460)))
    whole = values(opened(found, frames))
    frames = frames[: data.draw(st.integers(4, len(frames)))]
    gone = data.draw(st.sets(st.integers(3, len(frames) - 1), max_size=3)) if len(frames) > 4 else set()
    snap = data.draw(st.sampled_from((1 << 16, 400, 200)))
    less = [frame._replace(data=frame.data[:snap]) for at, frame in enumerate(frames) if at not in gone]
    handshakes = list(inspect(less, secrets=Secrets(found.keylog)))

    for handshake in handshakes:
        assert [
            (path, value)
            for path, value in values(handshake).items()
            if not removed_only(value, whole[path], path)
            and not ("post-handshake" in kind and path.partition(".")[0] in ASKED_LATER)
            and not (value is Missing.HIDDEN and not handshake.client_hellos)  # whose random finds the keys
            and not ("Retry" in kind and path.startswith("client_hello."))  # the second stands for the first
        ] == []
        assert not [defect for defect in handshake.defects if defect.where == "keylog"]


def test_a_lost_hello_retry_request_is_not_said_to_be_absent() -> None:
    found = conversation("TLS 1.3, HelloRetryRequest")
    frames = frames_of(found.flights)
    asked = opened(found, frames).hello_retry_request
    less = [frame for frame in frames if not isinstance(asked, ServerHello) or asked.random not in frame.data]
    read = {field.path: field.read for field in fields.FIELDS}["server_hello.hello_retry_request"]

    assert len(less) == len(frames) - 1
    assert read(opened(found, frames)) is True
    assert read(opened(found, less)) is Missing.LOST


@pytest.mark.parametrize(
    "kind", ["TLS 1.2 GCM", "TLS 1.2 ChaCha20", "TLS 1.2 CBC", "TLS 1.3", "TLS 1.3, client certificate"]
)
def test_goes_on_behind_a_lost_record(kind: str) -> None:
    found = conversation(kind)
    at = [side for side, _ in found.flights].index(Side.SERVER)
    wire = Wire()
    for index, (side, octets) in enumerate(found.flights):
        if index != at:
            wire.segment(side, octets)
            continue
        wire.segment(side, octets[:900])
        kept = len(wire.frames)
        wire.segment(side, octets[900:])
    frames = [frame for frame in wire.frames if frame.number != kept + 1]
    handshake = opened(found, frames)

    assert "Ll" in handshake.history
    assert handshake.outcome is Outcome.COMPLETED
    assert isinstance(handshake.client_certificates, CertificateMessage) == ("client" in kind)


def test_says_once_that_the_secrets_are_wrong() -> None:
    found = conversation("TLS 1.3")
    wrong = b"\n".join(line[:-8] + b"00000000" for line in found.keylog.splitlines())
    (handshake,) = inspect(frames_of(found.flights), secrets=Secrets(wrong))

    assert [(defect.where, defect.problem) for defect in handshake.defects] == [
        ("keylog", "the secrets for this connection do not open its records")
    ]
    assert handshake.server_certificates is Missing.HIDDEN
    assert handshake.visibility is Visibility.HIDDEN


def test_opens_one_direction_when_only_its_secret_is_there() -> None:
    found = conversation("TLS 1.3, client certificate")
    lines = [line for line in found.keylog.splitlines() if line.startswith(b"SERVER_HANDSHAKE")]
    (handshake,) = inspect(frames_of(found.flights), secrets=Secrets(b"\n".join(lines)))

    assert handshake.history == "CsiorxyfI"
    assert isinstance(handshake.server_certificates, CertificateMessage)
    assert handshake.client_certificates is Missing.HIDDEN
    assert handshake.session_tickets is Missing.HIDDEN


def test_tries_all_secrets_of_one_client_random() -> None:
    found = conversation("TLS 1.3")
    wrong = [line[:-8] + b"00000000" for line in found.keylog.splitlines() if b"TRAFFIC" in line]
    (handshake,) = inspect(frames_of(found.flights), secrets=Secrets(b"\n".join(wrong) + b"\n" + found.keylog))

    assert handshake.history == HISTORIES["TLS 1.3"]


@pytest.mark.parametrize("kind", ["TLS 1.2 GCM", "TLS 1.3", "TLS 1.3, PSK"])
def test_reads_again_when_the_secrets_come_late(kind: str) -> None:
    found = conversation(kind)
    secrets = Secrets()
    secrets.growing = True
    frames = frames_of(found.flights)

    def live() -> Iterator[Frame]:
        yield from frames
        secrets.add(found.keylog)

    (handshake,) = inspect(live(), secrets=secrets)

    assert handshake.history == HISTORIES[kind]
    assert handshake.defects == ()


def test_reads_the_certificate_asked_for_after_the_handshake() -> None:
    handshake = opened(conversation("TLS 1.3, post-handshake authentication"))
    chain = handshake.client_certificates

    assert isinstance(chain, CertificateMessage)
    assert len(chain.entries) == 1
    assert chain.request_context != b""
    assert sum(isinstance(event.message, NewSessionTicket) for event in handshake.events) == 4


@pytest.mark.parametrize(("kind", "paths"), [("TLS 1.3, 0-RTT", ["/early"]), ("TLS 1.3, 0-RTT refused", [])])
def test_reads_early_requests_when_the_server_takes_them(kind: str, paths: list[str]) -> None:
    handshake = opened(conversation(kind))

    assert isinstance(handshake.http, tuple)
    assert [each.path for each in handshake.http] == paths


@pytest.mark.parametrize("kind", ["TLS 1.2 GCM", "TLS 1.3"])
def test_requests_are_hidden_when_the_secrets_are_those_of_another_connection(kind: str) -> None:
    found, other = conversation(kind), conversation("TLS 1.3, PSK")
    (handshake,) = inspect(frames_of(found.flights), secrets=Secrets(other.keylog))

    assert handshake.http is Missing.HIDDEN
