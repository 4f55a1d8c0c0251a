"""Tells why a TLS server routed or rejected a connection, from a packet capture.

```python
from tlsinspect import CAUSES, Case, diagnose, explain, inspect, open_capture

with open_capture("nginx.pcap") as capture:
    for handshake in inspect(capture):
        for found in diagnose(Case(handshake=handshake), CAUSES).findings:
            print(handshake.stream, found.code, found.finding.explanation)
```

The names below are loaded when they are first used: importing the package costs nothing.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

# The public API: where each name comes from.
NAMES = {
    "CAUSES": "tlsinspect.diagnosis.causes",
    "Case": "tlsinspect.diagnosis.rule",
    "CaptureError": "tlsinspect.model.errors",
    "Diagnosis": "tlsinspect.diagnosis.engine",
    "FIELDS": "tlsinspect.fields",
    "Frame": "tlsinspect.model.frame",
    "Handshake": "tlsinspect.model.handshake",
    "Inspector": "tlsinspect.inspector",
    "Limits": "tlsinspect.inspector",
    "Meant": "tlsinspect.diagnosis.rule",
    "Missing": "tlsinspect.model.frame",
    "Outcome": "tlsinspect.model.handshake",
    "ReferenceUnavailable": "tlsinspect.model.errors",
    "Secrets": "tlsinspect.tls.keylog",
    "SelectionError": "tlsinspect.model.errors",
    "Sessions": "tlsinspect.sessions",
    "compare": "tlsinspect.comparison",
    "diagnose": "tlsinspect.diagnosis.engine",
    "explain": "tlsinspect.diagnosis.engine",
    "inspect": "tlsinspect.inspector",
    "open_capture": "tlsinspect.capture.file",
    "open_interface": "tlsinspect.capture.live",
}
__all__ = ["__version__", *NAMES]


def __getattr__(name: str) -> object:
    """A name of the public API.  Raises AttributeError for any other."""
    if name not in NAMES:
        raise AttributeError(f"module 'tlsinspect' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The names of the public API."""
    return sorted(__all__)
