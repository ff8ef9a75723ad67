//! A WebSocket that sends exactly the bytes that the test gives it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use chat_proto::Incoming;
use chat_proto::websocket::{Decoder, Event, Opcode, Peer, write_masked};
use socket2::SockRef;

use crate::support::{Client, DEADLINE};

/// The mask of all frames.
pub(crate) const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A connection to a server, and the input that no test has consumed.
#[derive(Debug)]
pub(crate) struct Web {
    stream: TcpStream,
    decoder: Decoder,
    received: VecDeque<Received>,
}

/// A message from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    Text(String),
    Pong,
    Close(Option<u16>),
    /// The end of the stream.
    End,
}

impl Web {
    /// Opens a connection as the server's own page would.
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect_timeout(&address, DEADLINE).expect("the server listens"))
    }

    /// Like [`Web::open`], with a receive buffer of a few kilobytes. The buffer must be small from the start: with a
    /// window that shrinks later, Linux also ignores the acknowledgements of this side's bytes.
    pub(crate) fn open_with_little_room(address: SocketAddr) -> Self {
        let socket = Client::prepare(address);
        socket.set_recv_buffer_size(4096).expect("Linux takes any size");
        socket.connect_timeout(&address.into(), DEADLINE).expect("the server listens");
        Self::over(socket.into())
    }

    fn over(mut stream: TcpStream) -> Self {
        let address = stream.peer_addr().expect("it is connected");
        stream.set_nodelay(true).expect("a TCP stream has this option");
        stream.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
        stream.set_write_timeout(Some(DEADLINE)).expect("it is not zero");
        write!(
            stream,
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .expect("the server reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("the server answers");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("it is ASCII");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // RFC 6455 gives this answer to this key.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        let decoder = Decoder::new(Peer::Server, usize::MAX);
        Self { stream, decoder, received: VecDeque::new() }
    }

    /// A second handle on the connection, for sending.
    pub(crate) fn twin(&self) -> TcpStream {
        self.stream.try_clone().expect("a descriptor")
    }

    /// Makes the receive buffer large.
    pub(crate) fn make_room(&self) {
        SockRef::from(&self.stream).set_recv_buffer_size(1 << 20).expect("Linux takes any size");
    }

    /// Sends exactly these bytes. The server may have closed the connection in the meantime.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a text message in one frame.
    pub(crate) fn send(&mut self, text: &str) {
        self.send_raw(&frame(0x81, text.as_bytes()));
    }

    /// Receives up to the next text, and parses it.
    pub(crate) fn receive(&mut self) -> Incoming {
        match self.next() {
            Received::Text(text) => Incoming::parse(text.as_bytes()).expect("it is a message"),
            other => panic!("{other:?} instead of a text"),
        }
    }

    /// Receives a notice with this code.
    #[track_caller]
    pub(crate) fn expect_code(&mut self, code: &str) -> Incoming {
        let message = self.receive();
        assert_eq!(message.code.as_deref(), Some(code), "{message:?}");
        message
    }

    /// Receives a chat.
    #[track_caller]
    pub(crate) fn expect_chat(&mut self, member: &str, text: &str) {
        let message = self.receive();
        assert_eq!((&*message.member, &*message.text), (member, text), "{message:?}");
    }

    /// Checks that nothing is in flight: the answer to a command comes next.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        self.send(r#"{"type":"CSRooms"}"#);
        let message = self.receive();
        assert_eq!(message.kind, "SCRoomsResult", "{message:?}");
    }

    /// Receives notices up to a close with this code, and then the end of the stream. Returns the codes of
    /// the notices.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: u16) -> Vec<String> {
        let mut notices = Vec::new();
        loop {
            match self.next() {
                Received::Text(text) => {
                    let message = Incoming::parse(text.as_bytes()).expect("it is a message");
                    notices.extend(message.code);
                }
                Received::Pong => {}
                Received::Close(got) => {
                    assert_eq!(got, Some(code), "after {notices:?}");
                    assert_eq!(self.next(), Received::End);
                    return notices;
                }
                Received::End => panic!("an end without a close, after {notices:?}"),
            }
        }
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Received {
        loop {
            if let Some(received) = self.received.pop_front() {
                return received;
            }
            let mut chunk = [0; 16 * 1024];
            let len = self.stream.read(&mut chunk).expect("the server sends something");
            if len == 0 {
                return Received::End;
            }
            let mut events = self.decoder.feed(&mut chunk[..len]);
            while let Some(event) = events.next_event() {
                self.received.push_back(match event.expect("the server keeps to the protocol") {
                    Event::Text(text) => Received::Text(text.to_owned()),
                    Event::Pong => Received::Pong,
                    Event::Close(code) => Received::Close(code),
                    other => panic!("a server sends no {other:?}"),
                });
            }
        }
    }
}

/// A client's frame with any first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_masked(&mut out, Opcode::Text, MASK, payload);
    out[0] = first;
    out
}
