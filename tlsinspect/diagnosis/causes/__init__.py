"""The causes, one file each, in the order in which they explain: see CAUSES."""

from __future__ import annotations

from tlsinspect.diagnosis.causes import (
    alert_other,
    alpn_different,
    alpn_missing,
    alpn_no_overlap,
    capture_incomplete,
    client_cert_chain_incomplete,
    client_cert_different,
    client_cert_expired,
    client_cert_issuer_not_accepted,
    client_cert_missing,
    client_cert_not_requested,
    client_cert_revoked,
    client_cert_unsuitable,
    client_cert_untrusted,
    client_gave_up,
    connection_reused,
    decryption_keys_missing,
    default_certificate,
    ech_retry,
    fallback_detected,
    fingerprint_different,
    hello_closed,
    hello_reset,
    hello_retry,
    hello_split_dropped,
    hello_unanswered,
    http_refused,
    misdirected_request,
    not_tls_client,
    not_tls_server,
    renegotiation_legacy,
    resumption_refused,
    server_gave_up,
    session_resumed,
    session_resumed_other_identity,
    session_resumed_other_name,
    sni_invalid,
    sni_mismatch,
    sni_missing,
    sni_unrecognized,
    starttls_refused,
    tcp_no_answer,
    tcp_refused,
)
from tlsinspect.diagnosis.rule import Cause

# Within one severity an earlier cause is the better explanation, so the most specific come first and the ones that
# only describe how it ended come last.  A cause also ranks below those that it follows from.
CAUSES: tuple[Cause, ...] = (
    # -- transport: nobody came to speak TLS --
    tcp_no_answer.CAUSE,
    tcp_refused.CAUSE,
    not_tls_client.CAUSE,
    not_tls_server.CAUSE,
    starttls_refused.CAUSE,
    hello_split_dropped.CAUSE,
    # -- resumption --
    session_resumed_other_identity.CAUSE,
    session_resumed_other_name.CAUSE,
    session_resumed.CAUSE,
    resumption_refused.CAUSE,
    # -- routing --
    sni_invalid.CAUSE,
    sni_missing.CAUSE,
    sni_mismatch.CAUSE,
    sni_unrecognized.CAUSE,
    ech_retry.CAUSE,
    default_certificate.CAUSE,
    alpn_no_overlap.CAUSE,
    alpn_missing.CAUSE,
    alpn_different.CAUSE,
    connection_reused.CAUSE,
    # -- client-auth --
    client_cert_revoked.CAUSE,
    client_cert_expired.CAUSE,
    client_cert_unsuitable.CAUSE,
    client_cert_chain_incomplete.CAUSE,
    client_cert_untrusted.CAUSE,
    client_cert_issuer_not_accepted.CAUSE,
    client_cert_missing.CAUSE,
    client_cert_not_requested.CAUSE,
    client_cert_different.CAUSE,
    # -- server-auth --
    # -- parameters --
    fallback_detected.CAUSE,
    renegotiation_legacy.CAUSE,
    hello_retry.CAUSE,
    # -- capture: what it cannot tell --
    capture_incomplete.CAUSE,
    # -- transport: how it ended, when nothing above says why --
    hello_unanswered.CAUSE,
    client_gave_up.CAUSE,
    server_gave_up.CAUSE,
    hello_closed.CAUSE,
    hello_reset.CAUSE,
    # -- any: the last resorts --
    misdirected_request.CAUSE,
    http_refused.CAUSE,
    fingerprint_different.CAUSE,
    alert_other.CAUSE,
    decryption_keys_missing.CAUSE,
)
