//! The names by which this server may be called, so that no foreign page can talk to it from a browser.
//!
//! A browser sends the name that it was given (`Host`) and, for a WebSocket, the origin of the page that asks
//! (`Origin`). The page must come from this server; and the name must be known, or attackers could redirect their own
//! name here once their page is loaded (DNS rebinding).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::request::Request;
use super::response::Status;

#[derive(Debug)]
pub(super) struct Guard {
    /// Known names, in lower case.
    hosts: Vec<String>,
}

impl Guard {
    pub(super) fn new(hosts: Vec<String>) -> Self {
        let normal = |host: String| host.trim_end_matches('.').to_ascii_lowercase();
        Self { hosts: hosts.into_iter().map(normal).collect() }
    }

    /// Checks the name by which the server was called, and the page that calls it. Returns the name, if there is one.
    pub(super) fn check(&self, request: &Request<'_>) -> Result<Option<Authority>, Status> {
        let host = match (request.value("host"), request.authority()) {
            (Some(host), None) => host,
            // The target takes precedence over the field (RFC 9112, 3.2.2).
            (Some(_), Some(authority)) => authority,
            (None, _) if request.values("host").next().is_some() || request.is_1_1() => {
                return Err(Status::BadRequest);
            }
            (None, Some(authority)) => authority,
            // HTTP/1.0 sends no name, and no browser speaks it.
            (None, None) => return Ok(None),
        };
        let host = Authority::parse(host).ok_or(Status::BadRequest)?;
        if !self.knows(&host.name) {
            return Err(Status::Misdirected);
        }
        let mut origins = request.values("origin");
        match (origins.next(), origins.next()) {
            (None, _) => Ok(Some(host)),
            (Some(origin), None) if is_origin_of(origin, &host) => Ok(Some(host)),
            _ => Err(Status::Forbidden),
        }
    }

    fn knows(&self, name: &str) -> bool {
        let is_address = name.parse::<Ipv4Addr>().is_ok()
            || name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).is_some();
        is_address
            || name == "localhost"
            || name.ends_with(".localhost")
            || self.hosts.iter().any(|host| host == name)
    }
}

/// A name or address, and a port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authority {
    /// In lower case, without a final dot. An IPv6 address has its brackets.
    name: String,
    port: Option<u16>,
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        let end = match text.strip_prefix('[') {
            Some(rest) => {
                let address = rest.find(']')?;
                rest[..address].parse::<Ipv6Addr>().ok()?;
                1 + address + 1
            }
            None => text.find(':').unwrap_or(text.len()),
        };
        let (name, port) = text.split_at(end);
        let port = match port.strip_prefix(':') {
            Some("") => None,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse().ok()?)
            }
            None if port.is_empty() => None,
            _ => return None,
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        (!name.is_empty() && name.bytes().all(is_name)).then_some(Self { name, port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Whether a page of this origin came from the same name and port. A proxy that terminates TLS may have changed the
/// scheme.
fn is_origin_of(origin: &str, host: &Authority) -> bool {
    let of_scheme = |scheme: &str, default| {
        let authority = Authority::parse(origin.strip_prefix(scheme)?)?;
        let same_port = authority.port.unwrap_or(default) == host.port.unwrap_or(default);
        Some(authority.name == host.name && same_port)
    };
    of_scheme("http://", 80).or_else(|| of_scheme("https://", 443)).unwrap_or(false)
}
