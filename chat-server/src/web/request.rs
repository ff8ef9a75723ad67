//! The parts of a request's head that matter here.

use super::response::Status;

/// The most header fields of a request.
const MAX_FIELDS: usize = 64;

/// The path of the WebSocket.
const SOCKET: &str = "/ws";

/// A request with a valid head.
#[derive(Debug)]
pub(super) struct Request<'a> {
    method: &'a str,
    /// The authority of the target, if the target is absolute.
    authority: Option<&'a str>,
    /// The path and the query of the target.
    local: &'a str,
    /// Whether the version is HTTP/1.1, rather than 1.0.
    is_1_1: bool,
    fields: Vec<(&'a str, &'a str)>,
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    File { path: &'a str, is_head: bool },
    WebSocket { key: &'a str },
}

impl<'a> Request<'a> {
    pub(super) fn parse(head: &'a [u8]) -> Result<Self, Status> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Err(Status::TooLarge);
            }
            Err(httparse::Error::Version) => return Err(Status::Version),
            Err(_) => return Err(Status::BadRequest),
        }
        let (Some(method), Some(target)) = (request.method, request.path) else {
            return Err(Status::BadRequest);
        };
        let text = |field: &httparse::Header<'a>| {
            Some((field.name, str::from_utf8(field.value).ok()?.trim()))
        };
        let fields = request.headers.iter().map(text).collect::<Option<_>>();
        let fields = fields.ok_or(Status::BadRequest)?;
        let (authority, local) = split_target(method, target).ok_or(Status::BadRequest)?;
        Ok(Self { method, authority, local, is_1_1: request.version == Some(1), fields })
    }

    /// The values of the fields with this name.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, value)| *value)
    }

    /// The value of the field with this name, if there is exactly one.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether a list in the fields with this name contains `token`, ignoring case.
    pub(super) fn lists(&self, name: &str, token: &str) -> bool {
        let mut items = self.values(name).flat_map(|value| value.split(','));
        items.any(|item| item.trim().eq_ignore_ascii_case(token))
    }

    /// The authority of the target, if the target is absolute.
    pub(super) fn authority(&self) -> Option<&'a str> {
        self.authority
    }

    /// The path and the query of the target, if they are printable ASCII, as in every URL.
    pub(super) fn local(&self) -> Result<&'a str, Status> {
        let is_clean = self.local.bytes().all(|byte| byte.is_ascii_graphic());
        is_clean.then_some(self.local).ok_or(Status::BadRequest)
    }

    pub(super) fn is_1_1(&self) -> bool {
        self.is_1_1
    }

    /// Returns what the request asks for, or why that is refused.
    pub(super) fn wanted(&self) -> Result<Wanted<'a>, Status> {
        let is_head = self.method == "HEAD";
        if self.method != "GET" && !is_head {
            return Err(Status::MethodNotAllowed);
        }
        // A body would be taken for whatever comes next.
        let has_body = self.values("transfer-encoding").next().is_some()
            || self.values("content-length").any(|length| length != "0");
        if has_body {
            return Err(Status::BadRequest);
        }
        let path = self.local.split('?').next().unwrap_or_default();
        if path != SOCKET {
            return Ok(Wanted::File { path, is_head });
        }
        self.websocket_key().map(|key| Wanted::WebSocket { key })
    }

    /// The key of a valid request for a WebSocket (RFC 6455, 4.2.1).
    fn websocket_key(&self) -> Result<&'a str, Status> {
        let wants_upgrade =
            self.lists("upgrade", "websocket") && self.lists("connection", "upgrade");
        if !wants_upgrade || self.method != "GET" || !self.is_1_1 {
            return Err(Status::UpgradeRequired);
        }
        if self.value("sec-websocket-version") != Some("13") {
            return Err(Status::UpgradeRequired);
        }
        let key = self.value("sec-websocket-key").ok_or(Status::BadRequest)?;
        // 16 bytes in base64.
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
        let digits = key.strip_suffix("==").ok_or(Status::BadRequest)?;
        if digits.len() == 22 && digits.bytes().all(is_base64) {
            Ok(key)
        } else {
            Err(Status::BadRequest)
        }
    }
}

/// Splits a target into the authority, if it has one, and the path with the query.
fn split_target<'a>(method: &str, target: &'a str) -> Option<(Option<&'a str>, &'a str)> {
    let (authority, rest) = match target.split_once("://") {
        Some(("http" | "https", rest)) => {
            let (authority, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), if rest.is_empty() { "/" } else { rest })
        }
        _ => (None, target),
    };
    let local = rest.split('#').next().unwrap_or_default();
    // `*` means the whole server, which only OPTIONS may ask about (RFC 9112, 3.2.4). What CONNECT asks for is neither
    // that nor a path.
    (local.starts_with('/') || (method, target) == ("OPTIONS", "*")).then_some((authority, local))
}
