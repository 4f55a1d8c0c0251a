"""Secrets from key logs: the lines that SSLKEYLOGFILE and a pcapng's Decryption Secrets Block hold.

RFC 9850.
"""

from __future__ import annotations

import re
from pathlib import Path

from tlsinspect.model.errors import CaptureError

# The labels whose secrets open records; CLIENT_RANDOM is the master secret of TLS 1.2 and before.
MASTER_SECRET = "CLIENT_RANDOM"  # noqa: S105 - a label, not a secret
CLIENT_EARLY = "CLIENT_EARLY_TRAFFIC_SECRET"
CLIENT_HANDSHAKE = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
SERVER_HANDSHAKE = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
CLIENT_TRAFFIC = "CLIENT_TRAFFIC_SECRET_0"
SERVER_TRAFFIC = "SERVER_TRAFFIC_SECRET_0"

_OPENS_RECORDS = re.compile(
    r"CLIENT_RANDOM|CLIENT_EARLY_TRAFFIC_SECRET|(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_[0-9]+)"
)
_LABEL = re.compile(r"[A-Z][A-Z0-9_]*")
_LEGACY_LABELS = frozenset({"RSA", "PMS_CLIENT_RANDOM"})  # need what a capture alone does not give
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # Windows editors put it in front
RANDOM_OCTETS = 32
MASTER_SECRET_OCTETS = 48
MOST_SECRETS = 16  # with one label and client random; each is tried on a record


class Secrets:
    """The secrets of any number of connections, by client random and label.

    It owns the secrets added and keeps them as long as it lives.
    """

    def __init__(self, text: bytes = b"") -> None:
        self.growing = False  # secrets of a connection may come after its records
        self.malformed_lines = 0  # lines of no known form, or with broken hexadecimal digits
        self._secrets: dict[tuple[bytes, str], tuple[bytes, ...]] = {}
        self.add(text)

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def add(self, text: bytes) -> None:
        """Takes in the lines of a key log; labels that open no records are passed over."""
        for line in text.removeprefix(_BYTE_ORDER_MARK).splitlines():
            words = line.decode("ascii", "replace").split()
            if words and not words[0].startswith("#"):
                self._add_words(words)

    def find(self, client_random: bytes, label: str) -> tuple[bytes, ...]:
        """All secrets with that label and client random, in the order of the key log.

        Several connections can share one client random; then only trying tells which secret is whose.
        """
        return self._secrets.get((client_random, label), ())

    def _add_words(self, words: list[str]) -> None:
        label = words[0]
        if label in _LEGACY_LABELS:
            return
        if len(words) != 3 or not _LABEL.fullmatch(label):
            self.malformed_lines += 1
            return
        if not _OPENS_RECORDS.fullmatch(label):
            return
        try:
            client_random, secret = bytes.fromhex(words[1]), bytes.fromhex(words[2])
        except ValueError:
            self.malformed_lines += 1
            return
        expected = len(secret) == MASTER_SECRET_OCTETS if label == MASTER_SECRET else len(secret) > 0
        if len(client_random) != RANDOM_OCTETS or not expected:
            self.malformed_lines += 1
            return
        known = self._secrets.get((client_random, label), ())
        if secret not in known and len(known) < MOST_SECRETS:
            self._secrets[client_random, label] = (*known, secret)


class FollowedKeyLog:
    """A key log file that a running program appends to.

    It owns the position read so far and the start of an unfinished last line, for as long as it lives.
    """

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self.latest = b""  # the lines that the last call took in
        self._path = path
        self._secrets = secrets
        secrets.growing = True
        self._position = 0
        self._unfinished = b""

    def refresh(self) -> bool:
        """Takes in the lines that were completed since the last call; whether there were any.

        A file that does not exist yet has none; a file that became shorter was begun anew and is read from its
        start.  Raises CaptureError when it cannot be read.
        """
        self.latest = b""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._position:
                    self._position, self._unfinished = 0, b""
                file.seek(self._position)
                octets = file.read()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise CaptureError(f"The key log {self._path} cannot be read: {error.strerror}.") from error
        self._position += len(octets)
        lines, newline, self._unfinished = (self._unfinished + octets).rpartition(b"\n")
        self.latest = lines + newline
        self._secrets.add(lines)
        return bool(newline)
