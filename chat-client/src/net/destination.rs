//! The location of the server: a host and a port. A host name is looked up for each attempt to connect, since its
//! addresses may have changed.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::io_error::IoErrorKind;

/// How long to wait for the name servers; the resolver would wait for a minute.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// A machine: its address, or a name for the system to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    /// A name that is not empty, and contains no spaces, control characters, `:` or `/`; or an IPv6 address with its
    /// interface, which the system looks up as well.
    Name(String),
}

impl Host {
    pub(crate) const LOOPBACK: Self = Self::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
}

/// A text that is neither an address nor a possible name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidHost;

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        // No host name contains these; `host:port` and `http://host` are likely mistakes.
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/');
        let is_name = |name: &str| !name.is_empty() && !name.contains(is_odd);
        let in_brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let (v6, interface) = match in_brackets.unwrap_or(text).split_once('%') {
            Some((v6, interface)) => (v6, Some(interface)),
            None => (in_brackets.unwrap_or(text), None),
        };
        match (v6.parse::<Ipv6Addr>(), interface) {
            (Ok(address), None) => Ok(Self::Address(IpAddr::V6(address).to_canonical())),
            (Ok(_), Some(interface)) if is_name(interface) => {
                Ok(Self::Name(format!("{v6}%{interface}")))
            }
            _ => match text.parse() {
                Ok(address) => Ok(Self::Address(address)),
                Err(_) if is_name(text) && in_brackets.is_none() => Ok(Self::Name(text.to_owned())),
                Err(_) => Err(InvalidHost),
            },
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Destination {
    /// The addresses to try, at least one, in the order of the system's preference.
    ///
    /// # Errors
    /// If the name has no address, or none is found within [`LOOKUP_TIMEOUT`].
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, IoErrorKind> {
        let found = match &self.host {
            Host::Address(address) => vec![SocketAddr::new(*address, self.port)],
            Host::Name(name) => {
                let (name, port) = (name.clone(), self.port);
                look_up(LOOKUP_TIMEOUT, move || Ok((name, port).to_socket_addrs()?.collect()))?
            }
        };
        if found.is_empty() { Err(IoErrorKind::UnknownHost) } else { Ok(found) }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(address) => SocketAddr::new(*address, self.port).fmt(f),
            Host::Name(v6) if v6.contains(':') => write!(f, "[{v6}]:{}", self.port),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// Runs the resolver, which takes no deadline, on a thread of its own. Abandons it if it is late.
fn look_up(
    timeout: Duration,
    resolver: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
) -> Result<Vec<SocketAddr>, IoErrorKind> {
    let (sender, found) = channel();
    // Nobody waits for a late answer.
    let body = move || drop(sender.send(resolver()));
    let spawned = thread::Builder::new().name("resolver".to_owned()).spawn(body);
    spawned.map_err(|error| IoErrorKind::from(&error))?;
    let found = found.recv_timeout(timeout).map_err(|_| IoErrorKind::TimedOut)?;
    found.map_err(|error| IoErrorKind::of_lookup(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn destination(host: &str) -> Destination {
        Destination { host: host.parse().expect("a host"), port: 9000 }
    }

    #[test]
    fn an_address_is_not_a_name() {
        assert_eq!("::1".parse(), Ok(Host::Address("::1".parse().expect("an address"))));
        assert_eq!("127.0.0.1".parse(), Ok(Host::LOOPBACK));
        assert_eq!("localhost".parse(), Ok(Host::Name("localhost".to_owned())));
    }

    #[test]
    fn a10_an_address_of_ipv6_may_have_brackets_and_an_interface() {
        for (host, shown) in [
            ("[::1]", "[::1]:9000"),
            ("::ffff:127.0.0.1", "127.0.0.1:9000"),
            ("[::ffff:127.0.0.1]", "127.0.0.1:9000"),
            ("fe80::1%lo", "[fe80::1%lo]:9000"),
            ("[fe80::1%2]", "[fe80::1%2]:9000"),
        ] {
            assert_eq!(destination(host).to_string(), shown);
        }
        let found = destination("fe80::1%1").addresses().expect("an address is no name");
        assert!(matches!(found[..], [SocketAddr::V6(v6)] if v6.scope_id() == 1), "{found:?}");
        for text in ["[127.0.0.1]", "fe80::1%", "[fe80::1%a b]", "127.0.0.1%lo/0", "[::1", "::1]"] {
            assert_eq!(text.parse::<Host>(), Err(InvalidHost), "{text:?}");
        }
    }

    #[test]
    fn an_impossible_name_is_refused() {
        for text in
            ["", " ", "a b", "a\n", "\u{1b}[2J", "a\u{a0}", "a:9000", "[::1]:9", "[a]", "http://a"]
        {
            assert_eq!(text.parse::<Host>(), Err(InvalidHost), "{text:?}");
        }
    }

    #[test]
    fn a_destination_is_shown_as_people_write_it() {
        for (host, shown) in
            [("::1", "[::1]:9000"), ("127.0.0.1", "127.0.0.1:9000"), ("chat.lan", "chat.lan:9000")]
        {
            assert_eq!(destination(host).to_string(), shown);
        }
    }

    #[test]
    fn an_address_is_not_looked_up_and_localhost_is_this_machine() {
        let address = "[::1]:9000".parse().expect("an address");
        assert_eq!(destination("::1").addresses(), Ok(vec![address]));
        let found = destination("localhost").addresses().expect("every system knows it");
        assert!(!found.is_empty());
        assert!(found.iter().all(|it| it.ip().is_loopback() && it.port() == 9000), "{found:?}");
    }

    #[test]
    fn a_resolver_that_does_not_answer_is_abandoned() {
        let (hold, held) = channel::<()>();
        let silent = move || {
            let _ = held.recv();
            Ok(Vec::new())
        };
        assert_eq!(look_up(Duration::from_millis(1), silent), Err(IoErrorKind::TimedOut));
        drop(hold);
    }

    proptest! {
        #[test]
        fn a_host_is_shown_as_it_was_given(text in "[a-z0-9.\\-_가-힣]{1,20}|\\PC{0,9}") {
            if let Ok(host @ Host::Name(_)) = text.parse::<Host>() {
                prop_assert_eq!(host.to_string(), text);
            }
        }
    }
}
