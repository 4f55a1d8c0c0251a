"""Fixes around the application protocol (ALPN), by side."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# The client is to offer the protocols that the server has.
OFFER_PROTOCOLS: tuple[Fix, ...] = (
    Fix("nginx", "Speak HTTP/2 to the upstream (1.29.4 and later).", "proxy_http_version 2;", Side.CLIENT),
    Fix("nginx (grpc)", "grpc_pass offers h2.", "grpc_pass grpcs://{host}:443;", Side.CLIENT),
    Fix(
        "nginx (stream)",
        "List what to offer (1.31.0 and later); before that it offers none.",
        "proxy_ssl_alpn h2 http/1.1;",
        Side.CLIENT,
    ),
    Fix(
        "ingress-nginx",
        "Speak gRPC over TLS, which is HTTP/2, to the backend.",
        'nginx.ingress.kubernetes.io/backend-protocol: "GRPCS"',
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "List what to ask of the server.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem alpn h2,http/1.1",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "List what the cluster offers, in its UpstreamTlsContext; auto_config chooses by the answer.",
        'alpn_protocols: ["h2", "http/1.1"]',
        Side.CLIENT,
    ),
    Fix(
        "Istio",
        "Let the sidecar speak HTTP/2 to that host, in the DestinationRule.",
        "trafficPolicy:\n  connectionPool:\n    http:\n      h2UpgradePolicy: UPGRADE",
        Side.CLIENT,
    ),
    Fix("Apache", "Speak HTTP/2 to the worker (mod_proxy_http2).", 'ProxyPass "/" "h2://{host}/"', Side.CLIENT),
    Fix("Caddy", "List what to offer.", "transport http {\n    versions 1.1 2\n}", Side.CLIENT),
    Fix("Traefik", "Let the serversTransport speak HTTP/2.", "disableHTTP2: false", Side.CLIENT),
    Fix(
        "curl",
        "Offer another protocol, or none.",
        "curl --http1.1 https://{host}/\ncurl --http2 https://{host}/\ncurl --no-alpn https://{host}/",
        Side.CLIENT,
    ),
    Fix("OpenSSL", "Offer another protocol.", "openssl s_client -alpn h2,http/1.1 -connect ADDRESS:443", Side.CLIENT),
    Fix("GnuTLS", "Offer another protocol.", "gnutls-cli --alpn h2 --alpn http/1.1 {host}", Side.CLIENT),
    Fix("Go", "List what to offer.", 'tls.Config{NextProtos: []string{"h2", "http/1.1"}}', Side.CLIENT),
    Fix(
        "Java",
        "List what to offer.",
        'parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});',
        Side.CLIENT,
    ),
    Fix("Node", "List what to offer.", "tls.connect({ ALPNProtocols: ['h2', 'http/1.1'], ... })", Side.CLIENT),
    Fix("Python", "List what to offer.", 'context.set_alpn_protocols(["h2", "http/1.1"])', Side.CLIENT),
    Fix(
        ".NET",
        "List what to offer.",
        "ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11]",
        Side.CLIENT,
    ),
)

# The server is to speak the protocols that clients offer.
SERVE_PROTOCOLS: tuple[Fix, ...] = (
    Fix("nginx", "Speak HTTP/2, too (1.25.1 and later).", "http2 on;", Side.SERVER),
    Fix("nginx", "The same before 1.25.1.", "listen 443 ssl http2;", Side.SERVER),
    Fix("nginx (stream)", "List what to speak (1.21.4 and later).", "ssl_alpn h2 http/1.1;", Side.SERVER),
    Fix("ingress-nginx", "Speak HTTP/2 (ConfigMap).", 'use-http2: "true"', Side.SERVER),
    Fix("HAProxy", "List what the server is to speak.", "bind :443 ssl crt SITE.pem alpn h2,http/1.1", Side.SERVER),
    Fix("Envoy", "List what the listener speaks.", 'alpn_protocols: ["h2", "http/1.1"]', Side.SERVER),
    Fix(
        "Istio",
        "Name the protocol of the Gateway's port: HTTPS speaks h2 and http/1.1.",
        "port: {number: 443, name: https, protocol: HTTPS}",
        Side.SERVER,
    ),
    Fix("Apache", "Speak HTTP/2, too.", "Protocols h2 http/1.1", Side.SERVER),
    Fix(
        "Caddy", "List what the server is to speak.", "{\n    servers {\n        protocols h1 h2\n    }\n}", Side.SERVER
    ),
    Fix("Traefik", "List what to speak, in the TLS options.", "alpnProtocols: [h2, http/1.1]", Side.SERVER),
    Fix(
        "OpenSSL",
        "List what to speak.",
        "openssl s_server -alpn h2,http/1.1 -cert SERVER.pem -key SERVER.key",
        Side.SERVER,
    ),
    Fix("GnuTLS", "List what to speak.", "gnutls-serv --alpn h2 --x509certfile SERVER.pem", Side.SERVER),
    Fix("Go", "List what to speak.", 'tls.Config{NextProtos: []string{"h2", "http/1.1"}}', Side.SERVER),
    Fix(
        "Java",
        "List what to speak.",
        'parameters.setApplicationProtocols(new String[] {"h2", "http/1.1"});',
        Side.SERVER,
    ),
    Fix("Node", "Speak both.", "http2.createSecureServer({ allowHTTP1: true, ... })", Side.SERVER),
    Fix("Python", "List what to speak.", 'context.set_alpn_protocols(["h2", "http/1.1"])', Side.SERVER),
    Fix(
        ".NET",
        "List what Kestrel speaks.",
        "listenOptions.Protocols = HttpProtocols.Http1AndHttp2;",
        Side.SERVER,
    ),
)
