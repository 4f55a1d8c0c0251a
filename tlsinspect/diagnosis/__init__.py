"""What explains the outcome of a handshake, or the difference between two."""
