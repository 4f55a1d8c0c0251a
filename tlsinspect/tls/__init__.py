"""TLS: records, handshake messages, one connection, certificates and keys."""
