"""Fixes that more than one cause names."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# The client is to send the server name {host}.
SEND_SERVER_NAME: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Send the server name to the upstream; without these lines nginx sends none.",
        "proxy_ssl_server_name on;\nproxy_ssl_name {host};",
        Side.CLIENT,
    ),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_server_name on;\ngrpc_ssl_name {host};", Side.CLIENT),
    Fix("nginx (uwsgi)", "The same for uwsgi_pass.", "uwsgi_ssl_server_name on;\nuwsgi_ssl_name {host};", Side.CLIENT),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "proxy_ssl on;\nproxy_ssl_server_name on;\nproxy_ssl_name {host};",
        Side.CLIENT,
    ),
    Fix(
        "ingress-nginx",
        "Annotate the Ingress.",
        'nginx.ingress.kubernetes.io/proxy-ssl-server-name: "on"\nnginx.ingress.kubernetes.io/proxy-ssl-name: "{host}"',
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Name the server in its line; health checks have a name of their own.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem sni str({host}) check-sni {host}",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Set sni in the cluster's UpstreamTlsContext (or auto_sni in its upstream_http_protocol_options).",
        "sni: {host}",
        Side.CLIENT,
    ),
    Fix(
        "Istio",
        "Set it in the DestinationRule.",
        "trafficPolicy:\n  tls:\n    mode: SIMPLE\n    sni: {host}",
        Side.CLIENT,
    ),
    Fix(
        "Apache",
        "Name the host in the URL of the worker: mod_proxy sends the name that stands there.",
        'SSLProxyEngine on\nProxyPass "/" "https://{host}/"',
        Side.CLIENT,
    ),
    Fix(
        "Caddy",
        "Set the name in the transport of reverse_proxy.",
        "transport http {\n    tls_server_name {host}\n}",
        Side.CLIENT,
    ),
    Fix("Traefik", "Set it in the serversTransport of the service.", "serverName: {host}", Side.CLIENT),
    Fix(
        "curl",
        "Use the name in the URL, and give the address beside it.",
        "curl --resolve {host}:443:ADDRESS https://{host}/",
        Side.CLIENT,
    ),
    Fix("OpenSSL", "Give the name.", "openssl s_client -connect ADDRESS:443 -servername {host}", Side.CLIENT),
    Fix("GnuTLS", "Give the name.", "gnutls-cli --sni-hostname {host} --verify-hostname {host} ADDRESS", Side.CLIENT),
    Fix("Go", "Set ServerName.", 'tls.Config{ServerName: "{host}"}', Side.CLIENT),
    Fix(
        "Java",
        "Set the server names of the SSLParameters.",
        'parameters.setServerNames(List.of(new SNIHostName("{host}")));',
        Side.CLIENT,
    ),
    Fix("Node", "Give servername.", "tls.connect({ host: 'ADDRESS', port: 443, servername: '{host}' })", Side.CLIENT),
    Fix("Python", "Give server_hostname.", 'context.wrap_socket(sock, server_hostname="{host}")', Side.CLIENT),
    Fix(".NET", "Set TargetHost.", 'new SslClientAuthenticationOptions { TargetHost = "{host}" }', Side.CLIENT),
)

# The server is to know the name {host}.
SERVE_THE_NAME: tuple[Fix, ...] = (
    Fix("nginx", "Name the host in a server block.", "server_name {host};", Side.SERVER),
    Fix("nginx (stream)", "The same in a stream server (1.25.5 and later).", "server_name {host};", Side.SERVER),
    Fix(
        "ingress-nginx",
        "Give the Ingress a rule and a certificate for the host.",
        "tls:\n  - hosts: [{host}]\n    secretName: SECRET",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Load a certificate that covers the name; strict-sni refuses all others.",
        "bind :443 ssl crt /etc/haproxy/certs/ strict-sni",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Name the host in a filter chain; it needs the tls_inspector listener filter.",
        'filter_chain_match:\n  server_names: ["{host}"]',
        Side.SERVER,
    ),
    Fix(
        "Istio",
        "Name the host in a server of the Gateway.",
        "hosts: ['{host}']\ntls: {mode: SIMPLE, credentialName: SECRET}",
        Side.SERVER,
    ),
    Fix("Apache", "Name the host in a virtual host.", "ServerName {host}", Side.SERVER),
    Fix("Caddy", "Give the name a site block.", "{host} {\n    respond 200\n}", Side.SERVER),
    Fix("Traefik", "Route the name in an HTTP router with TLS.", "rule: Host(`{host}`)\ntls: {}", Side.SERVER),
    Fix(
        "OpenSSL",
        "Give a second certificate for the name.",
        "openssl s_server -cert SERVER.pem -key SERVER.key -servername {host} -cert2 HOST.pem -key2 HOST.key",
        Side.SERVER,
    ),
    Fix(
        "GnuTLS",
        "Name the host that is served.",
        "gnutls-serv --sni-hostname {host} --x509certfile HOST.pem --x509keyfile HOST.key",
        Side.SERVER,
    ),
    Fix("Go", "Return a certificate for the name from GetCertificate.", "tls.Config{GetCertificate: f}", Side.SERVER),
    Fix(
        "Java",
        "Widen the matcher.",
        'parameters.setSNIMatchers(List.of(SNIHostName.createSNIMatcher("(.*\\\\.)?example\\\\.com")));',
        Side.SERVER,
    ),
    Fix(
        "Node", "Add a certificate for the name.", "server.addContext('{host}', { cert: CERT, key: KEY })", Side.SERVER
    ),
    Fix("Python", "Choose the context by the name.", "context.sni_callback = choose_context", Side.SERVER),
    Fix(
        ".NET",
        "Choose the certificate by the name.",
        "ServerCertificateSelectionCallback = (sender, name) => CertificateFor(name)",
        Side.SERVER,
    ),
)
