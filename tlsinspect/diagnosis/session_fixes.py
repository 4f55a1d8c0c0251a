"""Fixes around sessions and connections that are used again, for the causes that name them."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# The client is to keep sessions of different names and identities apart.
KEEP_APART: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Take up no sessions in every location that has a certificate or a name of its own; "
        "nginx keeps one session per upstream server, whatever certificate and name the location has.",
        "proxy_ssl_session_reuse off;",
        Side.CLIENT,
    ),
    Fix(
        "nginx",
        "Or give each identity its own upstream block. A shared keepalive would mix identities all the same.",
        "upstream app_alice { server ADDRESS:443; }\nupstream app_bob { server ADDRESS:443; }",
        Side.CLIENT,
    ),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_session_reuse off;", Side.CLIENT),
    Fix("nginx (uwsgi)", "The same for uwsgi_pass.", "uwsgi_ssl_session_reuse off;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_ssl_session_reuse off;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Its template switches session reuse on for all; switch it off where the Ingress has a client certificate "
        "(snippets must be allowed).",
        "nginx.ingress.kubernetes.io/configuration-snippet: |\n  proxy_ssl_session_reuse off;",
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Take up no sessions on that server line.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem no-ssl-reuse",
        Side.CLIENT,
    ),
    Fix("Envoy", "Keep no sessions in the UpstreamTlsContext.", "max_session_keys: 0", Side.CLIENT),
    Fix("curl", "Take up no sessions.", "curl --no-sessionid https://{host}/", Side.CLIENT),
    Fix(
        "OpenSSL",
        "Offer no ticket, and give no -sess_in.",
        "openssl s_client -no_ticket -connect ADDRESS:443",
        Side.CLIENT,
    ),
    Fix("GnuTLS", "Offer no ticket, and do not resume.", "gnutls-cli --noticket {host}", Side.CLIENT),
    Fix(
        "Go",
        "Give each identity its own tls.Config and cache; Go keys sessions by the server name alone.",
        "tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(32), "
        "Certificates: []tls.Certificate{certificate}}",
        Side.CLIENT,
    ),
    Fix(
        "Java",
        "Give each identity its own SSLContext: it holds the session cache.",
        'SSLContext context = SSLContext.getInstance("TLS");',
        Side.CLIENT,
    ),
    Fix(
        "Node",
        "Give each identity its own Agent, and cache no sessions.",
        "new https.Agent({ maxCachedSessions: 0 })",
        Side.CLIENT,
    ),
    Fix(
        "Python",
        "Give each identity its own SSLContext, and pass no session.",
        "context.wrap_socket(sock, server_hostname=host, session=None)",
        Side.CLIENT,
    ),
    Fix(
        ".NET",
        "Take up no sessions (.NET 8 and later).",
        "new SslClientAuthenticationOptions { AllowTlsResume = false }",
        Side.CLIENT,
    ),
)

# The server is to have clients prove themselves each time.
ISSUE_NO_SESSIONS: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Issue none on the server where clients are to prove themselves each time; from 1.29.2 on nginx decides on a "
        "session after it knows the name.",
        "ssl_session_cache off;\nssl_session_tickets off;",
        Side.SERVER,
    ),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "ssl_session_cache off;\nssl_session_tickets off;",
        Side.SERVER,
    ),
    Fix(
        "ingress-nginx",
        "Issue none; it holds for all hosts of the controller (ConfigMap).",
        'ssl-session-cache: "false"\nssl-session-tickets: "false"',
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Issue none.",
        "tune.ssl.cachesize 0\nssl-default-bind-options no-tls-tickets",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Issue none from the DownstreamTlsContext.",
        "disable_stateless_session_resumption: true\ndisable_stateful_session_resumption: true",
        Side.SERVER,
    ),
    Fix("Apache", "Issue none.", "SSLSessionCache none\nSSLSessionTickets off", Side.SERVER),
    Fix("Caddy", "Issue none (JSON, in apps.tls).", '"session_tickets": {"disabled": true}', Side.SERVER),
    Fix("Traefik", "Issue none, in the TLS options of newer versions.", "disableSessionTickets: true", Side.SERVER),
    Fix(
        "OpenSSL",
        "Issue none.",
        "openssl s_server -no_ticket -no_cache -num_tickets 0 -cert SERVER.pem -key SERVER.key",
        Side.SERVER,
    ),
    Fix(
        "GnuTLS",
        "Issue none.",
        "gnutls-serv --noticket --nodb --x509certfile SERVER.pem --x509keyfile SERVER.key",
        Side.SERVER,
    ),
    Fix("Go", "Issue no tickets on the server.", "tls.Config{SessionTicketsDisabled: true}", Side.SERVER),
    Fix(
        "Java",
        "Issue no tickets, and keep no sessions.",
        "-Djdk.tls.server.enableSessionTicketExtension=false -Djavax.net.ssl.sessionCacheSize=1",
        Side.SERVER,
    ),
    Fix(
        "Node",
        "Issue no tickets, and let no session be resumed.",
        "https.createServer({ secureOptions: crypto.constants.SSL_OP_NO_TICKET, sessionTimeout: 1, ... })",
        Side.SERVER,
    ),
    Fix(
        "Python",
        "Issue no tickets.",
        "context.num_tickets = 0\ncontext.options |= ssl.OP_NO_TICKET",
        Side.SERVER,
    ),
    Fix(
        ".NET",
        "Issue none (.NET 8 and later).",
        "new SslServerAuthenticationOptions { AllowTlsResume = false }",
        Side.SERVER,
    ),
)
SEPARATE_SESSIONS = (*KEEP_APART, *ISSUE_NO_SESSIONS)

# The server, or all servers of a name, are to know the sessions that they issued.
SHARE_SESSIONS: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Share the ticket keys among the servers and keep them over restarts.",
        "ssl_session_ticket_key /etc/nginx/ticket.key;\nssl_session_cache shared:SSL:10m;",
        Side.SERVER,
    ),
    Fix(
        "nginx (stream)",
        "The same in a stream server.",
        "ssl_session_ticket_key /etc/nginx/ticket.key;\nssl_session_cache shared:STREAM:10m;",
        Side.SERVER,
    ),
    Fix(
        "ingress-nginx",
        "Give the ConfigMap one key for all replicas (80 octets in base64).",
        'ssl-session-tickets: "true"\nssl-session-ticket-key: "BASE64"',
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Share the ticket keys.",
        "bind :443 ssl crt SERVER.pem tls-ticket-keys /etc/haproxy/ticket.keys",
        Side.SERVER,
    ),
    Fix(
        "Envoy",
        "Share the ticket keys.",
        "session_ticket_keys:\n  keys:\n    - {filename: /etc/envoy/ticket.key}",
        Side.SERVER,
    ),
    Fix(
        "Apache",
        "Share the ticket keys.",
        "SSLSessionTicketKeyFile /etc/apache2/ticket.key\nSSLSessionCache shmcb:/run/apache2/ssl_scache(512000)",
        Side.SERVER,
    ),
    Fix(
        "Caddy",
        "Share the ticket keys by a common storage (JSON, in apps.tls).",
        '"session_tickets": {"key_source": {"provider": "distributed"}}',
        Side.SERVER,
    ),
    Fix(
        "OpenSSL",
        "Set a session ID context on the server.",
        "SSL_CTX_set_session_id_context(ctx, id, 8);",
        Side.SERVER,
    ),
    Fix("Go", "Share the ticket keys.", "config.SetSessionTicketKeys(keys)", Side.SERVER),
    Fix(
        "Java",
        "Let the server issue tickets.",
        "-Djdk.tls.server.enableSessionTicketExtension=true",
        Side.SERVER,
    ),
    Fix("Node", "Share the ticket keys (48 octets).", "https.createServer({ ticketKeys: KEYS, ... })", Side.SERVER),
)

# The client is to take a connection of its own for each identity and host.
SEPARATE_CONNECTIONS: tuple[Fix, ...] = (
    Fix(
        "nginx",
        "Give each identity an upstream block of its own, or keep connections per location (1.29.7 and later).",
        "upstream alice {\n    server ADDRESS:443;\n    keepalive 8 local;\n}",
        Side.CLIENT,
    ),
    Fix("nginx", "Or close the connection after each request.", "proxy_set_header Connection close;", Side.CLIENT),
    Fix(
        "nginx (grpc)",
        "The same for grpc_pass: an upstream block without keepalive for each identity.",
        "upstream alice { server ADDRESS:443; }",
        Side.CLIENT,
    ),
    Fix(
        "ingress-nginx",
        "Keep no connections to the upstreams; it holds for all hosts of the controller (ConfigMap).",
        'upstream-keepalive-connections: "0"',
        Side.CLIENT,
    ),
    Fix("HAProxy", "Do not share connections.", "http-reuse never", Side.CLIENT),
    Fix(
        "Envoy",
        "Give each identity a cluster of its own, or let a connection carry one request.",
        "common_http_protocol_options:\n  max_requests_per_connection: 1",
        Side.CLIENT,
    ),
    Fix(
        "Istio",
        "Let a connection carry one request, in the DestinationRule.",
        "trafficPolicy:\n  connectionPool:\n    http:\n      maxRequestsPerConnection: 1",
        Side.CLIENT,
    ),
    Fix(
        "Apache",
        "Do not keep connections of the worker.",
        'ProxyPass "/" "https://{host}/" disablereuse=On',
        Side.CLIENT,
    ),
    Fix("Caddy", "Keep no connections.", "transport http {\n    keepalive off\n}", Side.CLIENT),
    Fix("Traefik", "Keep no connections of the serversTransport.", "maxIdleConnsPerHost: -1", Side.CLIENT),
    Fix("Go", "Use one Transport for each identity.", "http.Client{Transport: &http.Transport{}}", Side.CLIENT),
    Fix(
        "Java",
        "Use one HttpClient for each identity.",
        "HttpClient.newBuilder().sslContext(context).build();",
        Side.CLIENT,
    ),
    Fix("Node", "Use one Agent for each identity.", "new https.Agent({ keepAlive: false })", Side.CLIENT),
    Fix("Python", "Use one session for each identity.", "session = requests.Session()", Side.CLIENT),
    Fix(
        ".NET",
        "Use one handler for each identity.",
        "new HttpClient(new SocketsHttpHandler { SslOptions = options })",
        Side.CLIENT,
    ),
)
