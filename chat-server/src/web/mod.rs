//! What browsers are served: the page and its files, and the upgrade to a WebSocket.
//!
//! [`Site::answer`] turns the head of a request into the bytes of a response. Nothing here knows about sockets,
//! connections or the chat: the engine collects the head, and sends the response. Only peers that speak HTTP get here.
//!
//! Every response except the upgrade ends the connection. A browser opens several connections for a page, and keeps
//! one as a WebSocket.

mod asset;
mod authority;
mod request;
mod response;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha1_smol::Sha1;

use self::asset::Assets;
use self::authority::Guard;
use self::request::{Request, Wanted};
pub(crate) use self::response::Status;
use crate::connection::is_head;
use crate::stats::CloseReason;

/// How browsers are served.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WebConfig {
    /// The names by which browsers may call the server, such as `chat.example.org`, without a port. Addresses and
    /// `localhost` are always allowed. Any other name is refused: otherwise a foreign page whose name resolves to this
    /// server could talk to it on behalf of whoever opens that page. Default: none.
    pub hosts: Vec<String>,
}

impl WebConfig {
    /// The default configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds names by which browsers may call the server.
    #[must_use]
    pub fn with_hosts<T: Into<String>>(mut self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.hosts.extend(hosts.into_iter().map(Into::into));
        self
    }
}

/// What browsers are served.
#[derive(Debug)]
pub(crate) struct Site {
    guard: Guard,
    assets: &'static Assets,
}

/// A response, and what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    /// Why the connection ends after the response; `None` if it becomes a WebSocket.
    pub(crate) end: Option<CloseReason>,
}

impl Answer {
    fn last(bytes: Vec<u8>, reason: CloseReason) -> Self {
        Self { bytes, end: Some(reason) }
    }

    /// Refuses the request with this head. `reason`: why the connection ends, if not because the request was none.
    fn refusal(head: &[u8], status: Status, reason: CloseReason) -> Self {
        let is_bad = status.is_peers_fault();
        let response = status.response(is_head(head));
        Self::last(response, if is_bad { CloseReason::BadInput } else { reason })
    }
}

impl Site {
    /// The first site in the process prepares the files, so that no request waits for that.
    pub(crate) fn new(config: WebConfig) -> Self {
        Self { guard: Guard::new(config.hosts), assets: Assets::prepared() }
    }

    /// Answers the request with this head. `is_followed` says that something came right after it.
    pub(crate) fn answer(&self, head: &[u8], is_followed: bool) -> Answer {
        let answer = self.try_answer(head, is_followed);
        answer.unwrap_or_else(|status| Answer::refusal(head, status, CloseReason::Http))
    }

    /// Answers a plain-text request where only TLS is allowed: redirects a browser to the same page over HTTPS.
    pub(crate) fn redirect(&self, head: &[u8]) -> Answer {
        match self.location(head) {
            Ok(location) => Answer::last(response::redirect(&location), CloseReason::TlsRequired),
            Err(status) => Answer::refusal(head, status, CloseReason::TlsRequired),
        }
    }

    /// The HTTPS URL of what is requested in plain text.
    fn location(&self, head: &[u8]) -> Result<String, Status> {
        let request = Request::parse(head)?;
        let host = self.guard.check(&request)?;
        match (request.wanted()?, host) {
            (Wanted::File { .. }, Some(host)) => Ok(format!("https://{host}{}", request.local()?)),
            // Few WebSocket clients would follow a redirect, and HTTP/1.0 clients give no name.
            _ => Err(Status::TlsRequired),
        }
    }

    fn try_answer(&self, head: &[u8], is_followed: bool) -> Result<Answer, Status> {
        let request = Request::parse(head)?;
        self.guard.check(&request)?;
        match request.wanted()? {
            Wanted::File { path, is_head } => {
                let asset = self.assets.find(path).ok_or(Status::NotFound)?;
                Ok(Answer::last(asset.response(&request, is_head), CloseReason::Http))
            }
            // A client that sends before the response could be tricked into sending what a proxy takes for another
            // request.
            Wanted::WebSocket { .. } if is_followed => Err(Status::BadRequest),
            Wanted::WebSocket { key } => {
                Ok(Answer { bytes: response::upgrade(&accept(key)), end: None })
            }
        }
    }
}

/// The proof that a server speaks WebSocket (RFC 6455, 4.2.2).
fn accept(key: &str) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(key.as_bytes());
    sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64_STANDARD.encode(sha1.digest().bytes())
}

#[cfg(test)]
mod tests;
