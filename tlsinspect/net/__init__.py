"""From frames to the ordered octets of TCP streams and to UDP datagrams: what runs for every frame."""
