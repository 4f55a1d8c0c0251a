"""Fixes of a client certificate that is revoked, out of date or of the wrong kind."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# The server is to judge by a current list of what is revoked.
RENEW_CRL: tuple[Fix, ...] = (
    Fix("nginx", "Or bring the list up to date; it needs one of each authority.", "ssl_crl CRL.pem;", Side.SERVER),
    Fix("nginx (stream)", "The same in a stream server.", "ssl_crl CRL.pem;", Side.SERVER),
    Fix(
        "ingress-nginx",
        "Or bring ca.crl in the Secret up to date.",
        "nginx.ingress.kubernetes.io/auth-tls-secret: NAMESPACE/SECRET",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Or bring the list up to date.",
        "bind :443 ssl crt SERVER.pem ca-file CLIENT-CA.pem crl-file CRL.pem verify required",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Or bring the list up to date.",
        "validation_context:\n  trusted_ca: {filename: CLIENT-CA.pem}\n  crl: {filename: CRL.pem}",
        Side.SERVER,
    ),
    Fix(
        "Apache",
        "Or bring the list up to date.",
        "SSLCARevocationFile CRL.pem\nSSLCARevocationCheck leaf",
        Side.SERVER,
    ),
    Fix("OpenSSL", "Or bring the list up to date.", "openssl s_server -CRL CRL.pem -crl_check -Verify 2", Side.SERVER),
    Fix("GnuTLS", "Or bring the list up to date.", "gnutls-serv --x509crlfile CRL.pem", Side.SERVER),
    Fix("Java", "Or let the server look it up.", "-Dcom.sun.net.ssl.checkRevocation=true", Side.SERVER),
    Fix("Node", "Or bring the list up to date.", "https.createServer({ crl: CRL_PEM, ... })", Side.SERVER),
    Fix(
        "Python",
        "Or bring the list up to date.",
        'context.load_verify_locations("CRL.pem")\ncontext.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF',
        Side.SERVER,
    ),
    Fix(
        ".NET",
        "Or let the server look it up.",
        "CertificateRevocationCheckMode = X509RevocationMode.Online",
        Side.SERVER,
    ),
)

# The client is to load the renewed certificate: most programs read the file only once.
RELOAD_CERTIFICATE: tuple[Fix, ...] = (
    Fix("nginx", "Load the renewed certificate.", "nginx -s reload", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Renew the Secret; the controller loads it by itself.",
        "kubectl create secret tls SECRET --cert=CLIENT-CHAIN.pem --key=CLIENT.key --dry-run=client -o yaml | "
        "kubectl apply -f -",
        Side.CLIENT,
    ),
    Fix("HAProxy", "Load the renewed certificate.", "systemctl reload haproxy", Side.CLIENT),
    Fix(
        "Envoy",
        "Serve the certificate by SDS or watch its folder.",
        "watched_directory: {path: /certs}",
        Side.CLIENT,
    ),
    Fix("Istio", "Renew the Secret that credentialName names.", "credentialName: SECRET", Side.CLIENT),
    Fix("Apache", "Load the renewed certificate.", "apachectl graceful", Side.CLIENT),
    Fix("Caddy", "Load the renewed certificate.", "caddy reload --force", Side.CLIENT),
    Fix(
        "Traefik",
        "Change the dynamic configuration, which is when it reads the files.",
        "providers:\n  file:\n    filename: dynamic.yml\n    watch: true",
        Side.CLIENT,
    ),
    Fix(
        "curl", "Give the renewed files.", "curl --cert CLIENT-CHAIN.pem --key CLIENT.key https://{host}/", Side.CLIENT
    ),
    Fix(
        "OpenSSL",
        "Give the renewed files.",
        "openssl s_client -cert CLIENT.pem -key CLIENT.key -connect ADDRESS:443",
        Side.CLIENT,
    ),
    Fix(
        "GnuTLS",
        "Give the renewed files.",
        "gnutls-cli --x509certfile CLIENT-CHAIN.pem --x509keyfile CLIENT.key {host}",
        Side.CLIENT,
    ),
    Fix("Go", "Read the file anew for each handshake.", "tls.Config{GetClientCertificate: load}", Side.CLIENT),
    Fix(
        "Java",
        "Build a new SSLContext from the renewed key store.",
        "context.init(keyManagerFactory.getKeyManagers(), null, null);",
        Side.CLIENT,
    ),
    Fix("Node", "Make a new Agent with the renewed files.", "new https.Agent({ cert: CERT, key: KEY })", Side.CLIENT),
    Fix(
        "Python",
        "Make a new context with the renewed files.",
        'context.load_cert_chain("CLIENT-CHAIN.pem", "CLIENT.key")',
        Side.CLIENT,
    ),
    Fix(
        ".NET",
        "Load the renewed file.",
        'X509Certificate2.CreateFromPemFile("CLIENT-CHAIN.pem", "CLIENT.key")',
        Side.CLIENT,
    ),
)

# The server is to take client certificates that the library's checks of purpose refuse; it must then check by itself.
VERIFY_BY_ITSELF: tuple[Fix, ...] = (
    Fix("nginx", "Or verify in the application instead.", "ssl_verify_client optional_no_ca;", Side.SERVER),
    Fix("nginx (stream)", "The same in a stream server.", "ssl_verify_client optional_no_ca;", Side.SERVER),
    Fix(
        "ingress-nginx",
        "Or verify in the application instead.",
        'nginx.ingress.kubernetes.io/auth-tls-verify-client: "optional_no_ca"',
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Or pass over that one error.",
        "bind :443 ssl crt SERVER.pem ca-file CLIENT-CA.pem verify required crt-ignore-err 26",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Or verify in the application instead.",
        "validation_context:\n  trust_chain_verification: ACCEPT_UNTRUSTED",
        Side.SERVER,
    ),
    Fix("Istio", "Or verify in the application instead.", "tls:\n  mode: OPTIONAL_MUTUAL", Side.SERVER),
    Fix("Apache", "Or verify in the application instead.", "SSLVerifyClient optional_no_ca", Side.SERVER),
    Fix(
        "Caddy",
        "Or verify in the application instead.",
        "tls {\n    client_auth {\n        mode require\n    }\n}",
        Side.SERVER,
    ),
    Fix(
        "Traefik",
        "Or verify in the application instead.",
        "clientAuth:\n  clientAuthType: RequireAnyClientCert",
        Side.SERVER,
    ),
    Fix(
        "OpenSSL",
        "Or ask for the signature algorithms that the clients' keys can make.",
        "openssl s_server -client_sigalgs ECDSA+SHA256:RSA-PSS+SHA256 -Verify 2",
        Side.SERVER,
    ),
    Fix(
        "Go",
        "Or verify with another usage, in VerifyPeerCertificate.",
        "x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}",
        Side.SERVER,
    ),
    Fix(
        "Node",
        "Or verify in the application instead.",
        "https.createServer({ requestCert: true, rejectUnauthorized: false, ... })",
        Side.SERVER,
    ),
    Fix(
        ".NET",
        "Or verify in a callback.",
        "RemoteCertificateValidationCallback = (sender, certificate, chain, errors) => Accept(certificate)",
        Side.SERVER,
    ),
)
