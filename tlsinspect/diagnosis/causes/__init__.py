"""The causes, one file each, in the order in which they explain: see CAUSES."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Cause

# Within one severity an earlier cause is the better explanation, so the most specific come first and the ones that
# only describe how it ended come last.  A cause also ranks below those that it follows from.
CAUSES: tuple[Cause, ...] = (
    # -- transport: nobody came to speak TLS --
    # -- resumption --
    # -- routing --
    # -- client-auth --
    # -- server-auth --
    # -- parameters --
    # -- capture: what it cannot tell --
    # -- transport: how it ended, when nothing above says why --
    # -- any: the last resorts --
)
