//! The listening socket, and its retries when accepting fails.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::clock::Instant;
use super::origin::canonical;
use crate::limits::Limits;

/// The shortest and the longest wait after an error that only time can cure.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    state: State,
    backoff: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No connection is pending; an event will announce the next.
    Waiting,
    /// Connections may be pending; no event will announce them.
    Pending,
    /// Accepting failed for lack of a resource; no event will say when to try again.
    Paused { until: Instant },
}

impl Listener {
    /// The length of the kernel's queue of connections to accept; the system may cap it
    /// (`net.core.somaxconn`).
    pub(crate) const BACKLOG: usize = 4096;

    /// Listens on `address`. With `only_v6`, the IPv6 wildcard does not accept IPv4. Connections inherit the options
    /// set here, so that they cost no system calls.
    pub(crate) fn bind(address: SocketAddr, only_v6: bool, limits: &Limits) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // Otherwise a restart would have to wait until the last connections leave TIME_WAIT.
        socket.set_reuse_address(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_send_buffer_size(limits.kernel_send_buffer)?;
        socket.set_tcp_keepalive(&keep_alive(limits.peer_timeout))?;
        socket.set_nonblocking(true)?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            socket.set_only_v6(only_v6)?;
        }
        socket.bind(&address.into())?;
        socket.listen(Self::BACKLOG as i32)?;
        let socket = TcpListener::from_std(socket.into());
        Ok(Self { socket, state: State::Pending, backoff: BACKOFF.0 })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr().map(canonical)
    }

    pub(crate) fn socket_mut(&mut self) -> &mut TcpListener {
        &mut self.socket
    }

    /// Handles an event.
    pub(crate) fn ready(&mut self) {
        if self.state == State::Waiting {
            self.state = State::Pending;
        }
    }

    /// Tries again at once, since a descriptor has become free.
    pub(crate) fn resume(&mut self) {
        if let State::Paused { .. } = self.state {
            self.state = State::Pending;
        }
    }

    /// Whether to call [`Listener::accept`] without any event.
    pub(crate) fn is_pending(&self) -> bool {
        self.state == State::Pending
    }

    /// When to call [`Listener::accept`] without any event.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Paused { until } => Some(until),
            State::Waiting | State::Pending => None,
        }
    }

    /// Accepts at most `budget` connections. More may be pending afterwards.
    ///
    /// # Errors
    /// If the system has no descriptor or memory for a connection. The listener tries again by itself.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        budget: usize,
        mut accepted: impl FnMut(TcpStream, SocketAddr),
    ) -> io::Result<()> {
        match self.state {
            State::Waiting => return Ok(()),
            State::Paused { until } if now < until => return Ok(()),
            State::Paused { .. } | State::Pending => {}
        }
        self.state = State::Pending;
        for _ in 0..budget {
            match self.socket.accept() {
                Ok((stream, peer)) => {
                    self.backoff = BACKOFF.0;
                    accepted(stream, peer);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.state = State::Waiting;
                    return Ok(());
                }
                Err(e) if concerns_one_connection(&e) => {}
                Err(e) => {
                    self.state = State::Paused { until: now + self.backoff };
                    self.backoff = (2 * self.backoff).min(BACKOFF.1);
                    return Err(e);
                }
            }
        }
        Ok(())
    }
}

/// Returns the keep-alive settings by which the last probe of a silent peer fails when `timeout` expires, to the
/// second.
fn keep_alive(timeout: Duration) -> TcpKeepalive {
    /// The most seconds that Linux accepts.
    const MOST: u64 = 32_767;
    let seconds = timeout.as_secs().max(2);
    let probes = if seconds < 6 { 1 } else { 3 };
    let interval = (seconds / 6).clamp(1, MOST);
    let silent = (seconds - u64::from(probes) * interval).min(MOST);
    let keep_alive = TcpKeepalive::new().with_time(Duration::from_secs(silent));
    #[cfg(any(
        target_os = "linux",
        target_os = "android",
        target_os = "freebsd",
        target_os = "macos"
    ))]
    let keep_alive = keep_alive.with_interval(Duration::from_secs(interval)).with_retries(probes);
    keep_alive
}

/// Whether the error concerns only the connection that would have been accepted: see accept(2), "Error
/// handling".
fn concerns_one_connection(error: &io::Error) -> bool {
    const EPROTO: i32 = 71;
    matches!(
        error.kind(),
        ErrorKind::Interrupted
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::TimedOut
    ) || error.raw_os_error() == Some(EPROTO)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream as Client};
    use std::time;

    use socket2::SockRef;

    use super::*;

    #[test]
    fn o2_o3_an_error_concerns_one_connection_or_the_system() {
        // EINTR, EPROTO, ENETDOWN, ENETUNREACH, ECONNABORTED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH
        for errno in [4, 71, 100, 101, 103, 104, 110, 113] {
            assert!(concerns_one_connection(&io::Error::from_raw_os_error(errno)), "{errno}");
        }
        // EPERM, ENOMEM, ENFILE, EMFILE, ENOBUFS
        for errno in [1, 12, 23, 24, 105] {
            assert!(!concerns_one_connection(&io::Error::from_raw_os_error(errno)), "{errno}");
        }
    }

    #[test]
    fn o15_a_silent_peer_is_probed_for_the_whole_time_on_every_connection() {
        for seconds in [2, 3, 5, 6, 60, 61, 3_600] {
            let peer_timeout = Duration::from_secs(seconds);
            let limits = Limits { peer_timeout, ..Limits::default() };
            let address = (Ipv4Addr::LOCALHOST, 0).into();
            let mut listener = Listener::bind(address, false, &limits).expect("a free port");
            let _client = Client::connect(listener.address().expect("it is bound"));
            let mut times = None;
            let deadline = time::Instant::now() + Duration::from_secs(10);
            while times.is_none() {
                assert!(time::Instant::now() < deadline);
                listener.ready();
                let accepted = listener.accept(Instant::START, 1, |stream, _| {
                    let socket = SockRef::from(&stream);
                    let time = socket.tcp_keepalive_time().expect("it has this option");
                    let interval = socket.tcp_keepalive_interval().expect("it has this option");
                    let probes = socket.tcp_keepalive_retries().expect("it has this option");
                    assert!(socket.keepalive().expect("it has this option"));
                    times = Some(time + probes * interval);
                });
                accepted.expect("descriptors are to be had");
            }
            assert_eq!(times, Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn t4_no_more_are_accepted_at_a_time_than_asked_for() {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let mut listener = Listener::bind(address, false, &Limits::default()).expect("a free port");
        let address = listener.address().expect("it is bound");
        let _clients: Vec<_> =
            (0..5).map(|_| Client::connect(address).expect("it listens")).collect();
        let accept = |listener: &mut Listener, budget| {
            let mut accepted = 0;
            let result = listener.accept(Instant::START, budget, |_, _| accepted += 1);
            assert!(result.is_ok());
            accepted
        };
        assert_eq!(accept(&mut listener, 2), 2);
        assert!(listener.is_pending(), "no event will tell of the others");
        let mut accepted = 2;
        let deadline = time::Instant::now() + Duration::from_secs(10);
        while accepted < 5 {
            listener.ready();
            accepted += accept(&mut listener, 64);
            assert!(time::Instant::now() < deadline, "{accepted} of 5");
        }
        assert!(!listener.is_pending(), "an event will tell of the next one");
    }
}
