//! The header in which a proxy names its client: version 1 (text) and 2 (binary) of the PROXY protocol
//! (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>).
//!
//! It may arrive in pieces of any size. A parser keeps at most 107 bytes, and skips what it does not use, such as the
//! extensions of version 2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The longest header of version 1, including its line end.
const V1_MAX: usize = 107;

/// The first bytes of each version.
const V1: &[u8] = b"PROXY ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The fixed part of a header of version 2: signature, version and command, family, length of the rest.
const V2_FIXED: usize = 16;

/// The address family, in version 2, of a client whose address is not given.
const UNSPECIFIED: u8 = 0x00;

/// The addresses in a header; `None` if it names no client (a health check of the proxy, or a client without an IP
/// address).
pub(crate) type ProxyHeader = Option<ProxiedFor>;

/// The client's connection to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProxiedFor {
    /// The client's address.
    pub(crate) source: SocketAddr,
    /// The address of the proxy that the client connected to.
    pub(crate) destination: SocketAddr,
}

/// The stream does not begin with a valid header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadHeader;

/// Parses a header that arrives in pieces.
#[derive(Debug, Clone)]
pub(crate) struct HeaderParser {
    bytes: [u8; V1_MAX],
    len: usize,
    /// The rest of a version 2 header that has yet to be skipped, and the result.
    skip: Option<(usize, ProxyHeader)>,
}

impl HeaderParser {
    pub(crate) fn new() -> Self {
        Self { bytes: [0; V1_MAX], len: 0, skip: None }
    }

    /// Whether nothing of a header has arrived.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Parses the next bytes of a stream. Returns how many of them belong to the header, and the header once it is
    /// complete.
    ///
    /// # Errors
    /// As soon as the bytes cannot be the beginning of a valid header.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(usize, Option<ProxyHeader>), BadHeader> {
        let mut taken = 0;
        loop {
            if let Some((left, header)) = &mut self.skip {
                let skipped = (*left).min(bytes.len() - taken);
                *left -= skipped;
                return Ok((taken + skipped, (*left == 0).then_some(*header)));
            }
            let Some(&byte) = bytes.get(taken) else { return Ok((taken, None)) };
            taken += 1;
            self.bytes[self.len] = byte;
            self.len += 1;
            if let Some(header) = self.parse_v1_or_begin_v2()? {
                return Ok((taken, Some(header)));
            }
        }
    }

    /// Parses what has arrived of the header, after each byte.
    fn parse_v1_or_begin_v2(&mut self) -> Result<Option<ProxyHeader>, BadHeader> {
        let bytes = &self.bytes[..self.len];
        let begins = |start: &[u8]| bytes.iter().zip(start).all(|(a, b)| a == b);
        if begins(V1) {
            return match bytes {
                [line @ .., b'\r', b'\n'] => parse_v1(line).map(Some),
                // The line end is the only control character.
                [.., b'\r', _] | [.., b'\n'] => Err(BadHeader),
                _ if bytes.len() == V1_MAX => Err(BadHeader),
                _ => Ok(None),
            };
        }
        if !begins(V2) {
            return Err(BadHeader);
        }
        let needed = match bytes[bytes.len().min(V2.len())..] {
            [] => return Ok(None),
            [command] => address_len(command, UNSPECIFIED)?,
            [command, family, ..] => address_len(command, family)?,
        };
        let Some((fixed, addresses)) = bytes.split_at_checked(V2_FIXED) else { return Ok(None) };
        let rest = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
        if rest < needed.unwrap_or(0) {
            return Err(BadHeader);
        }
        let header = match needed {
            Some(needed) if addresses.len() < needed => return Ok(None),
            needed => needed.map(|_| parse_v2_addresses(addresses)),
        };
        let left = rest - addresses.len();
        self.skip = Some((left, header));
        Ok((left == 0).then_some(header))
    }
}

/// Parses a line of version 1, without its end.
fn parse_v1(line: &[u8]) -> Result<ProxyHeader, BadHeader> {
    let rest = &line[V1.len()..];
    if rest == b"UNKNOWN" || rest.starts_with(b"UNKNOWN ") {
        // Anything after that is to be ignored.
        return Ok(None);
    }
    let text = str::from_utf8(rest).map_err(|_| BadHeader)?;
    let words: Vec<_> = text.split(' ').collect();
    let [family, source, destination, source_port, destination_port] = words[..] else {
        return Err(BadHeader);
    };
    let ip = |text: &str| match family {
        "TCP4" => text.parse().map(IpAddr::V4).map_err(|_| BadHeader),
        "TCP6" => text.parse().map(IpAddr::V6).map_err(|_| BadHeader),
        _ => Err(BadHeader),
    };
    Ok(Some(ProxiedFor {
        source: SocketAddr::new(ip(source)?, port(source_port)?),
        destination: SocketAddr::new(ip(destination)?, port(destination_port)?),
    }))
}

/// A port in decimal: digits without leading zeros.
fn port(text: &str) -> Result<u16, BadHeader> {
    let is_plain =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain).ok_or(BadHeader)
}

/// The length of the addresses in a version 2 header; `None` for addresses that are not used.
fn address_len(version_and_command: u8, family: u8) -> Result<Option<usize>, BadHeader> {
    match (version_and_command, family) {
        // The proxy connects on its own behalf; the family is to be ignored.
        (0x20, _) => Ok(None),
        // Unspecified, and Unix sockets.
        (0x21, UNSPECIFIED | 0x31) => Ok(None),
        (0x21, 0x11) => Ok(Some(2 * (4 + 2))),
        (0x21, 0x21) => Ok(Some(2 * (16 + 2))),
        // An unknown version, command or family, or datagrams.
        _ => Err(BadHeader),
    }
}

/// Parses the addresses of version 2: two of IPv4 or IPv6, then two ports.
fn parse_v2_addresses(bytes: &[u8]) -> ProxiedFor {
    let (ips, ports) = bytes.split_at(bytes.len() - 4);
    let (source, destination) = ips.split_at(ips.len() / 2);
    let ip = |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
        Ok(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
        Err(_) => {
            let v6 = <[u8; 16]>::try_from(bytes).expect("addresses have 4 or 16 bytes");
            IpAddr::V6(Ipv6Addr::from(v6))
        }
    };
    let port = |at: usize| u16::from_be_bytes([ports[at], ports[at + 1]]);
    ProxiedFor {
        source: SocketAddr::new(ip(source), port(0)),
        destination: SocketAddr::new(ip(destination), port(2)),
    }
}

#[cfg(test)]
mod tests;
