//! Connecting, and the two halves of a connection: reading messages and writing frames.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use chat_proto::{FrameDecoder, HEADER_LEN, Incoming, Lang, Localize, localize};

use crate::io_error::IoErrorKind;
use crate::net::destination::{Destination, Host};
use crate::net::outbox::{ConnectionId, Outbox};

/// How long to wait for an address that does not answer; the kernel would wait for minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes read at once.
const READ_LEN: usize = 64 * 1024;

/// Why there is no connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConnectError {
    /// No address was found for the host.
    Lookup { host: Host, why: IoErrorKind },
    /// No address of the server accepted the connection.
    Connect { server: Destination, why: IoErrorKind },
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
        }
    }
}

/// How the server's side of the stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// Between two messages.
    Clean,
    /// In the middle of a message, of which `held` bytes had arrived.
    Truncated { held: usize },
    /// With bytes that are no message. They are not shown.
    NotAMessage,
    /// With an error of the connection.
    Lost(IoErrorKind),
}

impl Localize for StreamEnd {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => localize!(f, lang,
                en: "the server closed the connection",
                ko: "서버가 연결을 끊었어요"),
            Self::Truncated { held } => localize!(f, lang,
                en: "the connection ended in the middle of a message, after {held} bytes of it",
                ko: "메시지를 받다가 연결이 끊겼어요 ({held}바이트까지 받음)"),
            Self::NotAMessage => localize!(f, lang,
                en: "the server does not speak the chat protocol. Is the port right?",
                ko: "채팅 서버의 메시지가 아니에요. 포트가 맞나요?"),
            Self::Lost(why) => {
                let why = why.localized(lang);
                localize!(f, lang,
                    en: "lost the connection to the server: {why}",
                    ko: "서버와 연결이 끊겼어요: {why}")
            }
        }
    }
}

/// Connects to the first address that accepts. A host name is looked up each time.
///
/// # Errors
/// When the host has no address, or none of its addresses accepts.
pub(crate) fn connect(server: &Destination) -> Result<TcpStream, ConnectError> {
    let addresses = server
        .addresses()
        .map_err(|why| ConnectError::Lookup { host: server.host.clone(), why })?;
    let stream = connect_to_any(&addresses)
        .map_err(|why| ConnectError::Connect { server: server.clone(), why })?;
    // A line must not wait for the next one. A failure costs only time.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Tries the addresses in order: a name may have an IPv6 address where the server has only IPv4.
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

/// Reads messages until the stream ends, and returns how it ended. `deliver` also takes the length of the
/// payload, and may wait.
pub(crate) fn read_messages(
    mut stream: impl Read,
    mut deliver: impl FnMut(Incoming, usize),
) -> StreamEnd {
    let mut decoder = FrameDecoder::new();
    let mut buffer = vec![0; READ_LEN];
    loop {
        let chunk = match stream.read(&mut buffer) {
            Ok(0) if decoder.buffered().is_empty() => return StreamEnd::Clean,
            Ok(0) => return StreamEnd::Truncated { held: decoder.buffered().len() },
            Ok(len) => &buffer[..len],
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return StreamEnd::Lost(IoErrorKind::from(&error)),
        };
        let mut frames = decoder.feed(chunk);
        while let Some(payload) = frames.next_frame() {
            let Some(message) = parse(payload) else {
                return StreamEnd::NotAMessage;
            };
            deliver(message, payload.len());
        }
        drop(frames);
        // The first two letters of another protocol's greeting make a length of some 20,000 bytes,
        // which would never arrive.
        if decoder.buffered().get(HEADER_LEN).is_some_and(|&first| !may_begin_object(first)) {
            return StreamEnd::NotAMessage;
        }
    }
}

fn parse(payload: &[u8]) -> Option<Incoming> {
    // serde would read an array as a struct.
    payload.first().filter(|&&first| may_begin_object(first))?;
    Incoming::parse(payload).ok()
}

fn may_begin_object(byte: u8) -> bool {
    matches!(byte, b'{' | b' ' | b'\t' | b'\r' | b'\n')
}

/// Writes what the outbox holds for this connection until the outbox is closed and empty, or the
/// connection is detached, then ends this side of the stream. After an error, which the outbox
/// keeps, the reader finds the stream at its end.
pub(crate) fn write_frames(stream: &TcpStream, outbox: &Outbox, connection: ConnectionId) {
    let mut writer = stream;
    while let Some(frames) = outbox.take(connection) {
        if let Err(error) = writer.write_all(&frames) {
            outbox.fail(IoErrorKind::from(&error));
            // What has arrived already can still be read.
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
    // Fails when the server is gone; the reader notices too.
    let _ = stream.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::write_frame;
    use std::io;
    use std::net::TcpListener;

    /// Returns one piece a read, and an interruption for an empty one.
    struct Pieces<'a>(std::vec::IntoIter<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.next() {
                None => Ok(0),
                Some([]) => Err(ErrorKind::Interrupted.into()),
                Some(mut piece) => piece.read(buffer),
            }
        }
    }

    fn frames(payloads: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for payload in payloads {
            write_frame(&mut out, |out| out.extend_from_slice(payload.as_bytes()))
                .expect("short enough");
        }
        out
    }

    fn read(stream: impl Read) -> (Vec<String>, StreamEnd) {
        let mut texts = Vec::new();
        let closed = read_messages(stream, |message, _| texts.push(message.text));
        (texts, closed)
    }

    /// A port where a listener is, and that of the other end of a connection, which is taken, and where
    /// nobody listens.
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

    #[test]
    fn messages_come_out_however_the_stream_is_split() {
        let bytes =
            frames(&[r#"{"type":"SCChat","text":"one"}"#, r#" {"text":"two","type":"SCChat"}"#]);
        let mut pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        pieces.insert(5, &[]);
        assert_eq!(
            read(Pieces(pieces.into_iter())),
            (vec!["one".into(), "two".into()], StreamEnd::Clean)
        );
        assert_eq!(read(bytes.as_slice()).0.len(), 2);
    }

    #[test]
    fn a_frame_without_a_json_object_is_no_message() {
        for payload in
            ["", " ", "[]", "null", "{", "{}x", "{}", r#"{"type":"SCChat","text":1}"#, "hello"]
        {
            assert_eq!(read(frames(&[payload]).as_slice()).1, StreamEnd::NotAMessage, "{payload}");
        }
    }
}
