//! The PROXY header: the client's address does not depend on the pieces in which the header arrives.

use std::net::{IpAddr, SocketAddr};

use chat_server::bench_support::ProxyStart;

use crate::chunks::Chunks;

/// The longest line of version 1, and the length of the fixed part of version 2.
const LONGEST_LINE: usize = 107;
const FIXED: usize = 16;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The input is the lengths of the pieces, then the stream.
///
/// - A stream in pieces begins with the same header as the whole, or with none.
/// - The parser accepts exactly the headers that a plain reference, which sees the whole, accepts; both give the same
///   client and the same end of the header.
/// - Bytes after a header change nothing. A header without its last byte is incomplete.
///
/// # Panics
/// If a property is violated.
pub fn proxy(mut data: &[u8]) {
    let chunks = Chunks::take_from(&mut data);
    let stream = data;
    let whole = ProxyStart::read([stream]);
    assert_eq!(whole, ProxyStart::read(chunks.cut(stream)), "cut at {chunks:?}");
    assert_eq!(whole, ProxyStart::read(stream.chunks(1)), "byte by byte");

    let reference = text(stream).or_else(|| binary(stream));
    match whole {
        ProxyStart::Header(len, client) => {
            assert_eq!(Some((len, client)), reference);
            assert_eq!(whole, ProxyStart::read([&stream[..len]]), "without what follows");
            assert_eq!(ProxyStart::Incomplete, ProxyStart::read([&stream[..len - 1]]), "cut short");
        }
        ProxyStart::Incomplete | ProxyStart::Invalid => assert_eq!(None, reference),
    }
    if whole == ProxyStart::Invalid {
        assert_eq!(whole, ProxyStart::read([stream, b"\r\n"]), "invalid stays invalid");
    }
}

type Header = (usize, Option<(SocketAddr, SocketAddr)>);

/// A header of version 1.
fn text(stream: &[u8]) -> Option<Header> {
    let control = stream.iter().position(|byte| matches!(byte, b'\r' | b'\n'))?;
    let (line, rest) = stream.split_at(control);
    let len = control + 2;
    if !rest.starts_with(b"\r\n") || len > LONGEST_LINE {
        return None;
    }
    let words: Vec<_> = line.split(|&byte| byte == b' ').map(str::from_utf8).collect();
    match words[..] {
        [Ok("PROXY"), Ok("UNKNOWN"), ..] => Some((len, None)),
        [Ok("PROXY"), Ok(family), Ok(from), Ok(to), Ok(from_port), Ok(to_port)] => {
            let [from, to] = [address(family, from, from_port)?, address(family, to, to_port)?];
            Some((len, Some((from, to))))
        }
        _ => None,
    }
}

fn address(family: &str, ip: &str, port: &str) -> Option<SocketAddr> {
    let ip: IpAddr = ip.parse().ok()?;
    let number: u16 = port.parse().ok()?;
    // In canonical form: without a sign or leading zeros.
    let is_plain = number.to_string() == port;
    let fits = family == if ip.is_ipv4() { "TCP4" } else { "TCP6" };
    (is_plain && fits).then_some(SocketAddr::new(ip, number))
}

/// A header of version 2.
fn binary(stream: &[u8]) -> Option<Header> {
    let (fixed, rest) = stream.split_at_checked(FIXED)?;
    let len = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let rest = rest.get(..len)?;
    let client = match (fixed.starts_with(SIGNATURE), fixed[12], fixed[13]) {
        (true, 0x20, _) | (true, 0x21, 0x00 | 0x31) => None,
        (true, 0x21, 0x11) => Some(addresses::<4>(rest)?),
        (true, 0x21, 0x21) => Some(addresses::<16>(rest)?),
        _ => return None,
    };
    Some((FIXED + len, client))
}

fn addresses<const N: usize>(bytes: &[u8]) -> Option<(SocketAddr, SocketAddr)>
where
    IpAddr: From<[u8; N]>,
{
    let (from, rest) = bytes.split_first_chunk::<N>()?;
    let (to, rest) = rest.split_first_chunk::<N>()?;
    let [a, b, c, d] = *rest.first_chunk()?;
    let address = |ip: &[u8; N], port| SocketAddr::new(IpAddr::from(*ip), u16::from_be_bytes(port));
    Some((address(from, [a, b]), address(to, [c, d])))
}
