"""Where we and tshark 4.0.17 do not agree on DTLS and QUIC in clear, and why: the one place for it.

Capture -> pairs of the beginning of a line of differences and its reason; each has to be needed.
"""

REUSED = "tshark takes the only CRYPTO frame for a retransmission, and shows no message"
RESTARTED = "tshark shows the ClientHello of the attempt that {} ended, and not the next one"

EXCEPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "arkime__arkime_synthetic.pcap": (
        ("stream 70: only ours", "tshark enters a VXLAN-GPE header without its P bit, so its numbers are one ahead"),
        ("stream 71: only expected", "as above"),
    ),
    "cisco__quic-crypto-packets.pcap": tuple((f"stream {stream}: only ours", REUSED) for stream in (177, 181, 324)),
    "ntop__quic-28.pcap": (("stream 0: client_hellos random", RESTARTED.format("a Version Negotiation")),),
    "ntop__quic-forcing-vn-with-data.pcapng": (
        ("stream 0: 1 client_hellos, expected 0", RESTARTED.format("a Version Negotiation")),
    ),
    "ntop__quic_retry.pcap": (("stream 0: client_hellos", RESTARTED.format("a Retry")),),
}
