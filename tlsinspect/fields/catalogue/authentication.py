"""Who both sides proved to be."""

from __future__ import annotations

from tlsinspect import registry
from tlsinspect.fields import basis
from tlsinspect.fields.field import Compare, Field, Group
from tlsinspect.fields.frames import frames_of
from tlsinspect.fields.names import names
from tlsinspect.fields.readers import authorities, chain, has_request, of_request
from tlsinspect.model.frame import Side
from tlsinspect.model.message import CertificateMessage, CertificateRequest

AUTHENTICATION: tuple[Field, ...] = (
    Field(
        path="server_certificates",
        title="Server certificate",
        group=Group.SERVER_CERTIFICATE,
        read=chain(Side.SERVER),
        compare=Compare.VALUE,
        frames=frames_of(CertificateMessage, side=Side.SERVER),
        wireshark="tls.handshake.certificate",
        source="RFC 8446 section 4.4.2",
        basis=basis.server_chain,
    ),
    Field(
        path="certificate_request",
        title="Client certificate requested",
        group=Group.CLIENT_AUTHENTICATION,
        read=has_request,
        compare=Compare.VALUE,
        frames=frames_of(CertificateRequest),
        wireshark="tls.handshake.type",
        source="RFC 8446 section 4.3.2",
        basis=basis.request,
    ),
    Field(
        path="certificate_request.certificate_authorities",
        title="Authorities accepted",
        group=Group.CLIENT_AUTHENTICATION,
        read=of_request(authorities),
        compare=Compare.SET,
        frames=frames_of(CertificateRequest),
        wireshark="tls.handshake.dname",
        source="RFC 8446 section 4.2.4",
        basis=basis.request,
    ),
    Field(
        path="certificate_request.signature_algorithms",
        title="Signature algorithms asked for",
        group=Group.CLIENT_AUTHENTICATION,
        read=of_request(lambda r: names(registry.SIGNATURE_SCHEMES, r.signature_algorithms)),
        compare=Compare.ORDERED,
        frames=frames_of(CertificateRequest),
        wireshark="tls.handshake.sig_hash_alg",
        source="RFC 8446 section 4.2.3",
        basis=basis.request,
    ),
    Field(
        path="client_certificates",
        title="Client certificate",
        group=Group.CLIENT_AUTHENTICATION,
        read=chain(Side.CLIENT),
        compare=Compare.VALUE,
        frames=frames_of(CertificateMessage, side=Side.CLIENT),
        wireshark="tls.handshake.certificate",
        source="RFC 8446 section 4.4.2",
        basis=basis.client_chain,
    ),
)
