"""Octets in and out: captures in files and streams, live capture, and recording."""
