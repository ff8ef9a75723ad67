//! A blocking client that sends exactly the bytes that the test gives it.

use std::fmt::{Debug, Display};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use chat_proto::{Incoming, RoomEntry};
use socket2::{Domain, SockRef, Socket, Type};

/// The time after which an expected event counts as missing. No passing test waits this long.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// The request that turns a connection into a WebSocket. Its key is the example of RFC 6455.
pub const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A byte stream to a server, over a TCP connection.
pub trait Transport: Read + Write + Debug + Send {
    /// The connection.
    fn tcp(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

/// A connection to a server, and the bytes read from it that no test has consumed.
#[derive(Debug)]
pub struct Client {
    stream: Box<dyn Transport>,
    buffered: Vec<u8>,
    /// The start of the next frame in `buffered`.
    at: usize,
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After a whole frame.
    Clean,
    /// Inside a frame.
    InFrame,
    /// By a reset.
    Reset,
}

/// A frame with this payload.
pub fn frame(payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let len = u16::try_from(payload.len()).expect("a payload that fits a frame");
    [&len.to_be_bytes()[..], payload].concat()
}

/// Frames with these payloads, back to back.
pub fn stream_of<P: AsRef<[u8]>>(payloads: impl IntoIterator<Item = P>) -> Vec<u8> {
    payloads.into_iter().flat_map(frame).collect()
}

/// Frames with a chat for each of these texts, which need no escapes.
pub fn chats(texts: impl IntoIterator<Item = impl Display>) -> Vec<u8> {
    stream_of(texts.into_iter().map(|text| format!(r#"{{"type":"CSChat","text":"{text}"}}"#)))
}

/// A JSON string as Python's `json.dumps` writes it: everything but ASCII as `\uXXXX`, in surrogate
/// pairs where one is not enough.
pub fn json_string(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
    out
}

/// Connecting and disconnecting.
impl Client {
    /// A new connection.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("the server listens");
        Self::over(stream)
    }

    /// Opens a connection and waits until the server has answered, so that sessions are numbered in the order of
    /// calls.
    pub fn of(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        client.expect_nothing();
        client
    }

    /// A client with a receive buffer of a few kilobytes.
    pub fn connect_with_little_room(address: SocketAddr) -> Self {
        let socket = Self::prepare(address);
        socket.set_recv_buffer_size(4096).expect("Linux takes any size");
        Self::connect_prepared(socket, address)
    }

    /// A client that connects from another address of this machine.
    pub fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = Self::prepare(address);
        socket.bind(&SocketAddr::new(source, 0).into()).expect("the address is ours");
        Self::connect_prepared(socket, address)
    }

    /// A descriptor for a client that connects later.
    pub fn prepare(address: SocketAddr) -> Socket {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
        socket.expect("a descriptor")
    }

    /// Connects with a descriptor from [`Client::prepare`].
    pub fn connect_prepared(socket: Socket, address: SocketAddr) -> Self {
        socket.connect_timeout(&address.into(), DEADLINE).expect("the server listens");
        Self::over(TcpStream::from(socket))
    }

    /// A second handle on the same connection, which must not be encrypted: one thread sends while another receives.
    pub fn twin(&self) -> Self {
        Self::over(self.stream.tcp().try_clone().expect("a descriptor"))
    }

    /// A client over an existing stream.
    pub fn over(stream: impl Transport + 'static) -> Self {
        let tcp = stream.tcp();
        tcp.set_nodelay(true).expect("a TCP stream has this option");
        tcp.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
        tcp.set_write_timeout(Some(DEADLINE)).expect("it is not zero");
        Self { stream: Box::new(stream), buffered: Vec::new(), at: 0 }
    }

    /// Half-closes: ends the stream to the server, and still receives.
    pub fn end_sending(&self) {
        self.stream.tcp().shutdown(Shutdown::Write).expect("the connection is there");
    }

    /// Closes the connection with a reset.
    pub fn reset(self) {
        SockRef::from(self.stream.tcp())
            .set_linger(Some(Duration::ZERO))
            .expect("TCP has this option");
    }

    /// Sends a byte out of band.
    pub fn send_urgent(&self) {
        let sent = SockRef::from(self.stream.tcp()).send_out_of_band(b"!");
        assert_eq!(sent.expect("the connection is there"), 1);
    }
}

/// Sending.
impl Client {
    /// Sends exactly these bytes.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server reads");
    }

    /// Sends exactly these bytes. Returns whether the server still takes them.
    pub fn try_send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends one frame. Returns whether the server still takes it.
    pub fn try_send(&mut self, payload: impl AsRef<[u8]>) -> bool {
        self.try_send_raw(&frame(payload))
    }

    /// Sends one frame with this payload.
    pub fn send(&mut self, payload: impl AsRef<[u8]>) {
        self.send_raw(&frame(payload));
    }

    /// Asks for a name.
    pub fn name(&mut self, name: &str) {
        self.send(format!(r#"{{"type": "CSName", "name": {}}}"#, json_string(name)));
    }

    /// Asks for a new room.
    pub fn create(&mut self, title: &str) {
        self.send(format!(r#"{{"type": "CSCreateRoom", "title": {}}}"#, json_string(title)));
    }

    /// Asks to enter a room.
    pub fn join(&mut self, room: u64) {
        self.send(format!(r#"{{"type": "CSJoinRoom", "roomId": {room}}}"#));
    }

    /// Asks to leave the room.
    pub fn leave(&mut self) {
        self.send(r#"{"type": "CSLeaveRoom"}"#);
    }

    /// Says something.
    pub fn chat(&mut self, text: &str) {
        self.send(format!(r#"{{"type": "CSChat", "text": {}}}"#, json_string(text)));
    }

    /// Asks for the list of rooms.
    pub fn ask_for_rooms(&mut self) {
        self.send(r#"{"type": "CSRooms"}"#);
    }

    /// Asks the server to stop.
    pub fn shutdown(&mut self) {
        self.send(r#"{"type": "CSShutdown"}"#);
    }
}

/// Reading.
impl Client {
    /// The next payload, or `None` at the end of the stream. A reset, an end inside a frame, and silence
    /// until the deadline fail the test.
    pub fn next_payload(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(payload) = self.buffered_payload() {
                return Some(payload);
            }
            let filled = self.fill();
            if !filled.expect("something to read before the deadline, from a whole stream") {
                let rest = self.buffered.len() - self.at;
                assert_eq!(rest, 0, "the stream ended in the middle of a frame");
                return None;
            }
        }
    }

    /// The next payload, or `None` once the connection is gone, however it ended. Silence until the deadline fails the
    /// test.
    pub fn payload_or_end(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(payload) = self.buffered_payload() {
                return Some(payload);
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(e) => {
                    let silent = matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    assert!(!silent, "nothing to read before the deadline");
                    return None;
                }
            }
        }
    }

    fn buffered_payload(&mut self) -> Option<Vec<u8>> {
        let (header, body) = self.buffered[self.at..].split_first_chunk::<2>()?;
        let len = usize::from(u16::from_be_bytes(*header));
        let payload = body.get(..len)?.to_vec();
        self.at += 2 + len;
        Some(payload)
    }

    /// Reads more bytes; returns false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffered.drain(..self.at);
        self.at = 0;
        let mut bytes = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(n) => {
                    self.buffered.extend_from_slice(&bytes[..n]);
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The next message.
    pub fn receive(&mut self) -> Incoming {
        let payload = self.next_payload().expect("a message, not the end of the stream");
        Incoming::parse(&payload).expect("every message is JSON")
    }

    /// The next message of a server that may be slower than [`DEADLINE`].
    pub fn receive_within(&mut self, time: Duration) -> Incoming {
        self.stream.tcp().set_read_timeout(Some(time)).expect("it is not zero");
        let message = self.receive();
        self.stream.tcp().set_read_timeout(Some(DEADLINE)).expect("it is not zero");
        message
    }

    /// The next message, which must be a system message with this code.
    pub fn expect_code(&mut self, code: &str) -> Incoming {
        let message = self.receive();
        assert_eq!(message.kind, "SCSystemMessage", "{code} expected: {message:?}");
        assert_eq!(message.code.as_deref(), Some(code), "{message:?}");
        assert!(!message.text.is_empty(), "people read the text");
        message
    }

    /// The next message, which must be this chat.
    pub fn expect_chat(&mut self, member: &str, text: &str) -> Incoming {
        let message = self.receive();
        let found = (message.kind.as_str(), message.member.as_str(), message.text.as_str());
        assert_eq!(found, ("SCChat", member, text));
        message
    }

    /// The next messages, which must be a list of rooms.
    pub fn expect_rooms(&mut self) -> Vec<RoomEntry> {
        let mut rooms = Vec::new();
        loop {
            let page = self.receive();
            assert_eq!(page.kind, "SCRoomsResult", "{page:?}");
            rooms.extend(page.rooms);
            if !page.more {
                return rooms;
            }
        }
    }

    /// Asks for the rooms, and checks that their list comes next: nothing else was on its way. When this
    /// returns, everything this client sent before has been carried out.
    pub fn rooms(&mut self) -> Vec<RoomEntry> {
        self.ask_for_rooms();
        self.expect_rooms()
    }

    /// Like [`Client::rooms`], but skips any number of other messages.
    pub fn rooms_after_notices(&mut self) -> Vec<RoomEntry> {
        self.ask_for_rooms();
        loop {
            let message = self.receive();
            if message.kind == "SCRoomsResult" {
                assert!(!message.more, "a list of one page");
                return message.rooms;
            }
        }
    }

    /// Checks that nothing carried out so far has sent this client a message.
    pub fn expect_nothing(&mut self) {
        self.rooms();
    }

    /// Every whole message until the stream ends, cleanly or not.
    pub fn whatever_came(&mut self) -> Vec<Incoming> {
        self.until_end().0
    }

    /// Every whole message until the stream ends, and how it ended.
    pub fn until_end(&mut self) -> (Vec<Incoming>, End) {
        let end = match self.stream.read_to_end(&mut self.buffered) {
            Ok(_) => End::Clean,
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::ConnectionReset, "neither an end nor a reset");
                End::Reset
            }
        };
        let mut messages = Vec::new();
        let mut rest = &self.buffered[self.at..];
        while let Some((header, body)) = rest.split_first_chunk::<2>()
            && let Some((payload, behind)) =
                body.split_at_checked(usize::from(u16::from_be_bytes(*header)))
        {
            messages.push(Incoming::parse(payload).expect("every message is JSON"));
            rest = behind;
        }
        let end = if end == End::Clean && !rest.is_empty() { End::InFrame } else { end };
        self.at = self.buffered.len();
        (messages, end)
    }

    /// Reads and discards this many bytes.
    pub fn drip(&mut self, bytes: usize) {
        self.stream.read_exact(&mut vec![0; bytes]).expect("there is more to be read");
    }

    /// Checks that the stream ends here, cleanly.
    pub fn expect_end(&mut self) {
        let payload = self.next_payload().map(|p| String::from_utf8_lossy(&p).into_owned());
        assert_eq!(payload, None, "the stream should have ended");
    }

    /// Creates a room, and so enters it. Returns its number.
    pub fn enter_new(&mut self, title: &str) -> u64 {
        self.create(title);
        self.expect_code("room-created").room_id.expect("the room has a number")
    }

    /// Enters a room. Returns the number of that event.
    pub fn enter(&mut self, room: u64) -> u64 {
        self.join(room);
        let entered = self.expect_code("room-entered");
        assert_eq!(entered.room_id, Some(room));
        entered.seq.expect("an entry is an event of the room")
    }

    /// Takes a name.
    pub fn be(&mut self, name: &str) {
        self.name(name);
        self.expect_code("renamed");
    }
}
