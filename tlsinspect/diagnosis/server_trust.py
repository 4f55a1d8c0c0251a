"""Where the server's chain leads, by the anchors that the user gave or those of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from tlsinspect.diagnosis.client_fit import owner
from tlsinspect.diagnosis.rule import Case
from tlsinspect.diagnosis.server_auth import server_chain, sounds_like_intermediate, sounds_like_root
from tlsinspect.tls.trust import Trust, Verdict, build, system_anchors
from tlsinspect.tls.x509 import decode_certificate


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the server's chain leads, and whose anchors say so."""

    verdict: Verdict
    given: bool  # the anchors were given with --ca
    length: int  # certificates sent
    related: bool = False  # the issuer in question is of the organization of an anchor that was given

    @property
    def anchors_text(self) -> str:
        """The anchors in a sentence."""
        return "the anchors given with --ca" if self.given else "the anchors of this machine"

    @property
    def incomplete(self) -> bool:
        """Whether an intermediate certificate is what is missing, as far as that can be told.

        The octets have names alone, so an issuer that is neither sent nor an anchor is one where it calls itself what
        intermediates are called, or belongs to the organization of an anchor that was given.
        """
        verdict = self.verdict
        if verdict.trust not in (Trust.ISSUER_MISSING, Trust.UNKNOWN) or verdict.other_key:
            return False
        return sounds_like_intermediate(verdict.name) or (self.related and not sounds_like_root(verdict.name))


def standing(case: Case) -> Standing | None:
    """Where the server's chain leads; None when it cannot be seen."""
    chain = server_chain(case.handshake)
    if not chain:
        return None
    anchors = case.meant.anchors
    verdict = build([each.der for each in chain], system_anchors() if anchors is None else anchors, case.at)
    return Standing(verdict, anchors is not None, len(chain), related(verdict.name, anchors or ()))


def related(name: str, anchors: tuple[bytes, ...]) -> bool:
    """Whether an authority is of the same organization as an anchor."""
    organizations = owner(name)[0]
    return any(organizations & owner(decode_certificate(der).subject)[0] for der in anchors)


def sent_text(count: int) -> str:
    """How many certificates were sent, in a sentence."""
    return "its certificate alone" if count == 1 else f"a chain of {count} certificates"
