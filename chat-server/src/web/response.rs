//! The bytes of responses.

/// The status of a response without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Misdirected,
    UpgradeRequired,
    TooLarge,
    TooManyRequests,
    ServiceUnavailable,
    Full,
    TlsRequired,
    Version,
}

impl Status {
    /// Whether the peer sent something other than a request.
    pub(super) const fn is_peers_fault(self) -> bool {
        matches!(self, Self::BadRequest | Self::TooLarge | Self::Version)
    }

    /// The status line, a text for people, and further header lines.
    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::BadRequest => ("400 Bad Request", "This is not a valid request.", ""),
            Self::Forbidden => {
                ("403 Forbidden", "A page from another site may not use this chat.", "")
            }
            Self::NotFound => ("404 Not Found", "There is no such page.", ""),
            Self::MethodNotAllowed => {
                ("405 Method Not Allowed", "Only GET and HEAD are allowed.", "Allow: GET, HEAD\r\n")
            }
            Self::RequestTimeout => ("408 Request Timeout", "The request took too long.", ""),
            Self::Misdirected => (
                "421 Misdirected Request",
                "This server does not know that name as its own. Its operator can add it with --web-host.",
                "",
            ),
            Self::UpgradeRequired => (
                "426 Upgrade Required",
                "Only a WebSocket, version 13, is served here.",
                "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            ),
            Self::TooLarge => {
                ("431 Request Header Fields Too Large", "The request has too long a head.", "")
            }
            Self::TooManyRequests => (
                "429 Too Many Requests",
                "Your address has as many connections as it may have. Try again later.",
                "Retry-After: 10\r\n",
            ),
            Self::Full => (
                "503 Service Unavailable",
                "The server has as many connections as it may have. Try again later.",
                "Retry-After: 10\r\n",
            ),
            Self::TlsRequired => (
                "426 Upgrade Required",
                "This server takes encrypted connections only: begin with https:// or wss://.",
                "Connection: upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n",
            ),
            Self::ServiceUnavailable => ("503 Service Unavailable", "The server stops.", ""),
            Self::Version => ("505 HTTP Version Not Supported", "Only HTTP/1 works here.", ""),
        }
    }

    /// The response with this status. One to `HEAD` ends before the text (RFC 9110, 9.3.2).
    pub(crate) fn response(self, is_head: bool) -> Vec<u8> {
        let (status, text, fields) = self.parts();
        let len = text.len() + 1;
        let body = if is_head { String::new() } else { format!("{text}\n") };
        format!(
            "HTTP/1.1 {status}\r\n{fields}{GUARDS}Content-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {len}\r\nConnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Header lines of every response: only this server's own files may be run, loaded or requested, and no page may frame
/// them.
pub(super) const GUARDS: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Referrer-Policy: no-referrer\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\n";

/// The response that turns a connection into a WebSocket.
pub(super) fn upgrade(accept: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

/// The response that redirects a browser; temporarily, since the certificate may be removed again.
pub(super) fn redirect(location: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\n{GUARDS}Cache-Control: no-store\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}
