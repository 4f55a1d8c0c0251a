from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsinspect.model.errors import CaptureError
from tlsinspect.tls.keylog import (
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    CLIENT_TRAFFIC,
    MASTER_SECRET,
    MOST_SECRETS,
    SERVER_HANDSHAKE,
    SERVER_TRAFFIC,
    FollowedKeyLog,
    Secrets,
)

RANDOM, OTHER = bytes(range(32)), bytes(32)
SECRET, MASTER = b"s" * 32, b"m" * 48


def line(label: str, client_random: bytes, secret: bytes) -> bytes:
    return f"{label} {client_random.hex()} {secret.hex()}\n".encode()


@pytest.mark.parametrize(
    "label",
    [
        CLIENT_EARLY,
        CLIENT_HANDSHAKE,
        SERVER_HANDSHAKE,
        CLIENT_TRAFFIC,
        SERVER_TRAFFIC,
        "CLIENT_TRAFFIC_SECRET_7",
        "SERVER_TRAFFIC_SECRET_12",
    ],
)
def test_finds_a_secret_by_client_random_and_label(label: str) -> None:
    secrets = Secrets(line(label, RANDOM, SECRET))

    assert secrets.find(RANDOM, label) == (SECRET,)
    assert secrets.find(OTHER, label) == ()
    assert secrets.find(RANDOM, MASTER_SECRET) == ()


def test_finds_a_master_secret() -> None:
    assert Secrets(line("CLIENT_RANDOM", RANDOM, MASTER)).find(RANDOM, MASTER_SECRET) == (MASTER,)


def test_keeps_all_secrets_that_share_a_client_random_once_each() -> None:
    secrets = Secrets(line(CLIENT_TRAFFIC, RANDOM, SECRET) + line(CLIENT_TRAFFIC, RANDOM, b"t" * 32))
    secrets.add(line(CLIENT_TRAFFIC, RANDOM, SECRET))

    assert secrets.find(RANDOM, CLIENT_TRAFFIC) == (SECRET, b"t" * 32)


def test_reads_comments_crlf_upper_case_and_a_byte_order_mark() -> None:
    wanted = line(CLIENT_TRAFFIC, RANDOM, SECRET).decode().split()
    text = f"\ufeff# a comment\r\n\r\n{wanted[0]} {wanted[1].upper()} {wanted[2].upper()}\r\n".encode()
    secrets = Secrets(text)

    assert secrets.find(RANDOM, CLIENT_TRAFFIC) == (SECRET,)
    assert secrets.malformed_lines == 0


@pytest.mark.parametrize(
    "passed_over",
    [
        line("EXPORTER_SECRET", RANDOM, SECRET),
        line("EARLY_EXPORTER_MASTER_SECRET", RANDOM, SECRET),
        line("ECH_SECRET", RANDOM, SECRET),
        line("ECH_CONFIG", RANDOM, b"\xfe\x0d"),
        line("CLIENT_TRAFFIC_SECRET_N", RANDOM, SECRET),  # as OpenSSL 3.0 names the secret after a KeyUpdate
        b"RSA 0011223344556677 " + b"ab" * 48 + b"\n",
        b"RSA Session-ID:0011 Master-Key:2233\n",
        line("PMS_CLIENT_RANDOM", RANDOM, MASTER),
    ],
)
def test_passes_over_what_opens_no_records(passed_over: bytes) -> None:
    secrets = Secrets(passed_over)

    assert not secrets
    assert secrets.malformed_lines == 0


@pytest.mark.parametrize(
    "malformed",
    [
        b"CLIENT_TRAFFIC_SECRET_0\n",
        b"CLIENT_TRAFFIC_SECRET_0 00\n",
        b"CLIENT_TRAFFIC_SECRET_0 zz zz\n",
        line(CLIENT_TRAFFIC, RANDOM[:31], SECRET),
        line(CLIENT_TRAFFIC, RANDOM, SECRET)[:-2],
        line("CLIENT_RANDOM", RANDOM, MASTER[:47]),
        b"-----BEGIN PRIVATE KEY-----\n",
        b"\xff\xfe\0\0\n",
    ],
)
def test_counts_malformed_lines(malformed: bytes) -> None:
    secrets = Secrets(malformed + b"\n" + line(SERVER_TRAFFIC, RANDOM, SECRET))

    assert secrets.malformed_lines == 1
    assert secrets.find(RANDOM, SERVER_TRAFFIC) == (SECRET,)


def test_is_false_without_secrets() -> None:
    assert not Secrets()
    assert Secrets(line(CLIENT_TRAFFIC, RANDOM, SECRET))


@given(st.binary(max_size=200))
def test_random_octets_raise_nothing(text: bytes) -> None:
    assert Secrets(text).malformed_lines <= len(text)


def test_follows_a_file_that_appears_and_grows(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    secrets = Secrets()
    followed = FollowedKeyLog(path, secrets)
    text = line(CLIENT_TRAFFIC, RANDOM, SECRET) + line(SERVER_TRAFFIC, RANDOM, SECRET)

    assert not followed.refresh()
    for size in range(len(text) + 1):
        path.write_bytes(text[:size])

        assert followed.refresh() == (size > 0 and text[size - 1 : size] == b"\n")
    assert not followed.refresh()
    assert secrets.find(RANDOM, CLIENT_TRAFFIC) == (SECRET,)
    assert secrets.find(RANDOM, SERVER_TRAFFIC) == (SECRET,)
    assert secrets.malformed_lines == 0


def test_reads_a_file_that_was_begun_anew_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "keys.log"
    secrets = Secrets()
    followed = FollowedKeyLog(path, secrets)
    path.write_bytes(line(CLIENT_TRAFFIC, RANDOM, SECRET) * 2 + b"unfinished")
    followed.refresh()
    path.write_bytes(line(CLIENT_TRAFFIC, OTHER, SECRET))

    assert followed.refresh()
    assert secrets.find(OTHER, CLIENT_TRAFFIC) == (SECRET,)
    assert secrets.malformed_lines == 0


def test_says_that_a_key_log_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be read: Is a directory"):
        FollowedKeyLog(tmp_path, Secrets()).refresh()


def test_keeps_a_bounded_number_of_secrets_of_one_connection() -> None:
    lines = [f"CLIENT_RANDOM {bytes(32).hex()} {at:096x}" for at in range(1, 100)]
    found = Secrets("\n".join(lines).encode()).find(bytes(32), "CLIENT_RANDOM")

    assert [int.from_bytes(each, "big") for each in found] == list(range(1, MOST_SECRETS + 1))
