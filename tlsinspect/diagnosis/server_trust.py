"""Where the server's chain leads, by the anchors that the user gave or those of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from tlsinspect.diagnosis.rule import Case
from tlsinspect.diagnosis.server_auth import server_chain, sounds_like_intermediate, sounds_like_root
from tlsinspect.tls.trust import Trust, Verdict, build, system_anchors


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the server's chain leads, and whose anchors say so."""

    verdict: Verdict
    given: bool  # the anchors were given with --ca
    length: int  # certificates sent

    @property
    def anchors_text(self) -> str:
        """The anchors in a sentence."""
        return "the anchors given with --ca" if self.given else "the anchors of this machine"

    @property
    def incomplete(self) -> bool:
        """Whether an intermediate certificate is what is missing, as far as that can be told.

        The octets have names alone: with anchors at hand that lack the missing issuer it is one unless it calls itself
        a root; without, only where it calls itself what intermediates are called.
        """
        verdict = self.verdict
        if verdict.trust is Trust.UNKNOWN or not self.given:
            open_end = verdict.trust in (Trust.ISSUER_MISSING, Trust.UNKNOWN)
            return open_end and bool(verdict.name) and sounds_like_intermediate(verdict.name)
        return verdict.trust is Trust.ISSUER_MISSING and not verdict.other_key and not sounds_like_root(verdict.name)


def standing(case: Case) -> Standing | None:
    """Where the server's chain leads; None when it cannot be seen."""
    chain = server_chain(case.handshake)
    if not chain:
        return None
    anchors = case.meant.anchors
    verdict = build([each.der for each in chain], system_anchors() if anchors is None else anchors, case.at)
    return Standing(verdict, anchors is not None, len(chain))


def sent_text(count: int) -> str:
    """How many certificates were sent, in a sentence."""
    return "its certificate alone" if count == 1 else f"a chain of {count} certificates"
