"""Dialogues that precede TLS on a stream: STARTTLS, CONNECT, SOCKS, the PROXY protocol, SSLRequest.

One row each in dialogues.DIALOGUES; the reader is the same for all.  Imports nothing here, so that a capture without
such a dialogue does not pay for their patterns.
"""
