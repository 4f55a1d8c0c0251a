"""What TCP did below a handshake, and whether octets of it are missing."""

from __future__ import annotations

from tlsinspect.conversation import SEQUENCE_NUMBERS, Conversation
from tlsinspect.model.frame import Side
from tlsinspect.model.handshake import Mark, Transport


def transport_of(conversation: Conversation) -> Transport:
    """What TCP did, told by client and server."""
    client_index = conversation.client or 0
    client, server = conversation.directions[client_index], conversation.directions[1 - client_index]
    return Transport(
        syn=conversation.syn,
        syn_ack=conversation.syn_ack,
        syn_count=client.syns,
        fins=tuple([mark(each, client_index) for each in conversation.fins]),
        resets=tuple([mark(each, client_index) for each in conversation.resets]),
        client_octets=client.stream.octets,
        server_octets=server.stream.octets,
        client_acknowledged=acknowledged(client.base, server.acknowledged),
        server_acknowledged=acknowledged(server.base, client.acknowledged),
        client_retransmissions=client.stream.retransmissions,
        server_retransmissions=server.stream.retransmissions,
        client_segments=tuple(client.sizes.values()),
        client_ttl=client.ttl,
        server_ttl=server.ttl,
        last_ns=conversation.last_ns,
    )


def mark(each: tuple[int, int, int, int], client_index: int) -> Mark:
    """A FIN or RST by side."""
    index, frame, time_ns, ttl = each
    return Mark(Side.CLIENT if index == client_index else Side.SERVER, frame, time_ns, ttl)


def acknowledged(base: int | None, acknowledgement: int | None) -> int:
    """Octets of one side that the other has acknowledged; 0 when nothing tells."""
    if base is None or acknowledgement is None:
        return 0
    count = (acknowledgement - base - 1) % SEQUENCE_NUMBERS
    return count if count < 1 << 31 else 0


def unseen_octets(conversation: Conversation) -> bool:
    """Whether a side sent octets that are not in the capture: one direction, or its end, is missing.

    Its own later segments tell so, or the acknowledgements of its peer.  A FIN takes one sequence number, and may be
    missing without harm.
    """
    for index, direction in enumerate(conversation.directions):
        peer = conversation.directions[1 - index]
        come_to = direction.stream.next_seq
        if come_to is None:
            if direction.base is None and peer.acknowledged is not None and peer.stream.octets:
                return True
        elif ahead(peer.acknowledged, come_to) > 1 or ahead(direction.reach, come_to) > 1:
            return True
    return False


def ahead(seq: int | None, of: int) -> int:
    """How far a sequence number is ahead of another; 0 when it is not, or when it is not known."""
    distance = 0 if seq is None else (seq - of) % SEQUENCE_NUMBERS
    return distance if distance < 1 << 31 else 0
