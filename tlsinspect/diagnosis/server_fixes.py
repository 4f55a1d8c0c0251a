"""Fixes around the server's certificate that more than one cause names."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# The server is to show another certificate: leaf first, then the intermediates, not the root.
REPLACE_CERTIFICATE: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Give the host a chain file with the leaf first and the intermediates after it, then reload.",
        "ssl_certificate FULLCHAIN.pem;\nssl_certificate_key KEY.pem;",
        Side.SERVER,
    ),
    Fix("nginx (stream)", "The same in a stream server.", "ssl_certificate FULLCHAIN.pem;", Side.SERVER),
    Fix(
        "ingress-nginx",
        "Put the whole chain into tls.crt of the Secret that the Ingress names.",
        "kubectl create secret tls SECRET --cert=FULLCHAIN.pem --key=KEY.pem --dry-run=client -o yaml | "
        "kubectl apply -f -",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Replace the file that crt names (leaf, intermediates, key in one), then reload.",
        "bind :443 ssl crt SITE.pem",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Replace the files of tls_certificates; with SDS they are read anew.",
        "tls_certificates:\n  - certificate_chain: {filename: FULLCHAIN.pem}\n    private_key: {filename: KEY.pem}",
        Side.SERVER,
    ),
    Fix("Istio", "Replace the Secret of the Gateway.", "tls:\n  mode: SIMPLE\n  credentialName: SECRET", Side.SERVER),
    Fix(
        "Apache",
        "SSLCertificateFile takes the leaf and the intermediates after it.",
        "SSLCertificateFile FULLCHAIN.pem\nSSLCertificateKeyFile KEY.pem",
        Side.SERVER,
    ),
    Fix(
        "Caddy",
        "Name the files, or leave the line out and let Caddy obtain one.",
        "tls FULLCHAIN.pem KEY.pem",
        Side.SERVER,
    ),
    Fix(
        "Traefik",
        "Name the files in the dynamic configuration.",
        "tls:\n  certificates:\n    - certFile: FULLCHAIN.pem\n      keyFile: KEY.pem",
        Side.SERVER,
    ),
    Fix(
        "OpenSSL",
        "Show the intermediates, too.",
        "openssl s_server -cert LEAF.pem -cert_chain INTERMEDIATES.pem -key KEY.pem",
        Side.SERVER,
    ),
    Fix(
        "GnuTLS",
        "Show the whole chain.",
        "gnutls-serv --x509certfile FULLCHAIN.pem --x509keyfile KEY.pem",
        Side.SERVER,
    ),
    Fix("Go", "Load a file with the whole chain.", 'tls.LoadX509KeyPair("FULLCHAIN.pem", "KEY.pem")', Side.SERVER),
    Fix(
        "Java",
        "Put key and whole chain into the key store.",
        "openssl pkcs12 -export -in FULLCHAIN.pem -inkey KEY.pem -out server.p12",
        Side.SERVER,
    ),
    Fix("Node", "cert takes the whole chain.", "https.createServer({ cert: fullchain, key })", Side.SERVER),
    Fix("Python", "Load the whole chain.", 'context.load_cert_chain("FULLCHAIN.pem", "KEY.pem")', Side.SERVER),
    Fix(
        ".NET",
        "Give the leaf with its intermediates.",
        "ServerCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates)",
        Side.SERVER,
    ),
)

# The client is to trust the authority that issued the server's certificate.
TRUST_AUTHORITY: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "As a proxy, name the roots, and allow for all intermediates between them and the leaf.",
        "proxy_ssl_verify on;\nproxy_ssl_trusted_certificate CA.pem;\nproxy_ssl_verify_depth 4;",
        Side.CLIENT,
    ),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_trusted_certificate CA.pem;", Side.CLIENT),
    Fix("nginx (uwsgi)", "The same for uwsgi_pass.", "uwsgi_ssl_trusted_certificate CA.pem;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_ssl_trusted_certificate CA.pem;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Put the root into ca.crt of the Secret that the annotation names.",
        "nginx.ingress.kubernetes.io/proxy-ssl-secret: NAMESPACE/SECRET\n"
        'nginx.ingress.kubernetes.io/proxy-ssl-verify: "on"',
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Name the roots in the server line.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem verifyhost {host}",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Set trusted_ca in the validation_context of the UpstreamTlsContext.",
        "validation_context:\n  trusted_ca: {filename: CA.pem}",
        Side.CLIENT,
    ),
    Fix(
        "Istio",
        "Set it in the DestinationRule.",
        "trafficPolicy:\n  tls:\n    mode: SIMPLE\n    caCertificates: CA.pem",
        Side.CLIENT,
    ),
    Fix("Apache", "Name the roots for mod_proxy.", "SSLProxyCACertificateFile CA.pem", Side.CLIENT),
    Fix(
        "Caddy",
        "Name the roots in the transport of reverse_proxy (tls_trusted_ca_certs before version 2.8).",
        "transport http {\n    tls_trust_pool file CA.pem\n}",
        Side.CLIENT,
    ),
    Fix("Traefik", "Set it in the serversTransport.", "rootCAs: [CA.pem]", Side.CLIENT),
    Fix("curl", "Name the roots.", "curl --cacert CA.pem https://{host}/", Side.CLIENT),
    Fix("OpenSSL", "Name the roots.", "openssl s_client -CAfile CA.pem -connect ADDRESS:443", Side.CLIENT),
    Fix("GnuTLS", "Name the roots.", "gnutls-cli --x509cafile=CA.pem {host}", Side.CLIENT),
    Fix("Go", "Set RootCAs, or SSL_CERT_FILE.", "tls.Config{RootCAs: pool}", Side.CLIENT),
    Fix(
        "Java",
        "Import the root into the trust store.",
        "keytool -importcert -alias ca -file CA.pem -keystore trust.p12\n-Djavax.net.ssl.trustStore=trust.p12",
        Side.CLIENT,
    ),
    Fix("Node", "Name the roots.", "NODE_EXTRA_CA_CERTS=CA.pem", Side.CLIENT),
    Fix("Python", "Load the roots, or SSL_CERT_FILE.", 'context.load_verify_locations("CA.pem")', Side.CLIENT),
    Fix(
        ".NET",
        "Give CertificateChainPolicy a custom trust store.",
        "new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust }",
        Side.CLIENT,
    ),
)
