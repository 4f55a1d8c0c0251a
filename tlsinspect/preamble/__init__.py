"""Dialogues that precede TLS on a stream: STARTTLS, CONNECT, SOCKS, the PROXY protocol, SSLRequest.

One row each in DIALOGUES; the reader is the same for all.
"""

from tlsinspect.preamble.dialogues import DIALOGUES, Dialogue
from tlsinspect.preamble.reader import PreambleReader, State, Verdict
from tlsinspect.preamble.start import looks_like_tls

__all__ = ["DIALOGUES", "Dialogue", "PreambleReader", "State", "Verdict", "looks_like_tls"]
