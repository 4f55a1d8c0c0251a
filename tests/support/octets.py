"""Building the octets of messages, the way RFC 8446 section 3 describes them."""


def vector(prefix: int, *parts: bytes) -> bytes:
    """The parts behind their length, which takes *prefix* octets."""
    octets = b"".join(parts)
    return len(octets).to_bytes(prefix, "big") + octets


def extension(kind: int, data: bytes) -> bytes:
    """One extension of a message."""
    return kind.to_bytes(2, "big") + vector(2, data)
