"""Fixes around the client's identity that more than one cause names."""

from __future__ import annotations

from dataclasses import replace

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# The client is to send a certificate with its chain.
SEND_CERTIFICATE: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Give the location its client certificate: the leaf, then its intermediates.",
        "proxy_ssl_certificate CLIENT-CHAIN.pem;\nproxy_ssl_certificate_key CLIENT.key;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (grpc)",
        "The same for grpc_pass.",
        "grpc_ssl_certificate CLIENT-CHAIN.pem;\ngrpc_ssl_certificate_key CLIENT.key;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "proxy_ssl on;\nproxy_ssl_certificate CLIENT-CHAIN.pem;\nproxy_ssl_certificate_key CLIENT.key;",
        Side.CLIENT,
    ),
    Fix(
        "nginx (uwsgi)",
        "The same for uwsgi_pass.",
        "uwsgi_ssl_certificate CLIENT-CHAIN.pem;\nuwsgi_ssl_certificate_key CLIENT.key;",
        Side.CLIENT,
    ),
    Fix(
        "ingress-nginx",
        "Name the Secret that holds tls.crt, tls.key and ca.crt.",
        "nginx.ingress.kubernetes.io/proxy-ssl-secret: NAMESPACE/SECRET",
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Give the server line a file with key and chain.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem crt CLIENT.pem",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Set tls_certificates in the common_tls_context of the UpstreamTlsContext.",
        "tls_certificates:\n"
        "  - certificate_chain: {filename: CLIENT-CHAIN.pem}\n"
        "    private_key: {filename: CLIENT.key}",
        Side.CLIENT,
    ),
    Fix(
        "Istio",
        "Use mode MUTUAL in the DestinationRule.",
        "trafficPolicy:\n  tls:\n    mode: MUTUAL\n    clientCertificate: CLIENT-CHAIN.pem\n    privateKey: CLIENT.key",
        Side.CLIENT,
    ),
    Fix(
        "Apache",
        "Give mod_proxy a file with certificate and key, and one with the intermediates.",
        "SSLProxyMachineCertificateFile CLIENT.pem\nSSLProxyMachineCertificateChainFile INTERMEDIATES.pem",
        Side.CLIENT,
    ),
    Fix(
        "Caddy",
        "Give the transport of reverse_proxy the certificate.",
        "transport http {\n    tls_client_auth CLIENT-CHAIN.pem CLIENT.key\n}",
        Side.CLIENT,
    ),
    Fix(
        "Traefik",
        "Set certificates in the serversTransport.",
        "certificates:\n  - certFile: CLIENT-CHAIN.pem\n    keyFile: CLIENT.key",
        Side.CLIENT,
    ),
    Fix(
        "curl",
        "Give certificate and key.",
        "curl --cert CLIENT-CHAIN.pem --key CLIENT.key https://{host}/",
        Side.CLIENT,
    ),
    Fix(
        "OpenSSL",
        "Give leaf, intermediates and key.",
        "openssl s_client -cert CLIENT.pem -cert_chain INTERMEDIATES.pem -key CLIENT.key -connect ADDRESS:443",
        Side.CLIENT,
    ),
    Fix(
        "GnuTLS",
        "Give certificate and key.",
        "gnutls-cli --x509certfile CLIENT-CHAIN.pem --x509keyfile CLIENT.key HOST",
        Side.CLIENT,
    ),
    Fix(
        "Go",
        "Set Certificates; with GetClientCertificate it is sent whatever authorities the server lists.",
        "tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) "
        "{ return &certificate, nil }}",
        Side.CLIENT,
    ),
    Fix(
        "Java",
        "Give a key store; it must hold the chain up to a listed authority, or the key manager withholds the key.",
        "java -Djavax.net.ssl.keyStore=CLIENT.p12 -Djavax.net.ssl.keyStorePassword=...",
        Side.CLIENT,
    ),
    Fix("Node", "Give cert and key.", "https.request({ cert: CHAIN_PEM, key: KEY_PEM, ... })", Side.CLIENT),
    Fix("Python", "Load the chain.", 'context.load_cert_chain("CLIENT-CHAIN.pem", "CLIENT.key")', Side.CLIENT),
    Fix(
        ".NET",
        "Add the certificate; a context sends its intermediates too.",
        "SslStreamCertificateContext.Create(certificate, intermediates)",
        Side.CLIENT,
    ),
)


def send_certificate(which: str) -> tuple[Fix, ...]:
    """The same fixes, where the client is to send another certificate than it did: *which* says what kind."""
    return tuple(replace(fix, action=f"{which} {fix.action}") for fix in SEND_CERTIFICATE)


# The server is to ask for a certificate.
ASK_FOR_CERTIFICATE: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Ask in the server block that serves the name (and in the default one where clients send no name).",
        "ssl_client_certificate CLIENT-CA.pem;\nssl_verify_client on;",
        Side.SERVER,
    ),
    Fix(
        "nginx (stream)",
        "The same in the stream server.",
        "ssl_client_certificate CLIENT-CA.pem;\nssl_verify_client on;",
        Side.SERVER,
    ),
    Fix(
        "ingress-nginx",
        "Annotate the Ingress of the host.",
        "nginx.ingress.kubernetes.io/auth-tls-secret: NAMESPACE/SECRET\n"
        'nginx.ingress.kubernetes.io/auth-tls-verify-client: "on"',
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Ask on the bind line.",
        "bind :443 ssl crt SERVER.pem ca-file CLIENT-CA.pem verify required",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Ask in the DownstreamTlsContext.",
        "require_client_certificate: true\ncommon_tls_context:\n  validation_context:\n"
        "    trusted_ca: {filename: CLIENT-CA.pem}",
        Side.SERVER,
    ),
    Fix(
        "Istio",
        "Use mode MUTUAL in the Gateway's server.",
        "tls:\n  mode: MUTUAL\n  credentialName: SECRET",
        Side.SERVER,
    ),
    Fix(
        "Apache",
        "Ask for the whole virtual host; TLS 1.3 and HTTP/2 know no later request.",
        "SSLVerifyClient require\nSSLCACertificateFile CLIENT-CA.pem",
        Side.SERVER,
    ),
    Fix(
        "Caddy",
        "Ask in the site block.",
        "tls {\n    client_auth {\n        mode require_and_verify\n        trust_pool file CLIENT-CA.pem\n    }\n}",
        Side.SERVER,
    ),
    Fix(
        "Traefik",
        "Ask in the TLS options of the router.",
        "clientAuth:\n  caFiles: [CLIENT-CA.pem]\n  clientAuthType: RequireAndVerifyClientCert",
        Side.SERVER,
    ),
    Fix(
        "OpenSSL",
        "Ask.",
        "openssl s_server -Verify 2 -verify_return_error -CAfile CLIENT-CA.pem -cert SERVER.pem -key SERVER.key",
        Side.SERVER,
    ),
    Fix(
        "GnuTLS",
        "Ask.",
        "gnutls-serv --require-client-cert --x509cafile CLIENT-CA.pem --x509certfile SERVER.pem "
        "--x509keyfile SERVER.key",
        Side.SERVER,
    ),
    Fix(
        "Go", "Set ClientAuth.", "tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}", Side.SERVER
    ),
    Fix("Java", "Require it.", "parameters.setNeedClientAuth(true);", Side.SERVER),
    Fix(
        "Node",
        "Ask.",
        "https.createServer({ requestCert: true, rejectUnauthorized: true, ca: CA_PEM, ... })",
        Side.SERVER,
    ),
    Fix("Python", "Ask.", "context.verify_mode = ssl.CERT_REQUIRED", Side.SERVER),
    Fix(".NET", "Ask.", "new SslServerAuthenticationOptions { ClientCertificateRequired = true }", Side.SERVER),
)

# The server is to trust, and to name, the authority that issued the client's certificate.
TRUST_ISSUER: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Put the issuing authority into the file: what is in it is trusted and named to clients. "
        "ssl_trusted_certificate is trusted and not named.",
        "ssl_client_certificate CLIENT-CA.pem;\nssl_verify_depth 2;",
        Side.SERVER,
    ),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "ssl_client_certificate CLIENT-CA.pem;\nssl_verify_depth 2;",
        Side.SERVER,
    ),
    Fix(
        "ingress-nginx",
        "Put the authority into ca.crt of the Secret, and allow for intermediates.",
        "nginx.ingress.kubernetes.io/auth-tls-secret: NAMESPACE/SECRET\n"
        'nginx.ingress.kubernetes.io/auth-tls-verify-depth: "2"',
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Put the authority into ca-file (and into ca-verify-file what is trusted and not named).",
        "bind :443 ssl crt SERVER.pem ca-file CLIENT-CA.pem verify required",
        Side.SERVER,
    ),
    Fix("Envoy", "Put the authority into trusted_ca.", "trusted_ca: {filename: CLIENT-CA.pem}", Side.SERVER),
    Fix(
        "Istio",
        "Put the authority into ca.crt of the Secret that the Gateway names.",
        "kubectl create secret generic SECRET --from-file=tls.crt --from-file=tls.key --from-file=ca.crt",
        Side.SERVER,
    ),
    Fix(
        "Apache",
        "Trust the authority; SSLCADNRequestFile names other ones to clients.",
        "SSLCACertificateFile CLIENT-CA.pem\nSSLVerifyDepth 2",
        Side.SERVER,
    ),
    Fix("Caddy", "Put the authority into the pool.", "trust_pool file CLIENT-CA.pem", Side.SERVER),
    Fix("Traefik", "Put the authority into caFiles.", "clientAuth:\n  caFiles: [CLIENT-CA.pem]", Side.SERVER),
    Fix("Go", "Add the authority to ClientCAs.", "pool.AppendCertsFromPEM(authority)", Side.SERVER),
    Fix(
        "Java",
        "Import the authority into the trust store.",
        "keytool -importcert -file CA.pem -keystore TRUST.p12",
        Side.SERVER,
    ),
    Fix("Node", "Give the authority.", "https.createServer({ ca: [CA_PEM], requestCert: true, ... })", Side.SERVER),
    Fix("Python", "Load the authority.", 'context.load_verify_locations("CLIENT-CA.pem")', Side.SERVER),
    Fix("GnuTLS", "Give the authority.", "gnutls-serv --x509cafile CLIENT-CA.pem --require-client-cert", Side.SERVER),
    Fix("OpenSSL", "Give the authority.", "openssl s_server -CAfile CLIENT-CA.pem -Verify 2", Side.SERVER),
    Fix(
        ".NET",
        "Give CertificateChainPolicy the authority as a custom trust store.",
        "new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust }",
        Side.SERVER,
    ),
)
