"""What TCP did, and the dialogue before TLS."""

from __future__ import annotations

from tlsinspect.fields import basis
from tlsinspect.fields.field import Compare, Field, Group
from tlsinspect.fields.frames import marks
from tlsinspect.fields.readers import closing
from tlsinspect.model.frame import Missing, Side

TRANSPORT: tuple[Field, ...] = (
    Field(
        path="tcp.syn_count",
        title="Connection attempts (SYN)",
        group=Group.TRANSPORT,
        read=lambda h: h.tcp.syn_count,
        compare=Compare.EXPECTED,
        frames=lambda h: (h.tcp.syn.frame,) if h.tcp.syn else (),
        wireshark="",
        source="RFC 9293 section 3.5",
        basis=basis.transport,
    ),
    Field(
        path="tcp.client_fin",
        title="Client closed (FIN)",
        group=Group.TRANSPORT,
        read=closing("fins", Side.CLIENT),
        compare=Compare.EXPECTED,
        frames=marks("fins", Side.CLIENT),
        wireshark="",
        source="RFC 9293 section 3.6",
        basis=basis.transport,
    ),
    Field(
        path="tcp.server_fin",
        title="Server closed (FIN)",
        group=Group.TRANSPORT,
        read=closing("fins", Side.SERVER),
        compare=Compare.EXPECTED,
        frames=marks("fins", Side.SERVER),
        wireshark="",
        source="RFC 9293 section 3.6",
        basis=basis.transport,
    ),
    Field(
        path="tcp.client_reset",
        title="Client reset (RST)",
        group=Group.TRANSPORT,
        read=closing("resets", Side.CLIENT),
        compare=Compare.EXPECTED,
        frames=marks("resets", Side.CLIENT),
        wireshark="",
        source="RFC 9293 section 3.5.2",
        basis=basis.transport,
    ),
    Field(
        path="tcp.server_reset",
        title="Server reset (RST)",
        group=Group.TRANSPORT,
        read=closing("resets", Side.SERVER),
        compare=Compare.EXPECTED,
        frames=marks("resets", Side.SERVER),
        wireshark="",
        source="RFC 9293 section 3.5.2",
        basis=basis.transport,
    ),
    Field(
        path="preamble.protocol",
        title="Dialogue before TLS",
        group=Group.TRANSPORT,
        read=lambda h: h.preamble.protocol if h.preamble else Missing.NOT_SENT,
        compare=Compare.VALUE,
        frames=lambda h: h.preamble.frames if h.preamble else (),
        wireshark="",
        source="",
    ),
)
