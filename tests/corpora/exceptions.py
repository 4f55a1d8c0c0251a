"""Where we and tshark 4.0.17 do not agree on what passes in clear, over TCP and UDP, and why: the one place for it.

Capture -> pairs of the beginning of a line of differences and its reason; each has to be needed.
"""

OPENVPN = "TLS inside of OpenVPN's own framing over TCP: not followed"
NOT_WHOLE = "the record is not whole in the capture: tshark shows no message of it, we show those that are whole"
SSL2_SERVER = "an SSL 2.0 ServerHello: SSL 2.0 is followed as far as the ClientHello that later versions share"
DAMAGED = "the length of the message is damaged: tshark counts a ServerHello, and cannot read it either"
DER = "the DER ends before the certificate's length in the message: tshark's field ends with the DER"
REUSED = "tshark takes the only CRYPTO frame for a retransmission, and shows no message"
RESTARTED = "tshark shows the ClientHello of the attempt that {} ended, and not the next one"

EXCEPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "AlexeyVasilev__pcap_flow_lab_showcase.pcap": (
        ("stream 27: only expected", "an MPLS pseudowire frame that tshark takes for another one: our number is 28"),
        ("stream 28: only ours", "as above"),
    ),
    "OISF__tls_DER-incomplete-content.pcap": (("stream 0: certificates", DER),),
    "OISF__tls_DER-incomplete-header.pcap": (("stream 0: certificates", DER),),
    "ajbanjara__OpenVPN_TCP_tls-auth.pcapng": (
        ("stream 0: only expected", OPENVPN),
        ("stream 1: only expected", OPENVPN),
    ),
    "arkime__arkime_synthetic.pcap": (
        ("stream 97: server_hellos negotiated_version", "tshark takes the octets of a damaged extension for a version"),
    ),
    "cisco__corner-cases.pcap": (
        ("stream 0: only ours", NOT_WHOLE),
        ("stream 2: only expected", DAMAGED),
        ("stream 3: only ours", NOT_WHOLE),
    ),
    "cisco__encrypted_handshake_cert_false_positive.pcap": (("stream 0: only expected", DAMAGED),),
    "cisco__openvpn_tcp_multi.pcap": (("stream 0: only expected", OPENVPN), ("stream 1: only expected", OPENVPN)),
    "corelight__openvpn_tcp_nontlsauth.pcap": (("stream 0: only expected", OPENVPN),),
    "nfstream__skype.pcap": tuple((f"stream {stream}: 0 server_hellos", SSL2_SERVER) for stream in (4, 11, 25, 32)),
    "nfstream__skype_no_unknown.pcap": tuple(
        (f"stream {stream}: 0 server_hellos", SSL2_SERVER) for stream in (12, 15, 17, 25, 30)
    ),
    "ntop__openvpn.pcap": (("stream 0: only expected", OPENVPN),),
    "ntop__tls_cipher_lens.pcap": (
        ("stream 2: only expected", "cipher_suites of 133 octets: no ClientHello can be read, tshark reads on"),
        ("stream 4: only ours", NOT_WHOLE),
    ),
    "seladb__pcapng-example.pcapng.zst": (("stream 0: only ours", "this tshark does not read zstd"),),
    "seladb__ssl-malformed1.pcap": (("stream 0: client_hellos ja3", "tshark gives no JA3 for a malformed hello"),),
    "zeek__ssl-v2.pcap": (("stream 0: 0 server_hellos", SSL2_SERVER),),
}

EXPORT = "an export suite: its short keys are not derived here"
BROTLI = "a certificate compressed with brotli: this tshark was built without it"

# The same for what is opened with keys.
EXCEPTIONS_WITH_KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "FoxIO-LLC__chrome-cloudflare-quic-with-secrets.pcapng": (("stream 0: certificates", BROTLI),),
    **{
        name: tuple((f"stream {stream}: {fact}", EXPORT) for stream in streams for fact in ("messages", "alerts"))
        for name, streams in {
            "Lekensteyn__broken__dump.pcapng": (0, 2),
            "Lekensteyn__ssl3__dump.pcapng": (0, 3, 5),
            "Lekensteyn__works__dump.pcapng": (0,),
        }.items()
    },
}

EXCEPTIONS_OF_DATAGRAMS: dict[str, tuple[tuple[str, str], ...]] = {
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
