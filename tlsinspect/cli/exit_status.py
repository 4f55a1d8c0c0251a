"""What the exit status of every command means."""

from __future__ import annotations

NOTHING = 0  # nothing to report
FOUND = 1  # a finding of severity error (explain), a meaningful difference (diff)
UNUSABLE = 2  # usage, unreadable input, no such handshake, no permission
INTERRUPTED = 130  # 128 + SIGINT; what was found so far has been printed
BROKEN_PIPE = 141  # 128 + SIGPIPE: the reader of the report went away
