from __future__ import annotations

import io
from typing import Any

import pytest

from tests.support import handshakes as build
from tests.support.client_auth import hidden_flights
from tlsinspect.diagnosis.causes import CAUSES
from tlsinspect.diagnosis.engine import diagnose, explain
from tlsinspect.diagnosis.rule import Case
from tlsinspect.model.frame import Defect, Missing, Side
from tlsinspect.model.handshake import Resumption
from tlsinspect.render import terminal
from tlsinspect.report.blocks import Report, Table
from tlsinspect.report.chains import chains, pem_files
from tlsinspect.report.explanation import explanation
from tlsinspect.report.handshake import handshake_report
from tlsinspect.report.lineage import lineage
from tlsinspect.report.listing import COLUMNS, handshake_list, row
from tlsinspect.report.log_search import matches
from tlsinspect.report.pair import pair_report
from tlsinspect.report.runbook import cause_page, runbook_index
from tlsinspect.selection import Pair
from tlsinspect.sessions import Origin


def text(report: Report, width: int | None = None) -> str:
    out = io.StringIO()
    terminal.render(report, out, width=width)
    return out.getvalue()


def case(handshake: object, origin: Origin | None = None) -> Case:
    return Case(handshake=handshake, origin=origin)  # type: ignore[arg-type]


def cells(one: Case) -> dict[str, str]:
    return dict(zip(COLUMNS, (cell.text for cell in row(one)), strict=True))


def pair(left: object, right: object, **options: object) -> Report:
    ours, theirs = case(left), case(right)
    picked = Pair(ours.handshake, theirs.handshake)
    return pair_report(ours, theirs, explain(ours, theirs, CAUSES), pair=picked, **options)  # type: ignore[arg-type]


def test_a_rejection_names_the_alert_and_its_sender() -> None:
    assert cells(case(build.rejected(112)))["Outcome"] == "rejected by the server: unrecognized_name(112)"


def test_certificates_of_tls_1_3_are_hidden_in_words() -> None:
    shown = cells(case(build.tls13()))

    assert (shown["Certificate"], shown["Client auth"]) == ("hidden (encrypted)", "hidden (encrypted)")


def test_client_authentication_says_what_was_asked_and_sent() -> None:
    asked = [
        cells(case(each))["Client auth"]
        for each in (
            build.handshake(),
            build.mutual("alice"),
            build.mutual(client_certificates=build.chain()),
        )
    ]

    assert asked == ["not requested", "requested, sent CN=alice", "requested, none sent"]


def test_a_resumed_session_names_its_origin() -> None:
    first = build.handshake()
    origin = Origin(first, first, "shown", "The same ticket.")

    assert cells(case(build.resumed(), origin))["Session"] == "resumed from 0 (ticket)"


def test_a_long_name_is_shortened_in_the_list() -> None:
    name = "a" * 1_000_000

    assert len(cells(case(build.handshake(client_hellos=(build.client_hello(name),))))["Server name"]) == 120


def test_several_captures_have_a_column() -> None:
    table = handshake_list(["a.pcap", "b.pcap"], [case(build.handshake())]).blocks[0]

    assert isinstance(table, Table)
    assert table.columns[0] == "Capture"


def test_an_explanation_tells_who_ended_it_where_and_when() -> None:
    one = case(build.rejected())

    assert (
        "The server sent the fatal alert unrecognized_name(112) after the ClientHello of the client "
        "(frame 5, 5.0 ms after the start)."
    ) in " ".join(text(explanation(["x"], [(one, diagnose(one, CAUSES))])).split())


def test_healthy_handshakes_among_several_are_one_line_each() -> None:
    several = [case(build.handshake(stream=number)) for number in range(3)]
    shown = text(explanation(["x"], [(one, diagnose(one, ())) for one in several]))

    assert shown.count("completed") == 3
    assert "3 handshakes, 3 with nothing to report." in shown


def test_what_cannot_be_assessed_is_one_line_with_the_remedy() -> None:
    one = case(build.tls13())
    shown = text(explanation(["x"], [(one, diagnose(one, CAUSES))]))

    assert "Not assessable:" in shown
    assert "encrypted: add --keylog FILE" in shown


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (
            {"client_hellos": ()},
            "encrypted: without the ClientHello, by whose random they are found, no secrets open it",
        ),
        ({"defects": (Defect("keylog", "wrong", 0, ()),)}, "encrypted: the secrets given do not open it"),
    ],
)
def test_asks_for_no_keys_that_would_not_help(overrides: dict[str, Any], reason: str) -> None:
    one = case(build.tls13(**overrides))
    shown = " ".join(text(explanation(["x"], [(one, diagnose(one, CAUSES))])).split())

    assert reason in shown
    assert "add --keylog FILE" not in shown


def test_a_pair_begins_with_the_verdict() -> None:
    nginx = build.rejected(client_hellos=(build.client_hello(None),))
    shown = " ".join(text(pair(nginx, build.handshake(capture="curl.pcap", stream=2))).split())

    assert (
        "nginx.pcap#0: the client sent no server name [sni-missing, as the peer states]; "
        "nginx.pcap#0 was rejected by the server with unrecognized_name(112), curl.pcap#2 completed."
    ) in shown


def test_a_pair_shows_only_what_one_has_and_the_other_has_not() -> None:
    fewer = build.handshake(client_hellos=(build.client_hello(cipher_suites=(0xC02F,)),), capture="b.pcap")
    shown = text(pair(build.handshake(), fewer))

    row = next(line for line in shown.splitlines() if "  Cipher suites offered" in line)
    assert "only here: TLS_AES_128_GCM_SHA256" in row
    assert "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" not in row


def test_a_pair_says_what_is_hidden_instead_of_comparing_it() -> None:
    shown = " ".join(text(pair(build.tls13(), build.tls13(stream=1))).split())

    assert "Hidden on both sides:" in shown
    assert "Server certificate" in shown.partition("Hidden on both sides:")[2]


def test_certificates_that_a_resumed_handshake_has_not_are_said_to_follow() -> None:
    shown = text(pair(build.resumed(), build.mutual("alice", capture="curl.pcap")))

    row = next(line for line in shown.splitlines() if "  Server certificate" in line)
    assert row.endswith("Follows: a resumed handshake has none.")
    assert "got that far" not in shown


def test_what_only_one_got_to_is_said_to_follow() -> None:
    shown = text(pair(build.rejected(40), build.handshake(capture="curl.pcap")))

    assert "Follows: only one got that far." in shown


def test_software_that_both_hellos_fit_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlsinspect.report.pair.software_text", lambda _: "Go")
    shown = text(pair(build.handshake(), build.handshake(capture="curl.pcap")))

    assert "Likely by the shape of the hellos: both fit Go." in shown


def test_equal_fields_are_shown_when_all_are_asked_for() -> None:
    one, other = build.handshake(), build.handshake(stream=1)

    assert "the same" not in text(pair(one, other))
    assert "the same" in text(pair(one, other, everything=True))


def test_the_full_view_has_every_message_and_certificate() -> None:
    shown = text(handshake_report(["x"], case(build.mutual("alice"))))

    assert all(word in shown for word in ("ClientHello", "ServerHello", "CertificateRequest", "CN=alice", "Finished"))


def test_a_resumption_hangs_below_its_full_handshake_and_warns_of_another_name() -> None:
    first = build.mutual("alice")
    origin = Origin(first, first, "shown", "The same ticket.")
    later = build.resumed(client_hellos=(build.client_hello("b.example"),))
    shown = text(lineage(["x"], [case(first), case(later, origin)]), 400).splitlines()

    assert "full handshake, client CN=alice" in shown[2]
    assert shown[3].startswith("└─ nginx.pcap#1")
    assert "the session was made for a.example; the server takes the client for CN=alice" in shown[3]


def test_a_resumption_says_that_the_server_sees_no_certificate() -> None:
    first = build.handshake()
    shown = text(lineage(["x"], [case(first), case(build.resumed(), Origin(first, first, "shown", "The same."))]), 400)

    assert "resumed by ticket (shown: the same); the server sees no client certificate" in shown


def test_a_hidden_identity_is_told_as_far_as_record_sizes_tell() -> None:
    first = hidden_flights((489, 96, 69), (746,))
    shown = text(lineage(["x"], [case(first), case(build.resumed(), Origin(first, first, "likely", "The same."))]), 400)

    assert "client certificate hidden (encrypted), by its record sizes likely sent" in shown


def test_a_session_that_was_not_taken_up_is_said_to_be_refused() -> None:
    first = build.handshake()
    refused = build.handshake(stream=1, resumption=Resumption(offered=("session_ticket",), accepted=None))
    shown = text(lineage(["x"], [case(first), case(refused, Origin(first, first, "shown", "The same."))]), 400)

    assert "the session that it offered was not taken up (shown: the same)" in shown
    assert shown.count("nginx.pcap#1") == 1


def test_file_names_of_certificates_are_safe() -> None:
    hostile = build.handshake(capture="../../etc/.evil name\n.pcap", transport="udp")

    assert [name for name, _ in pem_files([case(hostile)])] == ["evil_name_.pcap-udp0-server-0.pem"]


def test_an_expired_certificate_is_said_to_be() -> None:
    years_later = build.handshake(started_ns=build.STARTED_NS + 2 * 365 * 86400 * 10**9)

    assert "expired then" in text(chains(["x"], [case(years_later)]))


def test_a_page_of_the_runbook_has_its_parts() -> None:
    cause = next(cause for cause in CAUSES if cause.code == "sni-missing")
    shown = text(cause_page(cause))

    assert all(part in shown for part in ("What happened", "Log lines", "proxy_ssl_server_name on;", "RFC 6066"))


def test_the_index_lists_every_cause() -> None:
    shown = text(runbook_index(CAUSES))

    assert [cause.code for cause in CAUSES if cause.code not in shown] == []


def test_a_line_of_a_log_finds_its_causes_by_text_and_alert_number() -> None:
    line = (
        "2026/11/23 [error] 7#7: SSL_do_handshake() failed (SSL: error:0A000458:SSL routines::tlsv1 unrecognized name:"
        "SSL alert number 112) while SSL handshaking to upstream"
    )
    codes = [each.cause.code for each in matches(line, CAUSES)]

    assert {"sni-missing", "sni-unrecognized"} <= set(codes[:4])


def test_a_server_that_closes_is_named() -> None:
    assert cells(case(build.rejected(48, Side.CLIENT)))["Outcome"] == "rejected by the client: unknown_ca(48)"


def test_a_lost_answer_is_said_to_be_lost() -> None:
    assert cells(case(build.handshake(server_hello=Missing.LOST)))["Version"] == "not in the capture"
