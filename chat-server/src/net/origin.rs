//! The origin of a connection: the client's address, and whether that is this machine's.

use std::net::{IpAddr, SocketAddr};

use super::proxy_header::{ProxiedFor, ProxyHeader};

/// The origin of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address of the client, or of its proxy if that does not name the client.
    pub(crate) peer: SocketAddr,
    /// Whether the client is on this machine.
    pub(crate) is_here: bool,
}

/// Converts an IPv4-mapped IPv6 address to IPv4: the form in which it is shown, counted and compared.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
        IpAddr::V6(_) => address,
    }
}

impl Origin {
    /// The origin of a connection from `peer` to this machine's address `local`.
    pub(crate) fn direct(peer: SocketAddr, local: Option<SocketAddr>) -> Self {
        let peer = canonical(peer);
        let is_here =
            peer.ip().is_loopback() || local.is_some_and(|l| canonical(l).ip() == peer.ip());
        Self { peer, is_here }
    }

    /// The origin of a connection made by a proxy, which itself has the origin `proxy`.
    ///
    /// A client that the header does not name counts as elsewhere. A client on the proxy's own machine is here if the
    /// proxy is.
    pub(crate) fn proxied(header: ProxyHeader, proxy: Self, local: Option<SocketAddr>) -> Self {
        let Some(ProxiedFor { source, destination }) = header else {
            return Self { is_here: false, ..proxy };
        };
        let Self { peer, is_here: is_with_proxy } = Self::direct(source, Some(destination));
        let local = local.filter(|local| !canonical(*local).ip().is_loopback());
        let is_local = local.is_some_and(|local| canonical(local).ip() == peer.ip());
        Self { peer, is_here: is_with_proxy && proxy.is_here || is_local }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a10_a11_a_peer_is_here_if_its_address_is_that_of_this_machine() {
        for (peer, local, shown, is_here) in [
            ("127.0.0.1:5", "127.0.0.1:9", "127.0.0.1:5", true),
            ("127.8.9.1:5", "127.0.0.1:9", "127.8.9.1:5", true),
            ("[::1]:5", "[::1]:9", "[::1]:5", true),
            ("[::ffff:127.0.0.1]:5", "[::ffff:127.0.0.1]:9", "127.0.0.1:5", true),
            ("[::ffff:192.168.0.7]:5", "[::ffff:192.168.0.7]:9", "192.168.0.7:5", true),
            ("192.168.0.7:5", "192.168.0.7:9", "192.168.0.7:5", true),
            ("192.168.0.8:5", "192.168.0.7:9", "192.168.0.8:5", false),
            ("[fe80::1%2]:5", "[fe80::2%2]:9", "[fe80::1%2]:5", false),
        ] {
            let origin = Origin::direct(address(peer), Some(address(local)));
            assert_eq!((origin.peer.to_string(), origin.is_here), (shown.to_owned(), is_here));
        }
    }

    #[test]
    fn a11_a_client_of_a_proxy_on_this_machine_is_here_only_if_the_proxy_says_so() {
        let header = |source, destination| {
            Some(ProxiedFor { source: address(source), destination: address(destination) })
        };
        let (here, elsewhere) = ("127.0.0.1:5", "192.0.2.1:5");
        for (proxy, local, header, is_here) in [
            (here, "127.0.0.1:9", None, false),
            (here, "127.0.0.1:9", header("203.0.113.9:7", "192.168.0.7:80"), false),
            (here, "127.0.0.1:9", header("127.0.0.1:7", "127.0.0.1:80"), true),
            (here, "127.0.0.1:9", header("192.168.0.7:7", "192.168.0.7:80"), true),
            (elsewhere, "192.168.0.7:9", header("127.0.0.1:7", "127.0.0.1:80"), false),
            (elsewhere, "192.168.0.7:9", header("192.0.2.1:7", "192.0.2.1:80"), false),
            (elsewhere, "192.168.0.7:9", header("192.168.0.7:7", "192.0.2.1:80"), true),
            (elsewhere, "192.168.0.7:9", None, false),
        ] {
            let local = Some(address(local));
            let proxy = Origin::direct(address(proxy), local);
            let origin = Origin::proxied(header, proxy, local);
            assert_eq!(origin.is_here, is_here, "{proxy:?} {header:?}");
            assert_eq!(origin.peer, header.map_or(proxy.peer, |header| header.source));
        }
    }
}
