//! Where the server is: a host and a port. The addresses of a host that is a name are asked for
//! anew at each attempt to connect, since they may have changed.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::io_error::Fault;

/// A name server that answers nothing is given up after this time, not after the resolver's minute.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// A machine, by its address or by a name that the system may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    /// Not empty; no character of it is a space, a control character, `:` or `/`.
    Name(String),
}

impl Host {
    pub(crate) const LOOPBACK: Self = Self::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
}

/// A text that is neither an address nor can be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoHost;

impl FromStr for Host {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        // `host:port` and `http://host` are no names: nothing would be found by them.
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | '/');
        if text.is_empty() || text.contains(is_odd) {
            return Err(NoHost);
        }
        Ok(Self::Name(text.to_owned()))
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

/// See the head of this file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Destination {
    /// The addresses to try, at least one, in the order in which the system would.
    ///
    /// # Errors
    /// When the name has none, or that cannot be found out within [`LOOKUP_TIMEOUT`].
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, Fault> {
        let found = match &self.host {
            Host::Address(address) => vec![SocketAddr::new(*address, self.port)],
            Host::Name(name) => {
                let (name, port) = (name.clone(), self.port);
                ask(LOOKUP_TIMEOUT, move || Ok((name, port).to_socket_addrs()?.collect()))?
            }
        };
        if found.is_empty() { Err(Fault::NoSuchName) } else { Ok(found) }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(address) => SocketAddr::new(*address, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// The system's resolver takes no deadline: it has a thread, which is left behind if it is late.
fn ask(
    patience: Duration,
    resolver: impl FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
) -> Result<Vec<SocketAddr>, Fault> {
    let (sender, found) = channel();
    // Nobody waits for what comes too late.
    let body = move || drop(sender.send(resolver()));
    let spawned = thread::Builder::new().name("resolver".to_owned()).spawn(body);
    spawned.map_err(|error| Fault::from(&error))?;
    let found = found.recv_timeout(patience).map_err(|_| Fault::TimedOut)?;
    found.map_err(|error| Fault::of_lookup(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn destination(host: &str) -> Destination {
        Destination { host: host.parse().expect("a host"), port: 9000 }
    }

    #[test]
    fn an_address_is_no_name() {
        assert_eq!("::1".parse(), Ok(Host::Address("::1".parse().expect("an address"))));
        assert_eq!("127.0.0.1".parse(), Ok(Host::LOOPBACK));
        assert_eq!("localhost".parse(), Ok(Host::Name("localhost".to_owned())));
    }

    #[test]
    fn what_can_be_no_name_is_refused() {
        for text in ["", " ", "a b", "a\n", "\u{1b}[2J", "a\u{a0}", "a:9000", "[::1]", "http://a"] {
            assert_eq!(text.parse::<Host>(), Err(NoHost), "{text:?}");
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
    fn a_resolver_that_does_not_answer_is_given_up() {
        let (hold, held) = channel::<()>();
        let silent = move || {
            let _ = held.recv();
            Ok(Vec::new())
        };
        assert_eq!(ask(Duration::from_millis(1), silent), Err(Fault::TimedOut));
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
