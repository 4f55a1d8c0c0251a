"""Fixes of addresses, ports, time limits and what stands between the two sides."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# The server is to listen with TLS on the address and port that clients take.
LISTEN: tuple[Fix, ...] = (
    Fix("nginx", "Listen with TLS, on both families.", "listen 443 ssl;\nlisten [::]:443 ssl;", Side.SERVER),
    Fix("nginx (stream)", "The same in a stream server.", "listen 443 ssl;", Side.SERVER),
    Fix(
        "HAProxy",
        "Listen with TLS, on both families.",
        "bind :::443 v4v6 ssl crt SITE.pem",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Give the listener address and port, and its filter chain a transport_socket for TLS.",
        "address:\n  socket_address: {address: 0.0.0.0, port_value: 443}",
        Side.SERVER,
    ),
    Fix(
        "Istio",
        "Open the port in the Gateway.",
        "servers:\n  - port: {number: 443, name: https, protocol: HTTPS}\n"
        "    tls: {mode: SIMPLE, credentialName: SECRET}\n    hosts: ['{host}']",
        Side.SERVER,
    ),
    Fix("Apache", "Listen, and switch TLS on in the virtual host.", "Listen 443\nSSLEngine on", Side.SERVER),
    Fix("Caddy", "Name the site with https and its port.", "https://{host}:443 {\n    respond 200\n}", Side.SERVER),
    Fix(
        "Traefik",
        "Give the entry point its port and TLS.",
        "entryPoints:\n  websecure:\n    address: :443\n    http:\n      tls: {}",
        Side.SERVER,
    ),
    Fix("OpenSSL", "Listen.", "openssl s_server -accept 443 -cert SERVER.pem -key SERVER.key", Side.SERVER),
    Fix("GnuTLS", "Listen.", "gnutls-serv --port 443 --x509certfile SERVER.pem --x509keyfile SERVER.key", Side.SERVER),
    Fix("Go", "Listen with TLS.", 'http.ListenAndServeTLS(":443", "SERVER.pem", "SERVER.key", nil)', Side.SERVER),
    Fix("Java", "Listen with TLS.", "context.getServerSocketFactory().createServerSocket(443);", Side.SERVER),
    Fix("Node", "Listen with TLS.", "https.createServer({ cert, key }).listen(443)", Side.SERVER),
    Fix("Python", "Listen with TLS.", "context.wrap_socket(listening, server_side=True)", Side.SERVER),
    Fix(".NET", "Listen with TLS (Kestrel).", "options.ListenAnyIP(443, listen => listen.UseHttps());", Side.SERVER),
)

# The client is to reach the address and port that are meant.
REACH: tuple[Fix, ...] = (
    Fix("nginx", "Correct the upstream's address.", "proxy_pass https://{host}:443;", Side.CLIENT),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_pass grpcs://{host}:443;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_pass {host}:443;", Side.CLIENT),
    Fix(
        "HAProxy",
        "Correct the server line's address.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Correct the endpoint of the cluster.",
        "address:\n  socket_address: {address: ADDRESS, port_value: 443}",
        Side.CLIENT,
    ),
    Fix(
        "Istio",
        "Let the mesh know the host and its port, with a ServiceEntry.",
        "hosts: ['{host}']\nports:\n  - {number: 443, name: tls, protocol: TLS}\nresolution: DNS",
        Side.CLIENT,
    ),
    Fix("Apache", "Correct the worker's URL.", 'SSLProxyEngine on\nProxyPass "/" "https://{host}:443/"', Side.CLIENT),
    Fix("Caddy", "Correct the upstream.", "reverse_proxy https://{host}:443", Side.CLIENT),
    Fix(
        "Traefik",
        "Correct the server of the service.",
        "loadBalancer:\n  servers:\n    - url: https://{host}:443",
        Side.CLIENT,
    ),
    Fix(
        "curl",
        "Try the address that is meant.",
        "curl --connect-timeout 5 --resolve {host}:443:ADDRESS https://{host}/",
        Side.CLIENT,
    ),
    Fix("OpenSSL", "Try the address that is meant.", "openssl s_client -connect ADDRESS:443", Side.CLIENT),
    Fix("GnuTLS", "Try the address that is meant.", "gnutls-cli --port 443 ADDRESS", Side.CLIENT),
)

# The client is to wait for a slow handshake, or to give up on one that is dead.
WAIT: tuple[Fix, ...] = (
    Fix("nginx", "Set how long the upstream may take for TCP and TLS.", "proxy_connect_timeout 10s;", Side.CLIENT),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_connect_timeout 10s;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_connect_timeout 10s;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "The same by annotation (in seconds).",
        'nginx.ingress.kubernetes.io/proxy-connect-timeout: "10"',
        Side.CLIENT,
    ),
    Fix("HAProxy", "Set how long servers and checks may take.", "timeout connect 10s\ntimeout check 10s", Side.CLIENT),
    Fix("Envoy", "Set it in the cluster; it covers TCP and TLS.", "connect_timeout: 10s", Side.CLIENT),
    Fix(
        "Istio",
        "Set it in the DestinationRule.",
        "trafficPolicy:\n  connectionPool:\n    tcp:\n      connectTimeout: 10s",
        Side.CLIENT,
    ),
    Fix("Apache", "Set it for the worker.", 'ProxyPass "/" "https://{host}/" connectiontimeout=10', Side.CLIENT),
    Fix(
        "Caddy",
        "Set both limits of the transport.",
        "transport http {\n    dial_timeout 10s\n    tls_timeout 10s\n}",
        Side.CLIENT,
    ),
    Fix("Traefik", "Set it in the serversTransport.", "forwardingTimeouts:\n  dialTimeout: 10s", Side.CLIENT),
    Fix("curl", "Set how long TCP and TLS may take.", "curl --connect-timeout 10 https://{host}/", Side.CLIENT),
    Fix("Go", "Set it in the Transport.", "http.Transport{TLSHandshakeTimeout: 10 * time.Second}", Side.CLIENT),
    Fix("Java", "Set how long a read may take.", "socket.setSoTimeout(10_000);", Side.CLIENT),
    Fix("Node", "Set how long the socket may be idle.", "https.request({ timeout: 10000, ... })", Side.CLIENT),
    Fix("Python", "Set it before the handshake.", "sock.settimeout(10)", Side.CLIENT),
    Fix(
        ".NET",
        "Set how long TCP and TLS may take.",
        "new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10) }",
        Side.CLIENT,
    ),
)

# The server is to give slow clients their time, and no more.
WAIT_FOR_CLIENTS: tuple[Fix, ...] = (
    Fix("nginx", "Give clients more time; it bounds the handshake, too.", "client_header_timeout 60s;", Side.SERVER),
    Fix("nginx (stream)", "Give clients more time.", "ssl_handshake_timeout 60s;", Side.SERVER),
    Fix("ingress-nginx", "The same (ConfigMap, in seconds).", 'client-header-timeout: "60"', Side.SERVER),
    Fix("HAProxy", "Give clients more time.", "timeout client 30s\ntimeout http-request 30s", Side.SERVER),
    Fix(
        "Envoy",
        "Bound the wait for the hello in the listener, and for the handshake in the filter chain.",
        "listener_filters_timeout: 15s\nfilter_chains:\n  - transport_socket_connect_timeout: 15s",
        Side.SERVER,
    ),
    Fix("Apache", "Give clients more time (mod_reqtimeout).", "RequestReadTimeout handshake=30", Side.SERVER),
    Fix(
        "Caddy",
        "Give clients more time.",
        "{\n    servers {\n        timeouts {\n            read_header 30s\n        }\n    }\n}",
        Side.SERVER,
    ),
    Fix(
        "Traefik",
        "Give clients more time at the entry point.",
        "transport:\n  respondingTimeouts:\n    readTimeout: 60s",
        Side.SERVER,
    ),
    Fix("Go", "Give clients more time.", "http.Server{ReadHeaderTimeout: 30 * time.Second}", Side.SERVER),
    Fix("Node", "Give clients more time.", "https.createServer({ handshakeTimeout: 120000, ... })", Side.SERVER),
    Fix(
        ".NET",
        "Give clients more time (Kestrel).",
        "httpsOptions.HandshakeTimeout = TimeSpan.FromSeconds(30);",
        Side.SERVER,
    ),
)

# The client is to send a hello that fits into one segment: without a hybrid key share.
SMALLER_HELLO: tuple[Fix, ...] = (
    Fix("nginx", "Send a smaller hello.", "proxy_ssl_conf_command Groups X25519:P-256;", Side.CLIENT),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_conf_command Groups X25519:P-256;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_ssl_conf_command Groups X25519:P-256;", Side.CLIENT),
    Fix("HAProxy", "Send a smaller hello (3.0 and later).", "ssl-default-server-curves X25519:P-256", Side.CLIENT),
    Fix("Envoy", "Send a smaller hello.", "tls_params:\n  ecdh_curves: [X25519, P-256]", Side.CLIENT),
    Fix("Caddy", "Send a smaller hello.", "transport http {\n    tls_curves x25519 secp256r1\n}", Side.CLIENT),
    Fix("Traefik", "Send a smaller hello, by its environment.", "GODEBUG=tlsmlkem=0", Side.CLIENT),
    Fix("curl", "Send a smaller hello.", "curl --curves X25519 https://{host}/", Side.CLIENT),
    Fix("OpenSSL", "Send a smaller hello.", "openssl s_client -groups X25519 -connect ADDRESS:443", Side.CLIENT),
    Fix(
        "GnuTLS",
        "Send a smaller hello.",
        "gnutls-cli --priority NORMAL:-GROUP-ALL:+GROUP-X25519 {host}",
        Side.CLIENT,
    ),
    Fix("Go", "Send a smaller hello.", "GODEBUG=tlsmlkem=0", Side.CLIENT),
    Fix("Java", "Send a smaller hello.", "-Djdk.tls.namedGroups=x25519,secp256r1", Side.CLIENT),
    Fix("Chrome", "Send a smaller hello (policy).", "PostQuantumKeyAgreementEnabled=false", Side.CLIENT),
    Fix("Node", "Send a smaller hello.", "tls.connect({ ecdhCurve: 'X25519:P-256', ... })", Side.CLIENT),
    Fix("Python", "Send a smaller hello.", 'context.set_ecdh_curve("prime256v1")', Side.CLIENT),
    Fix(".NET", "Send a smaller hello: on Linux by openssl.cnf.", "Groups = X25519:P-256", Side.CLIENT),
)

# What stands between is to pass TLS on as it is.
PASS_ON: tuple[Fix, ...] = (
    Fix(
        "nginx (stream)",
        "Let a proxy in between pass TLS on.",
        "listen 443;\nproxy_pass {host}:443;",
    ),
    Fix(
        "ingress-nginx",
        "Let the controller pass TLS on (it needs --enable-ssl-passthrough).",
        'nginx.ingress.kubernetes.io/ssl-passthrough: "true"',
    ),
    Fix("HAProxy", "Let a proxy in between pass TLS on.", "mode tcp"),
    Fix("Envoy", "Let a proxy in between pass TLS on.", "name: envoy.filters.network.tcp_proxy"),
    Fix("Istio", "Let the Gateway pass TLS on.", "tls:\n  mode: PASSTHROUGH"),
    Fix("Traefik", "Let a TCP router pass TLS on.", "rule: HostSNI(`{host}`)\ntls:\n  passthrough: true"),
)

# The client is to speak TLS at all.
SPEAK_TLS: tuple[Fix, ...] = (
    Fix("nginx", "Speak TLS to the upstream.", "proxy_pass https://{host};", Side.CLIENT),
    Fix("nginx (grpc)", "Speak TLS to the upstream.", "grpc_pass grpcs://{host}:443;", Side.CLIENT),
    Fix("nginx (uwsgi)", "Speak TLS to the upstream.", "uwsgi_pass suwsgi://{host}:443;", Side.CLIENT),
    Fix("nginx (stream)", "Speak TLS to the upstream.", "proxy_ssl on;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Annotate the Ingress.",
        'nginx.ingress.kubernetes.io/backend-protocol: "HTTPS"',
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Speak TLS to the server.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Give the cluster a transport_socket for TLS.",
        "transport_socket:\n  name: envoy.transport_sockets.tls\n  typed_config:\n    '@type': "
        "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\n    sni: {host}",
        Side.CLIENT,
    ),
    Fix("Istio", "Originate TLS in a DestinationRule.", "trafficPolicy:\n  tls:\n    mode: SIMPLE", Side.CLIENT),
    Fix("Apache", "Speak TLS to the worker.", 'SSLProxyEngine on\nProxyPass "/" "https://{host}/"', Side.CLIENT),
    Fix("Caddy", "Speak TLS to the upstream.", "reverse_proxy https://{host}", Side.CLIENT),
    Fix(
        "Traefik",
        "Speak TLS to the service.",
        "loadBalancer:\n  servers:\n    - url: https://{host}",
        Side.CLIENT,
    ),
    Fix("curl", "Use https.", "curl https://{host}/", Side.CLIENT),
    Fix("Go", "Use https.", 'http.Get("https://{host}/")', Side.CLIENT),
    Fix("Java", "Use https.", 'URI.create("https://{host}/")', Side.CLIENT),
    Fix("Node", "Use https.", "https.get('https://{host}/')", Side.CLIENT),
    Fix("Python", "Use https.", 'urllib.request.urlopen("https://{host}/")', Side.CLIENT),
    Fix(".NET", "Use https.", 'await client.GetAsync("https://{host}/");', Side.CLIENT),
)

# The client is to speak as the port does: in the clear.
SPEAK_PLAIN: tuple[Fix, ...] = (
    Fix("nginx", "Or speak plain HTTP to the upstream.", "proxy_pass http://{host};", Side.CLIENT),
    Fix("nginx (grpc)", "Or speak plain gRPC to the upstream.", "grpc_pass grpc://{host}:80;", Side.CLIENT),
    Fix("nginx (stream)", "Or pass the octets on as they are.", "proxy_ssl off;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Or speak plain HTTP to the backend.",
        'nginx.ingress.kubernetes.io/backend-protocol: "HTTP"',
        Side.CLIENT,
    ),
    Fix("HAProxy", "Or leave ssl out of the server line.", "server app ADDRESS:80", Side.CLIENT),
    Fix("Envoy", "Or leave the transport_socket out of the cluster.", "transport_socket: null", Side.CLIENT),
    Fix(
        "Istio",
        "Do not originate TLS to a port that already is TLS, or that is plain.",
        "trafficPolicy:\n  tls:\n    mode: DISABLE",
        Side.CLIENT,
    ),
    Fix("Apache", "Or speak plain HTTP to the worker.", 'ProxyPass "/" "http://{host}/"', Side.CLIENT),
    Fix("Caddy", "Or speak plain HTTP to the upstream.", "reverse_proxy http://{host}", Side.CLIENT),
    Fix(
        "Traefik",
        "Or speak plain HTTP to the service.",
        "loadBalancer:\n  servers:\n    - url: http://{host}",
        Side.CLIENT,
    ),
)
