//! What the kernel knows about bytes on their way to a peer: sock_diag(7), "inet_diag". This is the only way to tell a
//! vanished peer from one that is there and does not read; TCP_USER_TIMEOUT would end both.
//!
//! Linux only. Elsewhere nothing is known, and a peer that vanishes with bytes on their way to it is closed when the
//! kernel gives up, after some 15 minutes.

use std::time::Duration;

/// The delivery of the bytes written to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Bytes that the peer's kernel has not confirmed.
    pub(crate) unconfirmed: u32,
    /// Whether some of these have been sent. Otherwise, the peer has no room for more.
    pub(crate) in_flight: bool,
    /// How often the kernel has sent something again without progress: bytes if some are in flight, otherwise window
    /// probes.
    pub(crate) repeats: u8,
    /// The time since the peer's kernel last confirmed or answered anything.
    pub(crate) silence: Duration,
}

#[cfg(target_os = "linux")]
pub(crate) use linux::SockDiag;

/// A stub that knows nothing.
#[cfg(not(target_os = "linux"))]
#[derive(Debug, Default)]
pub(crate) struct SockDiag;

#[cfg(not(target_os = "linux"))]
impl SockDiag {
    pub(crate) fn open() -> Self {
        Self
    }

    pub(super) fn ask(
        &mut self,
        _: std::net::SocketAddr,
        _: std::net::SocketAddr,
    ) -> Option<Delivery> {
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{Read, Write};
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;

    use socket2::{Domain, Protocol, Socket, Type};

    use super::super::origin::canonical;
    use super::Delivery;

    const AF_NETLINK: i32 = 16;
    const NETLINK_SOCK_DIAG: i32 = 4;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const IPPROTO_TCP: u8 = 6;
    const INET_DIAG_INFO: u16 = 2;
    const TCP_LISTEN: u8 = 10;

    /// The lengths of `nlmsghdr`, `inet_diag_req_v2` and `inet_diag_msg`.
    const HEADER: usize = 16;
    const REQUEST: usize = 56;
    const MESSAGE: usize = 72;

    /// The longest answer about one socket, with a margin.
    const ANSWER: usize = 1024;

    /// A socket for asking the kernel. Without one, nothing is known.
    #[derive(Debug, Default)]
    pub(crate) struct SockDiag {
        socket: Option<Socket>,
        /// The sequence number of the last question.
        last: u32,
    }

    impl SockDiag {
        /// Opens a socket, if the system supports this kind.
        pub(crate) fn open() -> Self {
            let protocol = Some(Protocol::from(NETLINK_SOCK_DIAG));
            let socket = Socket::new(Domain::from(AF_NETLINK), Type::DGRAM, protocol).ok();
            Self { socket: socket.filter(|socket| socket.set_nonblocking(true).is_ok()), last: 0 }
        }

        /// Asks about the connection with these addresses; `None` if the kernel does not say.
        pub(in super::super) fn ask(
            &mut self,
            local: SocketAddr,
            peer: SocketAddr,
        ) -> Option<Delivery> {
            let socket = self.socket.as_mut()?;
            self.last = self.last.wrapping_add(1);
            socket.write_all(&request(self.last, canonical(local), canonical(peer))).ok()?;
            let mut answer = [0; ANSWER];
            // The kernel answers within the call that asks, so the answer is there. An answer to an earlier question
            // may precede it.
            loop {
                let len = socket.read(&mut answer).ok()?;
                if u32_at(&answer, 8)? == self.last {
                    return parse(answer.get(..len)?);
                }
            }
        }
    }

    fn request(number: u32, local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
        let mut bytes = Vec::with_capacity(HEADER + REQUEST);
        bytes.extend(((HEADER + REQUEST) as u32).to_ne_bytes());
        bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes.extend(NLM_F_REQUEST.to_ne_bytes());
        bytes.extend(number.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend([family, IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0]);
        bytes.extend(u32::MAX.to_ne_bytes());
        bytes.extend(local.port().to_be_bytes());
        bytes.extend(peer.port().to_be_bytes());
        for address in [local, peer] {
            let mut ip = [0; 16];
            match address.ip() {
                IpAddr::V4(v4) => ip[..4].copy_from_slice(&v4.octets()),
                IpAddr::V6(v6) => ip = v6.octets(),
            }
            bytes.extend(ip);
        }
        let interface = match local {
            SocketAddr::V6(v6) => v6.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        bytes.extend(interface.to_ne_bytes());
        // No cookie: the addresses identify the socket.
        bytes.extend([0xff; 8]);
        bytes
    }

    fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
        Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
    }

    fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    }

    /// Parses an answer: an `inet_diag_msg` with a `tcp_info` among its attributes.
    fn parse(answer: &[u8]) -> Option<Delivery> {
        let message = answer.get(HEADER..HEADER + MESSAGE)?;
        if u16_at(answer, 4)? != SOCK_DIAG_BY_FAMILY || message[1] == TCP_LISTEN {
            return None;
        }
        let mut attributes = answer.get(HEADER + MESSAGE..)?;
        let info = loop {
            let (len, kind) = (usize::from(u16_at(attributes, 0)?), u16_at(attributes, 2)?);
            if kind == INET_DIAG_INFO {
                break attributes.get(4..len)?;
            }
            attributes = attributes.get(len.max(4).next_multiple_of(4)..)?;
        };
        let [retransmits, probes] = [*info.get(2)?, *info.get(3)?];
        let in_flight = u32_at(info, 24)? > 0;
        Some(Delivery {
            unconfirmed: u32_at(message, 60)?,
            in_flight,
            repeats: if in_flight { retransmits } else { probes },
            silence: Duration::from_millis(u32_at(info, 56)?.into()),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    /// A connection over this address, or the error of a system without such addresses.
    fn pair(address: &str) -> std::io::Result<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind(address)?;
        let near = TcpStream::connect(listener.local_addr()?)?;
        Ok((near, listener.accept()?.0))
    }

    fn ask(stream: &TcpStream) -> Option<Delivery> {
        SockDiag::open().ask(stream.local_addr().ok()?, stream.peer_addr().ok()?)
    }

    #[test]
    fn o15_the_kernel_tells_delivered_bytes_from_those_that_the_peer_has_no_room_for() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok((mut near, mut far)) = pair(address) else { continue };
            let Some(idle) = ask(&near) else {
                println!("skipped: this kernel does not say");
                return;
            };
            assert_eq!((idle.unconfirmed, idle.repeats), (0, 0));
            near.set_nonblocking(true).expect("a socket has this option");
            while near.write(&[0; 65_536]).is_ok() {}
            let full = ask(&near).expect("it said so before");
            assert!(full.unconfirmed > 0, "{full:?}");
            let mut rest = full.unconfirmed as usize + (16 << 20);
            let start = Instant::now();
            far.set_read_timeout(Some(Duration::from_millis(100))).expect("it is not zero");
            while rest > 0 && ask(&near).expect("it says").unconfirmed > 0 {
                rest -= far.read(&mut vec![0; rest.min(1 << 20)]).unwrap_or(0);
                assert!(start.elapsed() < DEADLINE);
            }
            let confirmed = ask(&near).expect("it says");
            assert_eq!((confirmed.unconfirmed, confirmed.in_flight), (0, false));
        }
    }
}
