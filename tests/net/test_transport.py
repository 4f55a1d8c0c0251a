"""Keys of conversations."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlsinspect.model.frame import Endpoint
from tlsinspect.net.packet import endpoints, reverse


def key(source: str, destination: str, source_port: int, destination_port: int) -> bytes:
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    return addresses + struct.pack(">HH", source_port, destination_port)


@pytest.mark.parametrize(("source", "destination"), [("192.0.2.1", "198.51.100.7"), ("2001:db8::1", "fe80::7:0:0:8")])
def test_endpoints_are_source_and_destination(source: str, destination: str) -> None:
    expected = Endpoint(source, 40000), Endpoint(destination, 443)

    assert endpoints(key(source, destination, 40000, 443)) == expected


def test_an_ipv4_mapped_address_is_written_in_its_mixed_form() -> None:
    source, _ = endpoints(key("::ffff:192.0.2.1", "::1", 1, 2))

    assert source.address == "::ffff:192.0.2.1"


@given(st.one_of(st.binary(min_size=12, max_size=12), st.binary(min_size=36, max_size=36)))
def test_reverse_exchanges_the_endpoints_and_twice_gives_the_key(directional: bytes) -> None:
    assert endpoints(reverse(directional)) == endpoints(directional)[::-1]
    assert reverse(reverse(directional)) == directional
