"""Where a field of the catalogue and tshark 4.0.17 do not agree, and why: the one place for it.

Capture -> pairs of the beginning of a line of differences and its reason; each has to be needed.
"""

OPENVPN = "TLS inside of OpenVPN's own framing: not followed"
DER = "the DER ends before the certificate's length in the message: tshark's field ends with the DER"
CUT = "frames are cut at 1500 octets: tshark does not find its way back into the stream, we go on at the next record"
EXPORT = "an export suite: its short keys are not derived here"
UNREADABLE = "a length in the message is damaged: we give no value, tshark those before the damage"
DTLS_1_3 = "this tshark does not know DTLS 1.3"
RETRY = "after a Retry or a Version Negotiation the client begins anew: tshark's first ClientHello went unanswered"
NOT_WHOLE = "the record is not whole in the capture: tshark reads the beginning of its message, we show none of it"
TWICE = "an extension that comes twice: tshark appends its list twice, so that its JA3 has six parts"

EXCEPTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "AdaCore__dtls13-2.pcap": (
        ("udp 0: encrypted_extensions.extensions", DTLS_1_3),
        ("udp 0: server_certificates", DTLS_1_3),
    ),
    "AlexeyVasilev__pcap_flow_lab_showcase.pcap": (
        ("tcp 27: only tshark", "an MPLS pseudowire frame that tshark takes for another one: our number is 28"),
    ),
    "CESNET__inputs__tls.pcap": (
        ("tcp 12: server_key_exchange.", CUT),
        ("tcp 17: server_key_exchange.", CUT),
        ("tcp 17: session_tickets", CUT),
        ("tcp 22: server_key_exchange.", CUT),
        ("tcp 22: session_tickets", CUT),
    ),
    "Lekensteyn__broken__dump.pcapng": tuple(
        (f"tcp {stream}: {what}", EXPORT) for stream in (0, 2) for what in ("alerts", "http.")
    ),
    "Lekensteyn__ssl3__dump.pcapng": tuple(
        (f"tcp {stream}: {what}", EXPORT) for stream in (0, 3, 5) for what in ("alerts", "http.")
    ),
    "Lekensteyn__works__dump.pcapng": (("tcp 0: alerts", EXPORT), ("tcp 0: http.", EXPORT)),
    "OISF__tls_DER-incomplete-content.pcap": (("tcp 0: server_certificates", DER),),
    "OISF__tls_DER-incomplete-header.pcap": (("tcp 0: server_certificates", DER),),
    "ajbanjara__OpenVPN_TCP_tls-auth.pcapng": tuple((f"tcp {stream}: only tshark", OPENVPN) for stream in (0, 1)),
    "arkime__arkime_synthetic.pcap": (
        ("tcp 90: server_hello.ja3s", "tshark gives a JA3S for a hello whose extensions are damaged"),
        ("tcp 97: server_hello.version", "tshark takes the octets of a damaged extension for a version"),
        ("udp 71: only tshark", "tshark enters a VXLAN-GPE header without its P bit: our number is 70"),
    ),
    **{
        f"causes/capture-incomplete/openssl-nginx-snap-length-{version}": tuple(
            (f"tcp {stream}: client_hello.legacy_version", NOT_WHOLE) for stream in (0, 1)
        )
        for version in ("tls12", "tls13")
    },
    **{
        f"causes/extension-refused/openssl-nginx-twice-{version}": (("tcp 0: client_hello.ja3", TWICE),)
        for version in ("tls12", "tls13")
    },
    "examples/capture-incomplete-snaplen96-cipher-openssl-nginx-tls12": (
        ("tcp 0: client_hello.legacy_version", NOT_WHOLE),
    ),
    "examples/client-cert-missing-snaplen128-openssl-haproxy-tls12": (
        ("tcp 0: client_hello.", NOT_WHOLE),
        ("tcp 0: server_", "tshark does not go on behind a record that is cut, we read the one after it"),
        ("tcp 0: alerts", "as above"),
    ),
    "examples/not-tls-server-java-nginx": (
        ("tcp 0: client_alert", "tshark takes the connection for the HTTP that the server answers in, the alert too"),
        ("tcp 0: alerts", "as above"),
    ),
    "examples/server-gave-up-openssl-caddy-tls13-blind": (
        (
            "tcp 0: http.host",
            "ALPN chose h2 and HTTP/1.1 is spoken: tshark reads the octets as HTTP/2 and finds nothing",
        ),
    ),
    "examples/sni-invalid-nul-scripted-nginx": (("tcp 0: client_hello.server_name", "tshark's text ends at the NUL"),),
    "cisco__corner-cases.pcap": (("tcp 2: server_hello.", UNREADABLE),),
    "cisco__encrypted_handshake_cert_false_positive.pcap": (("tcp 0: server_hello.", UNREADABLE),),
    "cisco__openvpn_tcp_multi.pcap": tuple((f"tcp {stream}: only tshark", OPENVPN) for stream in (0, 1)),
    "corelight__openvpn_tcp_nontlsauth.pcap": (("tcp 0: only tshark", OPENVPN),),
    "ntop__dtls.pcap": (("udp 3: ", DTLS_1_3),),
    "ntop__heuristic_tcp_ack_payload.pcap": tuple(
        (f"tcp {stream}: only tshark", "two octets of padding on pure ACKs: neither of us finds the hellos")
        for stream in (2, 3, 4)
    ),
    "ntop__openvpn.pcap": (("tcp 0: only tshark", OPENVPN), ("udp 4: only tshark", OPENVPN)),
    "ntop__openvpn_nohmac.pcapng": (("udp 0: only tshark", OPENVPN),),
    "ntop__quic-28.pcap": (("udp 0: client_hello.random", RETRY),),
    "ntop__quic-forcing-vn-with-data.pcapng": (
        ("udp 0: client_hello.", "tshark opens no packet of a version that is there to force a negotiation"),
    ),
    "ntop__quic_retry.pcap": (("udp 0: client_hello.random", RETRY),),
    "ntop__tls_cipher_lens.pcap": tuple((f"tcp {stream}: client_hello.", UNREADABLE) for stream in (1, 2, 4)),
    "seladb__ssl-malformed1.pcap": (("tcp 0: client_hello.extensions", UNREADABLE),),
}
