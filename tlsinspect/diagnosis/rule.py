"""What a cause is, what it may look at, and what it says."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from tlsinspect import fields
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Handshake
from tlsinspect.sessions import Origin


class Stage(enum.Enum):
    """Where in the exchange a cause lies."""

    TRANSPORT = "transport"
    CAPTURE = "capture"
    ROUTING = "routing"
    PARAMETERS = "parameters"
    SERVER_AUTH = "server-auth"
    CLIENT_AUTH = "client-auth"
    RESUMPTION = "resumption"
    ANY = "any"


class Certainty(enum.IntEnum):
    """How far the octets carry a finding."""

    STATED = 3  # the peer said so, in an alert or a protocol reply
    SHOWN = 2  # follows from the captured octets and the specification
    LIKELY = 1  # fits, and so do the alternatives that the page names


class Severity(enum.IntEnum):
    """What a finding means for the connection."""

    ERROR = 3  # explains a rejection, or a wrong route or identity
    WARNING = 2  # would matter to some peers
    INFO = 1


@dataclass(frozen=True, slots=True)
class Fix:
    """One change for one product."""

    product: str  # "nginx", "HAProxy", "curl", "any client", ...
    action: str  # imperative, one sentence
    example: str = ""  # configuration or command; "{host}" and other names are filled from Finding.fill
    side: Side | None = None  # whose configuration changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one cause says about one handshake or pair."""

    certainty: Certainty
    explanation: str  # sentences: who did what, with the observed values; what else would look the same when LIKELY
    evidence: tuple[str, ...] = ()  # field paths; the engine adds values, frames and display filters
    severity: Severity | None = None  # None: that of the cause
    side: str | None = None  # in a pair: "left", "right" or "both"
    fill: tuple[tuple[str, str], ...] = ()  # values for the examples of the fixes, such as ("host", "a.example")
    fixes: tuple[Fix, ...] | None = None  # None: those of the cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What the user says that was meant, and how to judge certificates."""

    host: str | None = None  # --host
    identity: str | None = None  # --identity; "none" for no client certificate
    at: datetime | None = None  # --at; None: the time of the capture
    anchors: tuple[bytes, ...] | None = None  # --ca: DER of trust anchors; None: the system's


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One handshake, and what is known around it."""

    handshake: Handshake
    origin: Origin | None = None  # of the session that was resumed
    meant: Meant = field(default_factory=Meant)

    def value(self, path: str) -> object:
        """The value of a field of the catalogue, or a Missing."""
        return fields.read(self.handshake, path)

    @property
    def at(self) -> datetime:
        """The time at which certificates are judged."""
        return self.meant.at or _time(self.handshake.started_ns)


@lru_cache(maxsize=8)  # a dozen causes ask for that of one handshake
def _time(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns / 1e9, UTC)


Check = Callable[[Case], Finding | None]
ComparePair = Callable[[Case, Case], Finding | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # there is one of each: equal is the same
class Cause:
    """One cause of one outcome.  No field has a default: a cause without an explanation cannot exist."""

    code: str  # from causes.tsv; never changes its meaning
    title: str  # one line, the situation found
    stage: Stage
    severity: Severity  # the usual one; a finding may say another
    looks_at: tuple[str, ...]  # field paths: documentation, assessability, confounders of a pair
    check: Check
    compare: ComparePair | None  # left and right as given, neither is known to be the one that works
    follows_from: tuple[str, ...]  # codes of which this one is a consequence: it ranks below them
    fixes: tuple[Fix, ...]
    log_lines: tuple[tuple[str, str], ...]  # (product, what its log or its user sees)
    references: tuple[str, ...]
    explanation: str  # Markdown: the module's docstring, the cause's page
