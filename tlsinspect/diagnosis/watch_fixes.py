"""How each product is made to say more: its own log, and the keys of its connections."""

from __future__ import annotations

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.model.frame import Side

# Either side is to say why it ended the handshake.
LOG_MORE: tuple[Fix, ...] = (
    Fix("nginx", "Log what is said about clients, too.", "error_log /var/log/nginx/error.log info;"),
    Fix("nginx (stream)", "The same in a stream server.", "error_log /var/log/nginx/stream.log info;"),
    Fix("ingress-nginx", "Log more (ConfigMap).", "error-log-level: info"),
    Fix(
        "HAProxy",
        "Log the reason of the frontend's handshake.",
        "error-log-format '%ci:%cp %f %[fc_err_str] %[ssl_fc_err_str] sni=%[ssl_fc_sni]'",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "Log the reason of the handshake with the server.",
        "log-format '%ci:%cp %s %ST %[bc_err_str] %[ssl_bc_err_str]'",
        Side.CLIENT,
    ),
    Fix(
        "Envoy",
        "Put the reason into the access log.",
        "%DOWNSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_TRANSPORT_FAILURE_REASON% %REQUESTED_SERVER_NAME%",
    ),
    Fix("Envoy", "Or log more for a while.", "curl -X POST 'localhost:9901/logging?connection=debug'"),
    Fix("Istio", "Log more in the proxy.", "istioctl proxy-config log POD --level connection:debug"),
    Fix("Apache", "Log more.", "LogLevel ssl:debug proxy:debug"),
    Fix("Caddy", "Log handshakes, which it does at this level only.", "{\n    debug\n}"),
    Fix("Traefik", "Log handshakes, which it does at this level only.", "log:\n  level: DEBUG"),
    Fix("curl", "Say what happens.", "curl -v https://{host}/", Side.CLIENT),
    Fix("OpenSSL", "Show every message.", "openssl s_client -msg -state -connect ADDRESS:443", Side.CLIENT),
    Fix("GnuTLS", "Show every message.", "gnutls-cli --debug 5 {host}", Side.CLIENT),
    Fix("Go", "Log what clients did.", 'http.Server{ErrorLog: log.New(os.Stderr, "", log.LstdFlags)}', Side.SERVER),
    Fix("Java", "Log every message.", "-Djavax.net.debug=ssl:handshake"),
    Fix(
        "Node",
        "Log what clients did.",
        "server.on('tlsClientError', (error, socket) => console.error(error))",
        Side.SERVER,
    ),
    Fix("Node", "Show every message.", "node --trace-tls app.js"),
    Fix(
        "Python",
        "Log the reason.",
        'logging.exception("TLS")',
    ),
    Fix(
        ".NET",
        "Log what clients did (appsettings.json).",
        '"Logging": {"LogLevel": {"Microsoft.AspNetCore.Server.Kestrel": "Debug"}}',
        Side.SERVER,
    ),
)

# Either side is to write the keys of its connections to a file.
LOG_KEYS: tuple[Fix, ...] = (
    Fix("curl", "Log the keys.", "SSLKEYLOGFILE=keys.log curl https://{host}/", Side.CLIENT),
    Fix("OpenSSL", "Log the keys.", "openssl s_client -keylogfile keys.log -connect ADDRESS:443", Side.CLIENT),
    Fix("GnuTLS", "Log the keys, as client or as server.", "SSLKEYLOGFILE=keys.log gnutls-cli {host}"),
    Fix("Chrome and Firefox", "Log the keys.", "SSLKEYLOGFILE=keys.log", Side.CLIENT),
    Fix("Node", "Log the keys.", "node --tls-keylog=keys.log app.js"),
    Fix("Go", "Log the keys.", "tls.Config{KeyLogWriter: file}"),
    Fix("Java", "Log the keys with an agent.", "java -javaagent:extract-tls-secrets.jar=keys.log -jar app.jar"),
    Fix("Python", "Log the keys.", 'context.keylog_filename = "keys.log"'),
    Fix("Apache", "Log the keys: set it in the environment of the server.", "SSLKEYLOGFILE=keys.log", Side.SERVER),
    Fix(
        "HAProxy",
        "Keep the keys and write them to the log, one line for each label.",
        "tune.ssl.keylog on",
        Side.SERVER,
    ),
    Fix(
        "HAProxy",
        "The format of one such line, in the frontend.",
        'log-format "CLIENT_HANDSHAKE_TRAFFIC_SECRET %[ssl_fc_client_random,hex] '
        '%[ssl_fc_client_handshake_traffic_secret]"',
        Side.SERVER,
    ),
    Fix(
        ".NET",
        "Log the keys (.NET 9 and later; not on Windows): allow it, and set SSLKEYLOGFILE.",
        'AppContext.SetSwitch("System.Net.EnableSslKeyLogging", true);',
    ),
    Fix("Envoy", "Log the keys, in the common_tls_context.", "key_log:\n  path: /tmp/keys.log"),
    Fix(
        "Caddy",
        "Log the keys of a site.",
        "tls {\n    insecure_secrets_log /tmp/keys.log\n}",
        Side.SERVER,
    ),
    Fix(
        "nginx",
        "As a proxy: log the keys (NGINX Plus, 1.27.2 and later).",
        "proxy_ssl_key_log keys.log;",
        Side.CLIENT,
    ),
    Fix(
        "nginx",
        "Or preload a library that sets a key log callback in OpenSSL.",
        "LD_PRELOAD=./keylog.so SSLKEYLOGFILE=keys.log nginx",
    ),
    Fix(
        "nginx",
        "Or have OpenSSL log them, where it is 3.5 or later and built with enable-sslkeylog, as that of RHEL 10.",
        "SSLKEYLOGFILE=keys.log nginx",
    ),
    Fix(
        "mitmproxy",
        "Or put a debugging proxy in between: it shows the client's certificate, and logs the keys of both sides.",
        "SSLKEYLOGFILE=keys.log mitmdump --mode reverse:https://ADDRESS:443 --set client_certs=CERT-AND-KEY.pem",
        Side.CLIENT,
    ),
)

# Without keys: a handshake whose certificates can be read.
TRY_TLS12: tuple[Fix, ...] = (
    Fix("nginx", "Or try TLS 1.2 once, as a proxy.", "proxy_ssl_protocols TLSv1.2;", Side.CLIENT),
    Fix("nginx (grpc)", "The same for grpc_pass.", "grpc_ssl_protocols TLSv1.2;", Side.CLIENT),
    Fix("nginx (stream)", "The same in a stream server.", "proxy_ssl_protocols TLSv1.2;", Side.CLIENT),
    Fix(
        "ingress-nginx",
        "Or try TLS 1.2 once, towards the backend.",
        'nginx.ingress.kubernetes.io/proxy-ssl-protocols: "TLSv1.2"',
        Side.CLIENT,
    ),
    Fix(
        "HAProxy",
        "Or try TLS 1.2 once.",
        "server app ADDRESS:443 ssl verify required ca-file CA.pem ssl-max-ver TLSv1.2",
        Side.CLIENT,
    ),
    Fix("Istio", "Or try TLS 1.2 once, in the Gateway.", "tls:\n  maxProtocolVersion: TLSV1_2", Side.SERVER),
    Fix("Apache", "Or try TLS 1.2 once, as a proxy.", "SSLProxyProtocol -all +TLSv1.2", Side.CLIENT),
    Fix("Traefik", "Or try TLS 1.2 once, in the TLS options.", "maxVersion: VersionTLS12", Side.SERVER),
    Fix("curl", "Or try TLS 1.2 once.", "curl --tls-max 1.2 https://{host}/", Side.CLIENT),
    Fix("OpenSSL", "Or try TLS 1.2 once.", "openssl s_client -tls1_2 -connect ADDRESS:443", Side.CLIENT),
    Fix(".NET", "Or try TLS 1.2 once.", "EnabledSslProtocols = SslProtocols.Tls12", Side.CLIENT),
)
