//! The receiving side of a session: decrypts whole records, and answers handshakes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};

use rustls::unbuffered::{ConnectionState, UnbufferedStatus};

use super::super::super::socket::Socket;
use super::sending::encode;
use super::{End, OVERHEAD, TlsSession};

/// The length of the input buffer: the longest record, and whatever follows it in a segment. A handshake message must
/// fit as well.
const INPUT: usize = 32 * 1024;

/// Bytes read at a time, so that records of a few bytes are not decrypted for long.
const CHUNK: usize = 16 * 1024;

/// The most bytes received for one read of the connection.
const MOST: usize = 64 * 1024;

/// The cost of a record beyond its bytes, in bytes.
const RECORD: usize = 512;

/// The work of a handshake, which takes a signature and a key agreement: some 110 µs with an ECDSA certificate, 700
/// with an RSA certificate. It counts as all that a turn reads, so that a turn has one handshake. The work of a record
/// is 1.
const HANDSHAKE: u32 = 640;

thread_local! {
    /// The buffer that all sessions of this thread read into and decrypt in.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The destination of decrypted bytes. What does not fit the reader's buffer becomes surplus.
struct Plaintext<'a> {
    buf: &'a mut [u8],
    filled: usize,
    surplus: &'a mut VecDeque<u8>,
    records: usize,
}

impl Plaintext<'_> {
    fn push(&mut self, bytes: &[u8]) {
        let fits = bytes.len().min(self.room());
        self.buf[self.filled..][..fits].copy_from_slice(&bytes[..fits]);
        self.filled += fits;
        self.surplus.extend(&bytes[fits..]);
        self.records += 1;
    }

    fn room(&self) -> usize {
        self.buf.len() - self.filled
    }
}

impl TlsSession {
    /// See [`Socket::read`]. Also sends the server's part of a handshake.
    pub(crate) fn read(
        &mut self,
        transport: &mut impl Socket,
        buf: &mut [u8],
    ) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() && !self.surplus.is_empty() {
            filled += self.surplus.read(&mut buf[filled..])?;
        }
        if filled < buf.len() && self.end.is_none() {
            filled += self.receive(transport, &mut buf[filled..]);
        }
        match self.end {
            _ if filled > 0 => Ok(filled),
            None => Err(ErrorKind::WouldBlock.into()),
            Some(End::Closed) => Ok(0),
            Some(End::Failed(kind)) => Err(kind.into()),
        }
    }

    /// Reads from the transport until the buffer is full, there is no more, or the stream ends. Returns how many
    /// decrypted bytes are in `buf`.
    fn receive(&mut self, transport: &mut impl Socket, buf: &mut [u8]) -> usize {
        let mut surplus = VecDeque::new();
        let mut plaintext = Plaintext { buf, filled: 0, surplus: &mut surplus, records: 0 };
        BUFFER.with_borrow_mut(|input| {
            input.resize(INPUT, 0);
            self.receive_into(transport, input, &mut plaintext);
        });
        let filled = plaintext.filled;
        self.surplus = surplus;
        filled
    }

    fn receive_into(
        &mut self,
        transport: &mut impl Socket,
        input: &mut [u8],
        plaintext: &mut Plaintext<'_>,
    ) {
        let mut len = self.kept.len();
        input[..len].copy_from_slice(&self.kept);
        self.kept = Vec::new();
        let (mut received, mut is_drained) = (0, false);
        self.is_ready = false;
        loop {
            if len > 0 {
                let taken = self.process(&mut input[..len], plaintext);
                input.copy_within(taken..len, 0);
                len -= taken;
            }
            self.answer(transport);
            // A short read that yielded nothing may have stopped at the end of the stream.
            if self.end.is_some() || plaintext.room() == 0 || (is_drained && plaintext.filled > 0) {
                break;
            }
            if self.is_open && received + plaintext.records * RECORD >= MOST {
                self.is_ready = true;
                break;
            }
            let room = (input.len() - len).min(plaintext.room() + OVERHEAD).min(CHUNK);
            if room == 0 {
                // Any valid record or message is complete before it fills the buffer.
                self.end = Some(End::Failed(ErrorKind::InvalidData));
                break;
            }
            match transport.read(&mut input[len..][..room]) {
                Ok(0) => self.end = Some(End::Closed),
                Ok(n) => {
                    len += n;
                    received += n;
                    is_drained = n < room;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => self.end = Some(End::Failed(e.kind())),
            }
        }
        if self.end.is_none() {
            self.kept = input[..len].to_vec();
        }
    }

    /// Processes the whole records in `input`. Returns how many bytes they take.
    fn process(&mut self, input: &mut [u8], plaintext: &mut Plaintext<'_>) -> usize {
        let (mut taken, before) = (0, self.sealed.len());
        loop {
            let status = self.tls.process_tls_records(&mut input[taken..]);
            let UnbufferedStatus { mut discard, state, .. } = status;
            let result = match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
                    match traffic.next_record() {
                        Some(Ok(record)) => {
                            discard += record.discard;
                            plaintext.push(record.payload);
                            self.work = self.work.wrapping_add(1);
                        }
                        Some(Err(error)) => break Err(error),
                        None => break Ok(true),
                    }
                },
                Ok(ConnectionState::EncodeTlsData(data)) => {
                    encode(data, &mut self.sealed);
                    Ok(true)
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    data.done();
                    Ok(true)
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.end = Some(End::Closed);
                    Ok(false)
                }
                // The session waits for more input, or for something to send.
                Ok(_) => Ok(false),
                Err(error) => Err(error),
            };
            taken += discard;
            match result {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => self.fail(&error),
            }
            if !self.is_open && self.sealed.len() > before {
                self.work = self.work.wrapping_add(HANDSHAKE);
            }
            return taken;
        }
    }

    /// Ends the stream with an error, and queues the alert for the peer.
    #[cold]
    fn fail(&mut self, error: &rustls::Error) {
        tracing::debug!(%error, "TLS failed");
        while self.tls.wants_write() {
            let UnbufferedStatus { state, .. } = self.tls.process_tls_records(&mut []);
            let Ok(ConnectionState::EncodeTlsData(data)) = state else { break };
            encode(data, &mut self.sealed);
        }
        self.is_silent = true;
        self.end = Some(End::Failed(ErrorKind::InvalidData));
    }

    /// Sends what no write sends: parts of the handshake, alerts, the end of the stream.
    fn answer(&mut self, transport: &mut impl Socket) {
        if self.is_withheld {
            // A writer is waiting for the kernel, and will send the rest itself.
            return;
        }
        let result = if self.is_closing { self.finish(transport) } else { self.flush(transport) };
        match result {
            Ok(()) => self.is_open = self.is_open || !self.tls.is_handshaking(),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => {
                self.end.get_or_insert(End::Failed(e.kind()));
            }
        }
    }
}
