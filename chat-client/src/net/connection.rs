//! The two halves of a connection: reading messages and writing frames.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use chat_proto::{FrameDecoder, HEADER_LEN, Incoming, Lang, Localize, localize};

use crate::io_error::IoErrorKind;
use crate::net::outbox::{ConnectionId, Outbox};

/// Bytes read at once.
const READ_LEN: usize = 64 * 1024;

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
