//! A client's side of a WebSocket, as cheap as possible: the request, its response, and the bytes of messages.
//!
//! It checks only what it must: the servers' conformance is tested elsewhere.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::framing::{BadStream, Header};

/// The mask of all output. Servers do the same work for any mask, so one is enough.
pub(super) const MASK: [u8; 4] = *b"mask";

/// The longest response to the request.
const MAX_HEAD: usize = 8 * 1024;

/// The state of a WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    opening: Option<Opening>,
    unwrapper: Option<Unwrapper>,
}

/// A request whose response is incomplete.
#[derive(Debug)]
struct Opening {
    head: Vec<u8>,
    /// Sent once the server has agreed.
    greeting: Vec<u8>,
}

impl WebSocket {
    /// Returns a WebSocket that waits for the response to [`request`], and then sends `greeting`. The messages of a
    /// byte stream are unwrapped.
    pub fn new(greeting: Vec<u8>, is_byte_stream: bool) -> Self {
        Self {
            opening: Some(Opening { head: Vec::new(), greeting }),
            unwrapper: is_byte_stream.then(Unwrapper::default),
        }
    }

    /// Handles received bytes, and leaves those for the protocol at the start of `bytes`. Returns their length.
    /// Appends bytes to be sent to `out`.
    ///
    /// # Errors
    /// If the server refuses, or sends something other than frames.
    pub fn receive(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) -> io::Result<usize> {
        let mut len = bytes.len();
        if let Some(opening) = &mut self.opening {
            let Some(used) = opening.receive(bytes)? else { return Ok(0) };
            bytes.copy_within(used.., 0);
            len -= used;
            out.append(&mut opening.greeting);
            self.opening = None;
        }
        match &mut self.unwrapper {
            Some(unwrapper) => unwrapper
                .unwrap(&mut bytes[..len])
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error)),
            None => Ok(len),
        }
    }
}

impl Opening {
    /// Handles the next bytes of the response. Once it is complete, returns how many of them belong to it.
    fn receive(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        const END: &[u8] = b"\r\n\r\n";
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let from = before.saturating_sub(END.len() - 1);
        let end = self.head[from..].windows(END.len()).position(|four| four == END);
        let refused = |head: &[u8]| {
            let head = String::from_utf8_lossy(&head[..head.len().min(300)]).into_owned();
            Err(io::Error::new(ErrorKind::ConnectionRefused, format!("no WebSocket: {head}")))
        };
        match end {
            Some(_) if !self.head.starts_with(b"HTTP/1.1 101 ") => refused(&self.head),
            Some(end) => Ok(Some(from + end + END.len() - before)),
            None if self.head.len() > MAX_HEAD => refused(&self.head),
            None => Ok(None),
        }
    }
}

/// The request for a WebSocket at `path` of `server`.
pub fn request(path: &str, server: SocketAddr) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    .into_bytes()
}

/// Masks or unmasks `bytes`, beginning with the first byte of `mask`.
#[inline]
pub(super) fn apply_mask(mask: [u8; 4], bytes: &mut [u8]) {
    for four in bytes.chunks_mut(mask.len()) {
        for (byte, mask) in four.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

/// Takes the payloads of messages out of their frames, wherever those are cut.
#[derive(Debug, Default)]
struct Unwrapper {
    /// The beginning of a header.
    header: Vec<u8>,
    /// Bytes of the current frame that have not arrived.
    missing: usize,
    /// Whether they belong to a close, a ping or a pong.
    is_control: bool,
}

impl Unwrapper {
    /// Moves the payloads in `bytes` to the front. Returns their length.
    fn unwrap(&mut self, bytes: &mut [u8]) -> Result<usize, BadStream> {
        let (mut from, mut to) = (0, 0);
        while from < bytes.len() {
            if self.missing == 0 {
                self.header.push(bytes[from]);
                from += 1;
                if let Some(header) = Header::parse(&self.header)? {
                    self.header.clear();
                    (self.missing, self.is_control) = (header.payload, header.is_control);
                }
                continue;
            }
            let end = from + self.missing.min(bytes.len() - from);
            if !self.is_control {
                bytes.copy_within(from..end, to);
                to += end - from;
            }
            self.missing -= end - from;
            from = end;
        }
        Ok(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::websocket::{Opcode, write_unmasked};

    /// What a WebSocket returns for a stream that arrives in chunks of this size.
    fn receive(stream: &[u8], size: usize, is_byte_stream: bool) -> (Vec<u8>, Vec<u8>) {
        let mut websocket = WebSocket::new(b"hello".to_vec(), is_byte_stream);
        let (mut received, mut out) = (Vec::new(), Vec::new());
        for chunk in stream.chunks(size) {
            let mut chunk = chunk.to_vec();
            let len = websocket.receive(&mut chunk, &mut out).expect("a good stream");
            received.extend_from_slice(&chunk[..len]);
        }
        (received, out)
    }

    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

    #[test]
    fn messages_of_a_byte_stream_are_joined_wherever_they_are_cut() {
        let mut stream = HEAD.to_vec();
        let payloads = [b"MSG a".to_vec(), vec![b'x'; 200], Vec::new(), vec![b'y'; 70_000]];
        for payload in &payloads {
            write_unmasked(&mut stream, Opcode::Binary, payload);
            write_unmasked(&mut stream, Opcode::Ping, b"there?");
        }
        for size in [1, 2, 3, 7, 64, 1_000, stream.len()] {
            let (received, out) = receive(&stream, size, true);
            assert!(received == payloads.concat(), "chunks of {size}");
            assert_eq!(out, b"hello", "once, and only after the answer");
        }
    }

    #[test]
    fn other_messages_stay_as_they_are() {
        let mut stream = HEAD.to_vec();
        write_unmasked(&mut stream, Opcode::Text, b"{}");
        for size in [1, stream.len()] {
            assert_eq!(receive(&stream, size, false).0, b"\x81\x02{}");
        }
    }

    #[test]
    fn a_refusal_is_an_error_that_quotes_it() {
        let mut refusal = b"HTTP/1.1 403 Forbidden\r\n\r\n".to_vec();
        let error = WebSocket::new(Vec::new(), false).receive(&mut refusal, &mut Vec::new());
        assert!(error.expect_err("it is none").to_string().contains("403"));
    }

    #[test]
    fn a_mask_applied_twice_is_none() {
        let mut bytes = *b"any seven";
        apply_mask(MASK, &mut bytes);
        assert_ne!(&bytes, b"any seven");
        apply_mask(MASK, &mut bytes);
        assert_eq!(&bytes, b"any seven");
    }
}
