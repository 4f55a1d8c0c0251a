"""Causes of the stage routing: where they speak, where they keep silent, and what they say of a pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.endings import case, ended, hidden, with_messages
from tests.support.handshakes import (
    STARTED_NS,
    alert_seen,
    certificate_der,
    chain,
    client_hello,
    elsewhere,
    handshake,
    mutual,
    rejected,
    resumed,
    server_hello,
    tls13,
)
from tlsinspect.diagnosis.causes import (
    alpn_different,
    alpn_missing,
    alpn_no_overlap,
    connection_reused,
    default_certificate,
    ech_retry,
    http_refused,
    misdirected_request,
    sni_invalid,
    sni_mismatch,
    sni_missing,
    sni_unrecognized,
)
from tlsinspect.diagnosis.rule import Cause, Certainty, Finding, Severity
from tlsinspect.model.frame import Endpoint, Missing, Side
from tlsinspect.model.handshake import Ending, EndingKind, Handshake, HttpExchange, Resumption
from tlsinspect.model.message import (
    Alert,
    ApplicationData,
    CertificateRequest,
    ClientHello,
    EncryptedClientHello,
    EncryptedRecord,
    Extension,
)
from tlsinspect.tls import extensions as ext

NAMELESS = client_hello(None)
FAKE = chain(certificate_der("Kubernetes Ingress Controller Fake Certificate", "ingress.local"))
CLIENT_CLOSED = Ending(EndingKind.FIN, Side.CLIENT, STARTED_NS, frame=20)
BY_CLIENT = {
    "server_hello": server_hello(),
    "certificate_request": Missing.NOT_SENT,
}


def offering_ech(name: str = "public.example", *more: Extension) -> ClientHello:
    """A hello with the outer form of Encrypted ClientHello."""
    hello = client_hello(name)
    offer = Extension(ext.ENCRYPTED_CLIENT_HELLO, b"", EncryptedClientHello(0, 1, 1, 7, b"enc", 200))
    return replace(hello, extensions=(*hello.extensions, offer, *more))


def opened(value: Handshake, *, host: str, status: int, text: str = "") -> Handshake:
    """The same handshake with one more HTTP request and its answer, opened with keys."""
    exchange = HttpExchange(
        version="HTTP/1.1",
        method="GET",
        host=host,
        path="/",
        status=status,
        said=text,
        request_frame=20,
        response_frame=21,
    )
    before = value.http if isinstance(value.http, tuple) else ()
    return replace(value, http=(*before, exchange))


def refused_certificate(description: int, hello: ClientHello, **overrides: object) -> Handshake:
    """A handshake whose server certificate the client refused."""
    return rejected(
        description,
        Side.CLIENT,
        client_hellos=(hello,),
        server_hello=server_hello(),
        **({"server_certificates": FAKE} | overrides),
    )


ECH_REFUSED = refused_certificate(
    42, offering_ech(), server_certificates=chain(certificate_der("a.example", "a.example"))
)

FIRING = {
    "sni-missing by alert 112": (sni_missing.CAUSE, rejected(112, client_hellos=(NAMELESS,))),
    "sni-missing by alert 80": (sni_missing.CAUSE, rejected(80, client_hellos=(NAMELESS,))),
    "sni-missing by a certificate that nobody configured": (sni_missing.CAUSE, refused_certificate(48, NAMELESS)),
    "sni-invalid by alert 112": (sni_invalid.CAUSE, rejected(112, client_hellos=(client_hello("a.example\0.b"),))),
    "sni-invalid by alert 10": (sni_invalid.CAUSE, rejected(10, client_hellos=(client_hello("a.example."),))),
    "sni-invalid by a close": (
        sni_invalid.CAUSE,
        ended(EndingKind.FIN, Side.SERVER, client_hellos=(client_hello("10.0.0.2"),)),
    ),
    "sni-unrecognized by alert 112": (sni_unrecognized.CAUSE, rejected(112)),
    "default-certificate by an alert": (default_certificate.CAUSE, refused_certificate(42, client_hello())),
    "default-certificate by a client that leaves": (
        default_certificate.CAUSE,
        handshake(server_certificates=FAKE, ending=CLIENT_CLOSED),
    ),
    "alpn-no-overlap by alert 120": (alpn_no_overlap.CAUSE, rejected(120)),
    "alpn-no-overlap by a gRPC client that leaves": (
        alpn_no_overlap.CAUSE,
        handshake(client_hellos=(client_hello(alpn=("h2",)),), ending=CLIENT_CLOSED),
    ),
    "alpn-missing by alert 120": (alpn_missing.CAUSE, rejected(120, client_hellos=(client_hello(alpn=None),))),
    "ech-retry by alert 121": (
        ech_retry.CAUSE,
        rejected(121, Side.CLIENT, client_hellos=(offering_ech(),), server_hello=server_hello()),
    ),
    "ech-retry by the outer name": (ech_retry.CAUSE, ECH_REFUSED),
    "connection-reused": (
        connection_reused.CAUSE,
        opened(opened(handshake(), host="a.example", status=200), host="b.example", status=403),
    ),
    "misdirected-request": (misdirected_request.CAUSE, opened(handshake(), host="b.example", status=421)),
    "http-refused": (
        http_refused.CAUSE,
        opened(handshake(), host="a.example", status=400, text="No required SSL certificate was sent"),
    ),
    "sni-mismatch by 421": (sni_mismatch.CAUSE, opened(handshake(), host="b.example:8443", status=421)),
}
NEAR_MISSES = {
    "sni-mismatch when the connection was used again for another host": (
        sni_mismatch.CAUSE,
        opened(opened(handshake(), host="a.example", status=200), host="b.example", status=421),
    ),
    "sni-missing when a name was sent": (sni_missing.CAUSE, rejected(112)),
    "sni-missing when the hello is not in the capture": (
        sni_missing.CAUSE,
        rejected(112, client_hellos=(), events=()),
    ),
    "sni-missing when the version was refused": (sni_missing.CAUSE, rejected(70, client_hellos=(NAMELESS,))),
    "sni-missing when the offer is narrow": (
        sni_missing.CAUSE,
        rejected(40, client_hellos=(client_hello(None, cipher_suites=(0x002F,), supported_versions=None),)),
    ),
    "sni-missing when the alert came late": (
        sni_missing.CAUSE,
        rejected(40, client_hellos=(NAMELESS,), server_hello=server_hello()),
    ),
    "sni-missing when a session was offered and refused": (
        sni_missing.CAUSE,
        rejected(80, client_hellos=(NAMELESS,), resumption=Resumption(offered=("psk",), accepted=None)),
    ),
    "sni-invalid of a name with an underscore": (
        sni_invalid.CAUSE,
        handshake(client_hellos=(client_hello("outbound_.443_._.a.svc.cluster.local"),)),
    ),
    "sni-unrecognized when no name was sent": (sni_unrecognized.CAUSE, rejected(112, client_hellos=(NAMELESS,))),
    "sni-unrecognized when the name is no host name": (
        sni_unrecognized.CAUSE,
        rejected(112, client_hellos=(client_hello("a.example\0.b"),)),
    ),
    "sni-unrecognized of another alert": (sni_unrecognized.CAUSE, rejected(40)),
    "default-certificate when it covers the name": (default_certificate.CAUSE, handshake()),
    "default-certificate when it is somebody's own": (
        default_certificate.CAUSE,
        handshake(server_certificates=chain(certificate_der("b", "b.example", "localhost")), ending=CLIENT_CLOSED),
    ),
    "default-certificate when encryption hides it": (default_certificate.CAUSE, tls13(ending=CLIENT_CLOSED)),
    "default-certificate of a resumed session": (default_certificate.CAUSE, resumed(ending=CLIENT_CLOSED)),
    "alpn-no-overlap when the server ignores the offer": (
        alpn_no_overlap.CAUSE,
        with_messages(handshake(client_hellos=(client_hello(alpn=("h2",)),)), (Side.CLIENT, ApplicationData(90))),
    ),
    "alpn-missing when the server does not ask for it": (
        alpn_missing.CAUSE,
        handshake(client_hellos=(client_hello(alpn=None),)),
    ),
    "alpn-different in one handshake": (alpn_different.CAUSE, rejected(120)),
    "ech-retry of a browser's grease": (
        ech_retry.CAUSE,
        refused_certificate(42, replace(offering_ech(), cipher_suites=(0x1A1A, 0x1301))),
    ),
    "ech-retry when the outer name is covered": (
        ech_retry.CAUSE,
        refused_certificate(48, offering_ech("a.example"), server_certificates=chain(certificate_der())),
    ),
    "ech-retry when it went through": (ech_retry.CAUSE, handshake(client_hellos=(offering_ech("a.example"),))),
    "connection-reused of one host": (connection_reused.CAUSE, opened(handshake(), host="a.example", status=200)),
    "misdirected-request of another status": (
        misdirected_request.CAUSE,
        opened(handshake(), host="a.example", status=404),
    ),
    "http-refused when the request was answered": (
        http_refused.CAUSE,
        opened(handshake(), host="a.example", status=200),
    ),
    "sni-mismatch when Host only adds the port": (
        sni_mismatch.CAUSE,
        opened(handshake(), host="A.example:443", status=200),
    ),
}


@pytest.mark.parametrize(("cause", "value"), FIRING.values(), ids=FIRING)
def test_names_the_cause(cause: Cause, value: Handshake) -> None:
    finding = cause.check(case(value))

    assert finding is not None
    assert (finding.severity or cause.severity) is Severity.ERROR


@pytest.mark.parametrize(("cause", "value"), NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_keeps_silent_about(cause: Cause, value: Handshake) -> None:
    assert cause.check(case(value)) is None


def said(finding: Finding | None) -> tuple[Severity | None, Certainty, str | None]:
    """What of a finding matters for its rank; None where the cause's own severity stands."""
    assert finding is not None
    return finding.severity, finding.certainty, finding.side


# -- one handshake --------------------------------------------------------------------------------------------------


def test_a_completed_handshake_without_a_name_is_a_note() -> None:
    finding = sni_missing.check(case(handshake(client_hellos=(NAMELESS,))))

    assert said(finding) == (Severity.INFO, Certainty.SHOWN, None)


def test_a_missing_name_is_the_error_where_a_host_was_meant() -> None:
    value = handshake(client_hellos=(NAMELESS,), server_certificates=FAKE)

    finding = sni_missing.check(case(value, host="a.example"))

    assert said(finding) == (None, Certainty.SHOWN, None)
    assert finding is not None
    assert finding.fill == (("host", "a.example"),)


def test_a_missing_name_is_a_warning_where_the_right_certificate_came_all_the_same() -> None:
    finding = sni_missing.check(case(handshake(client_hellos=(NAMELESS,)), host="a.example"))

    assert said(finding)[0] is Severity.WARNING


def test_a_certificate_for_localhost_does_not_make_a_missing_name_an_error() -> None:
    own = chain(certificate_der("localhost", "localhost"))

    finding = sni_missing.check(case(refused_certificate(48, NAMELESS, server_certificates=own)))

    assert said(finding)[0] is Severity.WARNING


def test_a_request_for_a_certificate_that_was_not_asked_for_betrays_the_default_host() -> None:
    value = opened(
        handshake(client_hellos=(NAMELESS,)), host="a.example", status=400, text="No required SSL certificate was sent"
    )

    finding = sni_missing.check(case(value))

    assert said(finding) == (None, Certainty.LIKELY, None)
    assert finding is not None
    assert finding.fill == (("host", "a.example"),)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"),
        ("10.0.0.4", "is an IP literal, which is not permitted"),
        ("2001:db8::1", "is an IP literal, which is not permitted"),
        ("[2001:db8::1]", "is an IP literal, which is not permitted"),
        ("a.example:8443", "has a port, which is no part of a host name"),
        ("10.0.0.4:8443", "is an IP literal, which is not permitted"),
        ("a.example.", "ends with a dot, which the RFC leaves out"),
        ("b\\xfccher.example", "has octets beyond ASCII; an internationalised name is sent in its xn-- form"),
        ("a.example\0", "has a NUL in it"),
        ("a.example|b.example", "has characters that no host name has"),
        ("a..example", "has an empty or too long part"),
        ("a" * 64 + ".example", "has an empty or too long part"),
        ("a.example", ""),
        ("localhost", ""),
        ("xn--bcher-kva.example", ""),
        ("_dmarc.a.example", ""),
    ],
)
def test_says_what_is_wrong_with_a_name(name: str, fault: str) -> None:
    assert sni_invalid.fault(name) == fault


def test_an_invalid_name_that_did_no_harm_is_a_warning() -> None:
    finding = sni_invalid.check(case(handshake(client_hellos=(client_hello("10.0.0.2"),))))

    assert said(finding) == (Severity.WARNING, Certainty.SHOWN, None)


def test_an_unknown_name_that_the_server_only_warned_of_is_a_warning() -> None:
    value = handshake(alerts=(alert_seen(112, level=1),))

    finding = sni_unrecognized.check(case(value))

    assert said(finding) == (Severity.WARNING, Certainty.STATED, None)


def test_a_client_that_leaves_on_that_warning_makes_it_the_error() -> None:
    value = ended(
        EndingKind.FIN, Side.CLIENT, alerts=(alert_seen(112, level=1),), server_hello=server_hello(), events=()
    )

    finding = sni_unrecognized.check(case(value))

    assert said(finding) == (None, Certainty.STATED, None)


def test_internal_error_for_a_name_is_likely_the_name() -> None:
    finding = sni_unrecognized.check(case(rejected(80)))

    assert said(finding) == (None, Certainty.LIKELY, None)


def test_the_host_that_was_meant_makes_a_mismatch_of_another_name() -> None:
    finding = sni_mismatch.check(case(handshake(), host="b.example"))

    assert said(finding) == (None, Certainty.SHOWN, None)


@pytest.mark.parametrize("host", ["A.EXAMPLE", "a.example.", "10.0.0.2", None])
def test_no_mismatch_with_the_host_that_was_meant(host: str | None) -> None:
    assert sni_mismatch.check(case(handshake(), host=host)) is None


def test_a_default_certificate_that_the_client_took_is_a_warning() -> None:
    value = with_messages(handshake(server_certificates=FAKE), (Side.CLIENT, ApplicationData(90)))

    finding = default_certificate.check(case(value))

    assert said(finding) == (Severity.WARNING, Certainty.LIKELY, None)


def test_an_expired_default_certificate_was_not_refused_for_its_name() -> None:
    finding = default_certificate.check(case(refused_certificate(45, client_hello())))

    assert said(finding)[0] is Severity.WARNING


def test_a_close_notify_of_the_server_first_does_not_make_the_client_leave() -> None:
    value = with_messages(
        handshake(server_certificates=FAKE), (Side.SERVER, EncryptedRecord(21, 26)), (Side.CLIENT, Alert(1, 0))
    )

    later = replace(CLIENT_CLOSED, time_ns=value.events[-1].time_ns)
    finding = default_certificate.check(case(replace(value, ending=later)))

    assert said(finding)[0] is Severity.WARNING


def test_a_401_is_no_error_of_tls() -> None:
    finding = http_refused.check(case(opened(handshake(), host="a.example", status=401)))

    assert said(finding)[0] is Severity.WARNING


def test_a_warning_after_which_the_server_closes_is_the_error() -> None:
    value = ended(EndingKind.FIN, Side.SERVER, alerts=(alert_seen(112, level=1),), events=())

    finding = sni_unrecognized.check(case(value))

    assert said(finding) == (None, Certainty.STATED, None)
    assert finding is not None
    assert "and then ended the connection" in finding.explanation


# -- pairs ----------------------------------------------------------------------------------------------------------

CURL = elsewhere(mutual(), capture="curl.pcap")
NGINX = handshake(client_hellos=(NAMELESS,), server_certificates=FAKE)


def test_a_missing_name_explains_another_host_with_both_completed() -> None:
    finding = sni_missing.compare(case(NGINX), case(CURL))

    assert said(finding) == (None, Certainty.SHOWN, "left")


def test_says_what_would_have_been_with_the_name() -> None:
    finding = sni_missing.compare(case(NGINX), case(CURL))

    assert finding is not None
    assert (
        "Had nginx.pcap#0 sent the server name 'a.example', the server would have chosen the host that asks for a "
        "client certificate, as it did for the other."
    ) in finding.explanation


def test_fills_the_fix_with_the_name_that_the_other_sent() -> None:
    finding = sni_missing.compare(case(CURL), case(NGINX))

    assert finding is not None
    assert (finding.side, finding.fill) == ("right", (("host", "a.example"),))


def test_is_only_likely_where_the_offers_differ_too() -> None:
    offering_less = replace(NGINX, client_hellos=(client_hello(None, alpn=None),))

    finding = sni_missing.compare(case(offering_less), case(CURL))

    assert said(finding)[1] is Certainty.LIKELY
    assert finding is not None
    assert "application protocols offered" in finding.explanation


def test_says_less_of_what_would_have_been_with_another_server() -> None:
    elsewhere_served = replace(CURL, server=Endpoint("10.0.0.9", 443))

    finding = sni_missing.compare(case(NGINX), case(elsewhere_served))

    assert said(finding)[1] is Certainty.LIKELY
    assert finding is not None
    assert "the server might have chosen" in finding.explanation


def test_a_late_refusal_does_not_come_from_a_missing_name() -> None:
    late = rejected(20, client_hellos=(NAMELESS,), server_hello=server_hello())

    finding = sni_missing.compare(case(late), case(handshake()))

    assert said(finding)[0] is Severity.INFO


def test_a_refused_version_does_not_come_from_a_missing_name() -> None:
    finding = sni_missing.compare(case(rejected(70, client_hellos=(NAMELESS,))), case(handshake()))

    assert said(finding)[0] is Severity.INFO


def test_is_stated_where_the_server_refused_the_missing_name() -> None:
    finding = sni_missing.compare(case(rejected(112, client_hellos=(NAMELESS,))), case(handshake()))

    assert said(finding) == (None, Certainty.STATED, "left")


def test_a_missing_name_without_effect_is_a_note() -> None:
    finding = sni_missing.compare(case(handshake(client_hellos=(NAMELESS,))), case(handshake()))

    assert said(finding)[0] is Severity.INFO


def test_a_missing_name_that_fared_better_is_a_warning() -> None:
    refused = rejected(
        40,
        certificate_request=CertificateRequest(),
        server_hello=server_hello(),
        server_certificates=chain(certificate_der()),
    )

    finding = sni_missing.compare(case(NGINX), case(refused))

    assert said(finding)[0] is Severity.WARNING


def test_flights_of_other_sizes_betray_another_host_without_keys() -> None:
    nameless = hidden((27, 700, 80, 53), (53,), client_hellos=(NAMELESS,))
    named = hidden((27, 120, 739, 96, 53), (490, 96, 53))

    finding = sni_missing.compare(case(nameless), case(named))

    assert said(finding) == (None, Certainty.LIKELY, "left")


def test_flights_of_like_sizes_betray_nothing() -> None:
    nameless = hidden((27, 739, 95, 53), (53,), client_hellos=(NAMELESS,))
    named = hidden((36, 739, 97, 53), (53,))

    finding = sni_missing.compare(case(nameless), case(named))

    assert said(finding)[0] is Severity.INFO


def test_two_handshakes_with_names_lack_none() -> None:
    assert sni_missing.compare(case(handshake()), case(rejected(112))) is None


def test_a_refused_name_beside_a_served_one_is_a_mismatch() -> None:
    refused = rejected(112, client_hellos=(client_hello("aa.example"),))

    finding = sni_mismatch.compare(case(handshake()), case(refused))

    assert said(finding) == (None, Certainty.STATED, "right")
    assert finding is not None
    assert finding.fill == (("host", "a.example"),)


def test_other_names_without_effect_are_a_note() -> None:
    finding = sni_mismatch.compare(case(handshake()), case(handshake(client_hellos=(client_hello("www.a.example"),))))

    assert said(finding) == (Severity.INFO, Certainty.LIKELY, "both")


def test_equal_names_are_no_mismatch() -> None:
    assert sni_mismatch.compare(case(handshake()), case(rejected(112))) is None


def test_the_certificate_for_another_name_is_the_default_where_the_server_has_the_right_one() -> None:
    own = chain(certificate_der("a.example", "a.example", "www.a.example"))
    other = handshake(
        client_hellos=(client_hello("b.example"),), server_certificates=own, capture="other.pcap", ending=CLIENT_CLOSED
    )
    right = handshake(
        client_hellos=(client_hello("c.example"),), server_certificates=chain(certificate_der("c.example", "c.example"))
    )

    finding = default_certificate.compare(case(other), case(right))

    assert said(finding) == (None, Certainty.LIKELY, "left")


def test_the_certificate_for_another_name_of_another_server_says_nothing() -> None:
    own = chain(certificate_der("a.example", "a.example", "www.a.example"))
    left = handshake(client_hellos=(client_hello("b.example"),), server_certificates=own)
    right = handshake(
        client_hellos=(client_hello("c.example"),),
        server_certificates=chain(certificate_der("c.example", "c.example")),
        server=Endpoint("10.0.0.9", 443),
    )

    assert default_certificate.compare(case(left), case(right)) is None


def test_other_choices_of_protocol_are_a_warning() -> None:
    left = handshake(client_hellos=(client_hello(alpn=("http/1.1",)),), server_hello=server_hello(alpn="http/1.1"))
    right = handshake(server_hello=server_hello(alpn="h2"))

    finding = alpn_different.compare(case(left), case(right))

    assert said(finding) == (Severity.WARNING, Certainty.SHOWN, "both")


def test_another_offer_of_protocols_alone_is_a_note() -> None:
    left = handshake(client_hellos=(client_hello(alpn=("http/1.1",)),))

    finding = alpn_different.compare(case(left), case(handshake()))

    assert said(finding)[0] is Severity.INFO


def test_another_offer_of_protocols_may_explain_a_reset_when_nothing_else_differs() -> None:
    left = ended(EndingKind.RST, Side.SERVER, client_hellos=(client_hello(alpn=("http/1.1",)),))

    finding = alpn_different.compare(case(left), case(handshake()))

    assert said(finding) == (None, Certainty.LIKELY, "left")


def test_equal_offers_of_protocols_are_no_difference() -> None:
    assert alpn_different.compare(case(handshake()), case(rejected(40))) is None


def test_a_missing_offer_of_protocols_is_a_note_when_both_completed() -> None:
    finding = alpn_missing.compare(case(handshake()), case(handshake(client_hellos=(client_hello(alpn=None),))))

    assert said(finding) == (Severity.INFO, Certainty.SHOWN, "right")


def test_a_missing_offer_of_protocols_is_a_warning_when_the_other_was_given_one() -> None:
    other = handshake(server_hello=server_hello(alpn="h2"))

    finding = alpn_missing.compare(case(handshake(client_hellos=(client_hello(alpn=None),))), case(other))

    assert said(finding) == (Severity.WARNING, Certainty.SHOWN, "left")


def test_a_missing_offer_of_protocols_may_explain_a_close_when_nothing_else_differs() -> None:
    left = ended(EndingKind.FIN, Side.SERVER, client_hellos=(client_hello(alpn=None),))

    finding = alpn_missing.compare(case(left), case(handshake()))

    assert said(finding) == (None, Certainty.LIKELY, "left")


def test_a_missing_offer_of_protocols_is_a_note_where_the_name_is_missing_too() -> None:
    left = ended(EndingKind.FIN, Side.SERVER, client_hellos=(client_hello(None, alpn=None),))

    finding = alpn_missing.compare(case(left), case(handshake()))

    assert said(finding)[0] is Severity.INFO


def test_a_refused_offer_names_the_side_that_made_it() -> None:
    finding = alpn_no_overlap.CAUSE.compare
    assert finding is not None

    assert said(finding(case(handshake()), case(rejected(120)))) == (None, Certainty.STATED, "right")


def test_a_rejected_ech_names_the_side_that_offered_it() -> None:
    compare = ech_retry.CAUSE.compare
    assert compare is not None

    assert said(compare(case(ECH_REFUSED), case(handshake())))[2] == "left"


@pytest.mark.parametrize(
    ("cause", "value"),
    [
        (connection_reused.CAUSE, FIRING["connection-reused"][1]),
        (misdirected_request.CAUSE, FIRING["misdirected-request"][1]),
        (http_refused.CAUSE, FIRING["http-refused"][1]),
        (sni_invalid.CAUSE, FIRING["sni-invalid by alert 10"][1]),
        (sni_unrecognized.CAUSE, FIRING["sni-unrecognized by alert 112"][1]),
    ],
)
def test_names_the_side_that_has_the_trouble(cause: Cause, value: Handshake) -> None:
    assert cause.compare is not None

    assert said(cause.compare(case(handshake()), case(value)))[2] == "right"


@pytest.mark.parametrize(
    ("status", "text", "severity"),
    [
        (403, "", Severity.WARNING),
        (401, "", Severity.WARNING),
        (403, "a.example wants a client certificate", Severity.ERROR),
        (496, "", Severity.ERROR),
    ],
)
def test_takes_a_status_for_a_matter_of_tls_when_it_speaks_of_certificates(
    status: int, text: str, severity: Severity
) -> None:
    finding = http_refused.CAUSE.check(case(opened(handshake(), host="a.example", status=status, text=text)))

    assert finding is not None
    assert finding.severity is severity


def test_names_the_host_that_was_refused_on_a_connection_of_another() -> None:
    first = opened(handshake(), host="a.example", status=403)
    finding = connection_reused.CAUSE.check(case(opened(first, host="b.example:443", status=421)))

    assert finding is not None
    assert finding.severity is None
    assert "'a.example', 'b.example' passed" in finding.explanation
    assert "421 for 'b.example' (frame 21)" in finding.explanation
    assert "403" not in finding.explanation
