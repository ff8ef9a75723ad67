//! [`Connector`]: finds the server, connects to it and, with TLS, verifies that it is the right one.

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use chat_proto::{IncomingWelcome, Lang, Localize, localize};

use crate::io_error::IoErrorKind;
use crate::net::destination::{Destination, Host};
use crate::net::hello::{Hello, Reply};
use crate::net::stream::Stream;
use crate::net::tls::error::TlsError;
use crate::net::tls::handshake::shake_hands;
use crate::net::tls::settings::TlsSettings;
use crate::net::tls::trust::{Trust, TrustError};

/// How long to wait for an address that does not answer; the kernel would wait for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server may take to answer a hello. One that says nothing by then does not know hellos.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);

/// A new connection.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: Stream,
    /// What the server grants. Without it, everything is as if nobody had said hello.
    pub(crate) welcome: Option<Box<IncomingWelcome>>,
    /// Bytes to be read before those of the stream.
    pub(crate) unread: Vec<u8>,
}

/// The reason why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// No address was found for the host.
    Lookup { host: Host, why: IoErrorKind },
    /// No address of the server accepted the connection.
    Connect { server: Destination, why: IoErrorKind },
    /// The server accepted the connection, but the TLS handshake failed.
    Tls { server: Destination, why: TlsError },
}

impl ConnectError {
    /// Whether a person has to act: waiting for the server to return will not help.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(self, Self::Tls { why, .. } if why.is_lasting())
    }
}

impl Localize for ConnectError {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup { host, why } => {
                let why = why.localized(lang);
                localize!(f, lang,
                    en: "cannot find the address of {host}: {why}. Is it spelled right?",
                    ko: "{host}의 주소를 찾을 수 없어요: {why}. 이름을 맞게 썼나요?")
            }
            Self::Connect { server, why: why @ IoErrorKind::Refused } => {
                let why = why.localized(lang);
                localize!(f, lang,
                    en: "cannot reach {server}: {why}. Is the server running?",
                    ko: "{server}에 연결할 수 없어요: {why}. 서버가 켜져 있나요?")
            }
            Self::Connect { server, why } => {
                let why = why.localized(lang);
                localize!(f, lang,
                    en: "cannot reach {server}: {why}",
                    ko: "{server}에 연결할 수 없어요: {why}")
            }
            Self::Tls { server, why } => why.of_server(server).fmt_in(lang, f),
        }
    }
}

/// Makes connections to one server.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    server: Destination,
    tls: Option<TlsSettings>,
}

impl Connector {
    /// Creates a connector. Its connections are encrypted if `trust` is given.
    ///
    /// # Errors
    /// If the authorities to trust cannot be read.
    pub(crate) fn new(server: Destination, trust: Option<&Trust>) -> Result<Self, TrustError> {
        let tls = trust.map(|trust| TlsSettings::new(trust, &server.host)).transpose()?;
        Ok(Self { server, tls })
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    pub(crate) fn server(&self) -> &Destination {
        &self.server
    }

    /// Connects and says hello. To a server that does not know hellos, connects again without one.
    ///
    /// # Errors
    /// If the host has no address, none of its addresses accepts, or the TLS handshake fails; also if a server that
    /// knew a hello before leaves one unanswered.
    pub(crate) fn connect(&self, hello: &Hello) -> Result<Connected, ConnectError> {
        let failed = |why| ConnectError::Connect { server: self.server.clone(), why };
        let mut stream = self.open()?;
        let reply = stream.greet(hello, HELLO_TIMEOUT);
        match reply.map_err(|error| failed(IoErrorKind::from(&error)))? {
            Reply::Welcome { welcome, unread } => {
                Ok(Connected { stream, welcome: Some(welcome), unread })
            }
            Reply::Other(unread) => Ok(Connected { stream, welcome: None, unread }),
            // Without a hello, the session would be lost; a server that knows hellos may be about to return.
            Reply::Silence if hello.resumes() => Err(failed(IoErrorKind::TimedOut)),
            Reply::Silence | Reply::Refusal => {
                drop(stream);
                Ok(Connected { stream: self.open()?, welcome: None, unread: Vec::new() })
            }
        }
    }

    /// Connects to the first address that accepts. Looks up a host name each time.
    fn open(&self) -> Result<Stream, ConnectError> {
        let server = &self.server;
        let addresses = server
            .addresses()
            .map_err(|why| ConnectError::Lookup { host: server.host.clone(), why })?;
        let socket = connect_to_any(&addresses)
            .map_err(|why| ConnectError::Connect { server: server.clone(), why })?;
        // A line must not wait for the next one. Failure here only costs time.
        let _ = socket.set_nodelay(true);
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(socket)) };
        shake_hands(socket, tls, HANDSHAKE_TIMEOUT)
            .map(|stream| Stream::Tls(Box::new(stream)))
            .map_err(|why| ConnectError::Tls { server: server.clone(), why })
    }
}

/// Tries the addresses in order: a name may have an IPv6 address although the server has only IPv4.
fn connect_to_any(addresses: &[SocketAddr]) -> Result<TcpStream, IoErrorKind> {
    let mut why = IoErrorKind::Unreachable;
    for address in addresses {
        match TcpStream::connect_timeout(address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            // A refusal says more than other errors: the machine is there.
            Err(_) if why == IoErrorKind::Refused => {}
            Err(error) => why = IoErrorKind::from(&error),
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// The address of a listener, and that of a client connected to it: in use, but with nobody listening.
    fn listening_and_refusing() -> ((TcpListener, TcpStream), [SocketAddr; 2]) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listening = listener.local_addr().expect("it is bound");
        let taken = TcpStream::connect(listening).expect("it listens");
        let refusing = taken.local_addr().expect("it is connected");
        ((listener, taken), [listening, refusing])
    }

    #[test]
    fn the_first_address_that_accepts_is_used_and_else_a_refusal_reported() {
        let (_held, [listening, refusing]) = listening_and_refusing();
        for addresses in [&[refusing, listening][..], &[refusing, refusing, listening, refusing]] {
            let stream = connect_to_any(addresses).expect("one of them listens");
            assert_eq!(stream.peer_addr().ok(), Some(listening));
        }
        // A broadcast address accepts no connection, but a refusal says more.
        let wrong = SocketAddr::from(([127, 255, 255, 255], 9));
        for addresses in [[refusing, wrong], [wrong, refusing]] {
            assert_eq!(connect_to_any(&addresses).err(), Some(IoErrorKind::Refused));
        }
    }
}
