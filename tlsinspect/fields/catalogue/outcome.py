"""How it ended, and what was said over the connection."""

from __future__ import annotations

from tlsinspect.fields import basis
from tlsinspect.fields.field import Compare, Field, Group
from tlsinspect.fields.frames import NO_FRAMES, alert_frames, all_frames_of, http_frames
from tlsinspect.fields.readers import alert_objects, alert_of, http_heads, http_request, http_said, of_http
from tlsinspect.model.frame import Missing, Side
from tlsinspect.model.message import Alert

OUTCOME: tuple[Field, ...] = (
    Field(
        path="http.host",
        title="HTTP host",
        group=Group.OUTCOME,
        read=of_http(lambda each: each.host or (Missing.NOT_SENT if each.method else Missing.LOST)),
        compare=Compare.VALUE,
        frames=http_frames("request_frame"),
        wireshark="http.host",  # http2.headers.authority in HTTP/2
        source="RFC 9110 section 7.2",
        basis=basis.http,
    ),
    Field(
        path="http.status",
        title="HTTP status",
        group=Group.OUTCOME,
        read=of_http(lambda each: Missing.LOST if each.status is None else each.status),
        compare=Compare.VALUE,
        frames=http_frames("response_frame"),
        wireshark="http.response.code",  # http2.headers.status in HTTP/2
        source="RFC 9110 section 15",
        basis=basis.http,
    ),
    Field(
        path="http.said",
        title="HTTP error about certificates",
        group=Group.OUTCOME,
        read=of_http(http_said),
        compare=Compare.VALUE,
        frames=http_frames("response_frame"),
        wireshark="",
        source="RFC 9110 section 15.5",
        basis=basis.http,
    ),
    Field(
        path="http.requests",
        title="HTTP requests",
        group=Group.OUTCOME,
        read=http_heads(http_request),
        compare=Compare.EXPECTED,  # the first is told above, the others are further uses of the connection
        frames=http_frames("request_frame"),
        wireshark="",
        source="RFC 9110 section 3.4",
        basis=basis.http,
    ),
    Field(
        path="http.responses",
        title="HTTP statuses",
        group=Group.OUTCOME,
        read=http_heads(lambda each: each.status),
        compare=Compare.EXPECTED,
        frames=http_frames("response_frame"),
        wireshark="",
        source="RFC 9110 section 15",
        basis=basis.http,
    ),
    Field(
        path="client_alert",
        title="Alert from the client",
        group=Group.OUTCOME,
        read=alert_of(Side.CLIENT),
        compare=Compare.VALUE,
        frames=alert_frames(Side.CLIENT),
        wireshark="tls.alert_message.desc",
        source="RFC 8446 section 6",
        basis=basis.ending,
    ),
    Field(
        path="server_alert",
        title="Alert from the server",
        group=Group.OUTCOME,
        read=alert_of(Side.SERVER),
        compare=Compare.VALUE,
        frames=alert_frames(Side.SERVER),
        wireshark="tls.alert_message.desc",
        source="RFC 8446 section 6",
        basis=basis.ending,
    ),
    Field(
        path="alerts",
        title="Alerts",
        group=Group.OUTCOME,
        read=alert_objects,
        compare=Compare.EXPECTED,  # the two fields above say it already
        frames=all_frames_of(Alert),
        wireshark="tls.alert_message.desc",
        source="RFC 8446 section 6",
        basis=basis.ending,
    ),
    Field(
        path="history",
        title="Messages",
        group=Group.OUTCOME,
        read=lambda h: h.history,
        compare=Compare.EXPECTED,
        frames=NO_FRAMES,
        wireshark="",
        source="",
        basis=basis.ending,
    ),
    Field(
        path="outcome",
        title="Outcome",
        group=Group.OUTCOME,
        read=lambda h: h.outcome.value,
        compare=Compare.VALUE,
        frames=lambda h: (h.ending.frame,) if h.ending and h.ending.frame else (),
        wireshark="",
        source="",
        basis=basis.ending,
    ),
)
