//! A server and a client, and the kernel between them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, version};

use super::super::Stream;
use crate::net::{Acceptor, Socket, StreamState, TlsConfig};

/// A kernel. It announces what it has only once, edge-triggered.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub(super) arrived: VecDeque<u8>,
    pub(super) peer_ended: bool,
    /// Bytes that it takes until it is full.
    pub(super) room: usize,
    pub(super) taken: Vec<u8>,
    pub(super) ended: bool,
    pub(super) reset: bool,
    /// Whether every third call is interrupted.
    pub(super) is_nervous: bool,
    pub(super) calls: usize,
}

impl Kernel {
    pub(super) fn interrupt(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.is_nervous && self.calls.is_multiple_of(3) {
            return Err(ErrorKind::Interrupted.into());
        }
        Ok(())
    }
}

impl Socket for Kernel {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!buf.is_empty(), "that would look like the end");
        self.interrupt()?;
        match self.arrived.read(buf)? {
            0 if !self.peer_ended => Err(ErrorKind::WouldBlock.into()),
            // The queue may be in two parts.
            n if n < buf.len() => Ok(n + self.arrived.read(&mut buf[n..])?),
            n => Ok(n),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!(!self.ended, "nothing follows the end");
        self.interrupt()?;
        let before = self.taken.len();
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
        self.taken.extend(bytes.take(self.room));
        match self.taken.len() - before {
            0 => Err(ErrorKind::WouldBlock.into()),
            taken => {
                self.room -= taken;
                Ok(taken)
            }
        }
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.ended = true;
        Ok(())
    }

    fn reset_on_close(&mut self) {
        self.reset = true;
    }
}

/// The owner of a stream: like the engine, it reads and writes only when an event says so.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) stream: Stream<Kernel>,
    pub(super) buffer: usize,
    pub(super) read: Vec<u8>,
    pub(super) pending: Vec<u8>,
    pub(super) is_blocked: bool,
    pub(super) end: Option<Result<(), ErrorKind>>,
}

impl Server {
    pub(super) fn new(acceptor: Option<&Arc<Acceptor>>, buffer: usize) -> Self {
        let kernel = Kernel { room: usize::MAX, ..Kernel::default() };
        let stream = Stream::new(kernel, acceptor);
        Self { stream, buffer, read: vec![], pending: vec![], is_blocked: false, end: None }
    }

    pub(super) fn kernel(&mut self) -> &mut Kernel {
        &mut self.stream.transport
    }

    pub(super) fn readable(&mut self) {
        let was_open = self.stream.state().is_open();
        let mut buf = vec![0; self.buffer];
        while self.end.is_none() {
            match self.stream.read(&mut buf) {
                Ok(0) => self.end = Some(Ok(())),
                Ok(n) => {
                    self.read.extend_from_slice(&buf[..n]);
                    // The end of the peer's stream counts as a mark.
                    let is_marked = self.stream.transport.peer_ended;
                    if n < buf.len() && !is_marked && self.stream.state() != StreamState::Ready {
                        break;
                    }
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    if self.stream.state() != StreamState::Ready {
                        break;
                    }
                }
                Err(e) => self.end = Some(Err(e.kind())),
            }
        }
        if !was_open && self.stream.state().is_open() {
            self.is_blocked = false;
            self.flush();
        }
    }

    pub(super) fn writable(&mut self) {
        self.is_blocked = false;
        self.flush();
        if self.stream.state().is_incomplete() {
            self.readable();
        }
    }

    pub(super) fn flush(&mut self) {
        while !self.pending.is_empty() && !self.is_blocked {
            let (first, rest) = self.pending.split_at(self.pending.len() / 3);
            let slices = [IoSlice::new(first), IoSlice::new(rest)];
            let slices = if first.is_empty() { &slices[1..] } else { &slices };
            match self.stream.write_vectored(slices) {
                Ok(n) => drop(self.pending.drain(..n)),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.is_blocked = true,
                Err(e) => panic!("the kernel takes it: {e}"),
            }
        }
    }

    /// Delivers bytes from the peer.
    pub(super) fn arrive(&mut self, bytes: &[u8]) {
        self.kernel().arrived.extend(bytes);
        self.readable();
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.flush();
    }
}

/// A certificate, and the configuration of clients that trust it.
pub(super) struct Trust {
    pub(super) tls: TlsConfig,
    pub(super) acceptor: Arc<Acceptor>,
    pub(super) strict: Arc<Acceptor>,
    pub(super) clients: [Arc<ClientConfig>; 2],
}

pub(super) fn trust() -> &'static Trust {
    static TRUST: OnceLock<Trust> = OnceLock::new();
    TRUST.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let tls = TlsConfig::from_pem(certificate.as_bytes(), key.as_bytes()).expect("a pair");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("a certificate");
        let client = |version| {
            let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
            let client = client.with_protocol_versions(&[version]).expect("both are supported");
            Arc::new(client.with_root_certificates(roots.clone()).with_no_client_auth())
        };
        Trust {
            acceptor: Arc::new(Acceptor::new(&tls)),
            strict: Arc::new(Acceptor::new(&tls.clone().with_plain_refused(true))),
            tls,
            clients: [client(&version::TLS12), client(&version::TLS13)],
        }
    })
}

/// A TLS client, on rustls's buffered interface.
pub(super) struct Client {
    pub(super) tls: ClientConnection,
    pub(super) read: Vec<u8>,
    pub(super) has_ended: bool,
}

impl Client {
    pub(super) fn new(version: usize) -> Self {
        let name = ServerName::try_from("localhost").expect("a name");
        let config = Arc::clone(&trust().clients[version]);
        let tls = ClientConnection::new(config, name).expect("the configuration is good");
        Self { tls, read: Vec::new(), has_ended: false }
    }

    pub(super) fn sent(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut sent).expect("memory takes it");
        }
        sent
    }

    pub(super) fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.has_ended {
            self.tls.read_tls(&mut bytes).expect("there is room");
            let io = self.tls.process_new_packets().expect("records of the server");
            let plain = io.plaintext_bytes_to_read();
            let before = self.read.len();
            self.read.resize(before + plain, 0);
            self.tls.reader().read_exact(&mut self.read[before..]).expect("it is there");
            self.has_ended = io.peer_has_closed();
        }
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        self.tls.writer().write_all(bytes).expect("it has room for so little");
    }
}

/// Lets a client and a server exchange everything they have.
pub(super) fn settle(client: &mut Client, server: &mut Server) {
    loop {
        let sent = client.sent();
        let taken = std::mem::take(&mut server.kernel().taken);
        if sent.is_empty() && taken.is_empty() {
            return;
        }
        client.receive(&taken);
        if !sent.is_empty() {
            server.arrive(&sent);
        }
    }
}

pub(super) fn shaken(version: usize) -> (Client, Server) {
    let (mut client, mut server) =
        (Client::new(version), Server::new(Some(&trust().acceptor), 65_536));
    settle(&mut client, &mut server);
    assert!(!client.tls.is_handshaking());
    assert_eq!(server.stream.state(), StreamState::Encrypted);
    (client, server)
}
