"""Fixes of versions, cipher suites, groups and signature algorithms, for the side that is to widen them."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

VERSIONS: tuple[Fix, ...] = (
    Fix("nginx", "Let the server speak what its clients can.", "ssl_protocols TLSv1.2 TLSv1.3;", Side.SERVER),
    Fix("nginx (stream)", "The same in a stream server.", "ssl_protocols TLSv1.2 TLSv1.3;", Side.SERVER),
    Fix(
        "nginx",
        "As a proxy, offer TLS 1.3, too; before 1.23.4 it stops at TLS 1.2 unless told.",
        "proxy_ssl_protocols TLSv1.2 TLSv1.3;",
        Side.CLIENT,
    ),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_protocols TLSv1.2 TLSv1.3;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_ssl_protocols TLSv1.2 TLSv1.3;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Set it in the ConfigMap; towards the backend by annotation.",
        'ssl-protocols: "TLSv1.2 TLSv1.3"\nnginx.ingress.kubernetes.io/proxy-ssl-protocols: "TLSv1.2 TLSv1.3"',
    ),
    Fix("HAProxy", "Widen the range of a bind line.", "bind :443 ssl crt SITE.pem ssl-min-ver TLSv1.2", Side.SERVER),
    Fix(
        "HAProxy",
        "Widen the range of a server line.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Set tls_params in the common_tls_context; upstream it stops at TLS 1.2 unless told.",
        "tls_params:\n  tls_minimum_protocol_version: TLSv1_2\n  tls_maximum_protocol_version: TLSv1_3",
    ),
    Fix("Istio", "Lower the minimum of the Gateway.", "tls:\n  minProtocolVersion: TLSV1_2", Side.SERVER),
    Fix("Apache", "Name the versions.", "SSLProtocol -all +TLSv1.2 +TLSv1.3", Side.SERVER),
    Fix("Apache", "The same for mod_proxy.", "SSLProxyProtocol -all +TLSv1.2 +TLSv1.3", Side.CLIENT),
    Fix("Caddy", "Name lowest and highest.", "tls {\n    protocols tls1.2 tls1.3\n}", Side.SERVER),
    Fix("Traefik", "Set them in the TLS options.", "minVersion: VersionTLS12\nmaxVersion: VersionTLS13", Side.SERVER),
    Fix("curl", "Lift the limits.", "curl --tlsv1.2 --tls-max 1.3 https://{host}/", Side.CLIENT),
    Fix("OpenSSL", "Widen the range of openssl.cnf.", "MinProtocol = TLSv1.2\nMaxProtocol = TLSv1.3"),
    Fix("OpenSSL", "For TLS 1.0 and 1.1 the security level must be 0, too.", "CipherString = DEFAULT@SECLEVEL=0"),
    Fix("GnuTLS", "Name the versions.", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"),
    Fix("Go", "Widen the range.", "tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}"),
    Fix("Java", "Name the versions of a client.", "-Djdk.tls.client.protocols=TLSv1.2,TLSv1.3", Side.CLIENT),
    Fix("Java", "Name the versions of a socket.", 'parameters.setProtocols(new String[] {"TLSv1.2", "TLSv1.3"});'),
    Fix("Node", "Widen the range.", "tls.connect({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ... })"),
    Fix("Python", "Widen the range.", "context.minimum_version = ssl.TLSVersion.TLSv1_2"),
    Fix(".NET", "Let the system choose.", "EnabledSslProtocols = SslProtocols.None"),
)

SUITES: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Widen the server's list of TLS 1.2; those of TLS 1.3 have a line of their own.",
        "ssl_ciphers HIGH:!aNULL:!MD5;\nssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384;",
        Side.SERVER,
    ),
    Fix("nginx", "As a proxy, widen the offer.", "proxy_ssl_ciphers DEFAULT;", Side.CLIENT),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_ciphers DEFAULT;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_ssl_ciphers DEFAULT;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Widen the list in the ConfigMap; towards the backend by annotation.",
        'ssl-ciphers: "ECDHE+AESGCM:ECDHE+CHACHA20"\nnginx.ingress.kubernetes.io/proxy-ssl-ciphers: "DEFAULT"',
    ),
    Fix(
        "HAProxy",
        "Widen the list of all bind lines.",
        "ssl-default-bind-ciphers ECDHE+AESGCM:ECDHE+CHACHA20",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Widen the list of all server lines.",
        "ssl-default-server-ciphers ECDHE+AESGCM:ECDHE+CHACHA20",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Widen cipher_suites in tls_params.",
        "cipher_suites: [ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256]",
    ),
    Fix("Istio", "Widen the list of the Gateway.", "tls:\n  cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]", Side.SERVER),
    Fix("Apache", "Widen the list.", "SSLCipherSuite HIGH:!aNULL:!MD5", Side.SERVER),
    Fix("Apache", "The same for mod_proxy.", "SSLProxyCipherSuite HIGH:!aNULL:!MD5", Side.CLIENT),
    Fix(
        "Caddy",
        "Name the suite that is wanting, or leave the line out for the default.",
        "tls {\n    ciphers TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n}",
        Side.SERVER,
    ),
    Fix("Traefik", "Widen the TLS options.", "cipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]", Side.SERVER),
    Fix(
        "curl",
        "Widen the offer.",
        "curl --ciphers DEFAULT --tls13-ciphers TLS_AES_128_GCM_SHA256 https://{host}/",
        Side.CLIENT,
    ),
    Fix("OpenSSL", "Widen the offer.", "openssl s_client -cipher ALL -connect ADDRESS:443", Side.CLIENT),
    Fix(
        "OpenSSL",
        "Widen the server's list.",
        "openssl s_server -cipher DEFAULT -cert SERVER.pem -key SERVER.key",
        Side.SERVER,
    ),
    Fix("GnuTLS", "Widen the priorities.", "--priority NORMAL"),
    Fix(
        "Go",
        "Name the suites; those with static RSA are off since 1.22.",
        "tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}",
    ),
    Fix("Go", "Static RSA, before Go 1.27.", "GODEBUG=tlsrsakex=1"),
    Fix("Java", "Shorten the list of what is disabled.", "jdk.tls.disabledAlgorithms"),
    Fix("Java", "Name the suites of a client.", "-Djdk.tls.client.cipherSuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    Fix("Node", "Name the suites.", "tls.connect({ ciphers: tls.DEFAULT_CIPHERS, ... })"),
    Fix("Python", "Name the suites; static RSA is off since 3.10.", 'context.set_ciphers("DEFAULT")'),
    Fix(".NET", "Name the suites.", "CipherSuitesPolicy = new CipherSuitesPolicy(...)"),
)

GROUPS: tuple[Fix, ...] = (
    Fix("nginx", "Widen the server's groups.", "ssl_ecdh_curve X25519:P-256:P-384;", Side.SERVER),
    Fix("nginx (stream)", "The same in a stream server.", "ssl_ecdh_curve X25519:P-256:P-384;", Side.SERVER),
    Fix("nginx", "As a proxy, widen the offer.", "proxy_ssl_conf_command Groups X25519:P-256:P-384;", Side.CLIENT),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_conf_command Groups X25519:P-256:P-384;", Side.CLIENT),
    Fix("nginx (uwsgi)", "The same for uwsgi_pass.", "uwsgi_ssl_conf_command Groups X25519:P-256:P-384;", Side.CLIENT),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "proxy_ssl_conf_command Groups X25519:P-256:P-384;",
        Side.CLIENT,
    ),
    Fix("ingress-nginx", "Set it in the ConfigMap.", 'ssl-ecdh-curve: "auto"', Side.SERVER),
    Fix("HAProxy", "Widen the groups of a bind line.", "bind :443 ssl crt SITE.pem curves X25519:P-256", Side.SERVER),
    Fix("HAProxy", "Widen those of all bind lines.", "ssl-default-bind-curves X25519:P-256:P-384", Side.SERVER),
    Fix(
        "HAProxy",
        "Widen the groups of all server lines (3.0 and later; before that they are those of OpenSSL's configuration).",
        "ssl-default-server-curves X25519:P-256:P-384",
        Side.CLIENT,
    ),
    Fix("Envoy", "Widen ecdh_curves in tls_params.", "ecdh_curves: [X25519, P-256, P-384]"),
    Fix("Istio", "Widen them in meshConfig.", "tlsDefaults:\n  ecdhCurves: [X25519, P-256, P-384]"),
    Fix("Apache", "Widen the groups.", "SSLOpenSSLConfCmd Groups X25519:P-256:P-384", Side.SERVER),
    Fix("Caddy", "Widen the groups.", "tls {\n    curves x25519 secp256r1 secp384r1\n}", Side.SERVER),
    Fix(
        "Caddy",
        "Widen the groups of reverse_proxy.",
        "transport http {\n    tls_curves x25519 secp256r1 secp384r1\n}",
        Side.CLIENT,
    ),
    Fix("Traefik", "Widen the TLS options.", "curvePreferences: [X25519, CurveP256, CurveP384]", Side.SERVER),
    Fix("curl", "Widen the offer.", "curl --curves X25519:P-256:P-384 https://{host}/", Side.CLIENT),
    Fix("OpenSSL", "Widen the groups of openssl.cnf.", "Groups = X25519:P-256:P-384"),
    Fix("GnuTLS", "Widen the priorities.", "--priority NORMAL:+GROUP-ALL"),
    Fix("Go", "Widen the groups.", "tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}}"),
    Fix("Java", "Name the groups.", "-Djdk.tls.namedGroups=x25519,secp256r1,secp384r1"),
    Fix("Node", "Name the groups.", "tls.connect({ ecdhCurve: 'auto', ... })"),
    Fix("Python", "Let any group pass (set_ecdh_curve allows one alone).", "context = ssl.create_default_context()"),
    Fix(".NET", "Widen the groups: on Linux in openssl.cnf.", "Groups = X25519:P-256:P-384"),
)

SIGNATURES: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Give the server a certificate of each type; it shows the one that the client can verify.",
        "ssl_certificate RSA.pem;\nssl_certificate_key RSA.key;\nssl_certificate ECDSA.pem;\nssl_certificate_key "
        "ECDSA.key;",
        Side.SERVER,
    ),
    Fix(
        "nginx",
        "As a proxy, widen the offer.",
        "proxy_ssl_conf_command SignatureAlgorithms ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (grpc)",
        "The same for grpc_pass.",
        "grpc_ssl_conf_command SignatureAlgorithms ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (uwsgi)",
        "The same for uwsgi_pass.",
        "uwsgi_ssl_conf_command SignatureAlgorithms ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (stream)",
        "As a proxy, widen the offer.",
        "proxy_ssl_conf_command SignatureAlgorithms ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (stream)",
        "Give the server a certificate of each type.",
        "ssl_certificate RSA.pem;\nssl_certificate_key RSA.key;\nssl_certificate ECDSA.pem;\nssl_certificate_key "
        "ECDSA.key;",
        Side.SERVER,
    ),
    Fix(
        "ingress-nginx",
        "A Secret holds one certificate: take the type that all clients can verify.",
        "kubectl create secret tls SECRET --cert=RSA-CHAIN.pem --key=RSA.key",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Give the server both types: SITE.pem.rsa and SITE.pem.ecdsa.",
        "bind :443 ssl crt SITE.pem",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Or widen the signature algorithms of all bind lines (2.8 and later).",
        "ssl-default-bind-sigalgs ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Widen the signature algorithms of all server lines (3.0 and later).",
        "ssl-default-server-sigalgs ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Give the server a certificate of each type.",
        "tls_certificates:\n  - certificate_chain: {filename: RSA.pem}\n    private_key: {filename: RSA.key}\n"
        "  - certificate_chain: {filename: ECDSA.pem}\n    private_key: {filename: ECDSA.key}",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Widen signature_algorithms in tls_params.",
        "signature_algorithms: [ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256, rsa_pkcs1_sha256]",
        Side.CLIENT,
    ),
    Fix(
        "Istio",
        "Give the Gateway a certificate of each type (1.27 and later).",
        "credentialNames: [RSA-SECRET, ECDSA-SECRET]",
        Side.SERVER,
    ),
    Fix(
        "Apache",
        "Give the server a certificate of each type.",
        "SSLCertificateFile RSA.pem\nSSLCertificateKeyFile RSA.key\nSSLCertificateFile ECDSA.pem\n"
        "SSLCertificateKeyFile ECDSA.key",
        Side.SERVER,
    ),
    Fix("Caddy", "Obtain the other type.", "tls {\n    key_type rsa2048\n}", Side.SERVER),
    Fix(
        "Traefik",
        "List a certificate of each type.",
        "tls:\n  certificates:\n    - {certFile: RSA.pem, keyFile: RSA.key}\n"
        "    - {certFile: ECDSA.pem, keyFile: ECDSA.key}",
        Side.SERVER,
    ),
    Fix("curl", "Do not narrow the offer in openssl.cnf.", "OPENSSL_CONF=/dev/null curl https://{host}/", Side.CLIENT),
    Fix(
        "OpenSSL",
        "Widen the offer.",
        "openssl s_client -sigalgs ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256 -connect ADDRESS:443",
        Side.CLIENT,
    ),
    Fix("GnuTLS", "Widen the priorities.", "--priority NORMAL:+SIGN-ALL"),
    Fix(
        "Go",
        "Give the server both; it chooses.",
        "tls.Config{Certificates: []tls.Certificate{ecdsa, rsa}}",
        Side.SERVER,
    ),
    Fix("Java", "Widen the schemes.", "-Djdk.tls.client.SignatureSchemes=ecdsa_secp256r1_sha256,rsa_pss_rsae_sha256"),
    Fix("Node", "Widen the offer.", "tls.connect({ sigalgs: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256', ... })"),
    Fix(
        "Python",
        "Load a certificate of each type.",
        'context.load_cert_chain("RSA.pem", "RSA.key")\ncontext.load_cert_chain("ECDSA.pem", "ECDSA.key")',
        Side.SERVER,
    ),
    Fix(
        ".NET",
        "Choose a certificate that the client can verify.",
        "ServerCertificateSelectionCallback = (sender, name) => rsa",
        Side.SERVER,
    ),
)

# The client is to do without an extension that the server cannot take, or with other contents of it.
LEAVE_OUT_EXTENSIONS: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Where session_ticket is refused, leave it out as a proxy.",
        "proxy_ssl_conf_command Options -SessionTicket;",
        Side.CLIENT,
    ),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_conf_command Options -SessionTicket;", Side.CLIENT),
    Fix("nginx (uwsgi)", "The same for uwsgi_pass.", "uwsgi_ssl_conf_command Options -SessionTicket;", Side.CLIENT),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "proxy_ssl_conf_command Options -SessionTicket;",
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Leave out session_ticket, or use TLS 1.2 with its fewer extensions.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem no-tls-tickets ssl-max-ver TLSv1.2",
        Side.CLIENT,
    ),
    Fix("Apache", "As a proxy, use TLS 1.2 with its fewer extensions.", "SSLProxyProtocol -all +TLSv1.2", Side.CLIENT),
    Fix(
        "curl",
        "Leave out ALPN and session tickets, or use TLS 1.2 with its fewer extensions.",
        "curl --no-alpn --no-sessionid --tls-max 1.2 https://{host}/",
        Side.CLIENT,
    ),
    Fix(
        "OpenSSL",
        "Where session_ticket is refused, leave it out.",
        "openssl s_client -no_ticket -connect ADDRESS:443",
        Side.CLIENT,
    ),
    Fix(
        "GnuTLS",
        "Leave out what may be left out.",
        "gnutls-cli --priority NORMAL:%NO_TICKETS:%NO_ETM:%NO_SESSION_HASH {host}",
        Side.CLIENT,
    ),
    Fix(
        "Go", "Where session_ticket is refused, leave it out.", "tls.Config{SessionTicketsDisabled: true}", Side.CLIENT
    ),
    Fix("Java", "Leave out one by its name.", "-Djdk.tls.client.disableExtensions=session_ticket", Side.CLIENT),
    Fix(
        "Node",
        "Where session_ticket is refused, leave it out.",
        "tls.connect({ secureOptions: crypto.constants.SSL_OP_NO_TICKET, ... })",
        Side.CLIENT,
    ),
    Fix("Python", "Where session_ticket is refused, leave it out.", "context.options |= ssl.OP_NO_TICKET", Side.CLIENT),
    Fix(
        ".NET",
        "Where session_ticket is refused, leave it out (.NET 8 and later).",
        "AllowTlsResume = false",
        Side.CLIENT,
    ),
)
