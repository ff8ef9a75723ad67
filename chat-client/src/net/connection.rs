//! The two halves of a connection: reading messages and writing frames.

use std::fmt;
use std::io::{ErrorKind, Read};

use chat_proto::{FrameDecoder, HEADER_LEN, Incoming, Lang, Localize, Received, localize};

use crate::io_error::IoErrorKind;
use crate::net::hello::may_begin_object;
use crate::net::outbox::{ConnectionId, Outbox};
use crate::net::stream::Stream;

/// The start of a TLS alert: its type and the first half of its version (RFC 8446, 5.1).
const TLS_ALERT: [u8; 2] = [21, 3];

/// Bytes read at once.
const READ_LEN: usize = 64 * 1024;

/// How the server's side of the stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// Between two messages.
    Clean,
    /// Between two messages, but without TLS's `close_notify`: more may have been cut off.
    Unannounced,
    /// In the middle of a message, of which `held` bytes had arrived.
    Truncated { held: usize },
    /// With bytes that are not a message, and are not shown.
    NotAMessage,
    /// With a TLS alert: the server accepts encrypted connections only.
    TlsAlert,
    /// With an error of the connection.
    Lost(IoErrorKind),
}

impl Localize for StreamEnd {
    fn fmt_in(&self, lang: Lang, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => localize!(f, lang,
                en: "the server closed the connection",
                ko: "서버가 연결을 끊었어요"),
            Self::Unannounced => localize!(f, lang,
                en: "the connection ended without the server's word for it",
                ko: "서버가 끝났다는 말 없이 연결이 끊겼어요"),
            Self::Truncated { held } => localize!(f, lang,
                en: "the connection ended in the middle of a message, after {held} bytes of it",
                ko: "메시지를 받다가 연결이 끊겼어요 ({held}바이트까지 받음)"),
            Self::NotAMessage => localize!(f, lang,
                en: "the server does not speak the chat protocol. Is the port right?",
                ko: "채팅 서버의 메시지가 아니에요. 포트가 맞나요?"),
            Self::TlsAlert => localize!(f, lang,
                en: "the server speaks TLS. Use --tls, or --tls-fingerprint=HEX with the fingerprint that it printed",
                ko: "TLS로 말하는 서버예요. --tls 옵션이나, 서버에 표시된 지문으로 --tls-fingerprint=지문 옵션을 쓰세요"),
            Self::Lost(why) => {
                let why = why.localized(lang);
                localize!(f, lang,
                    en: "lost the connection to the server: {why}",
                    ko: "서버와 연결이 끊겼어요: {why}")
            }
        }
    }
}

/// Reads messages until the stream ends, and returns how it ended. If the server `knows_hello`, reads also those that
/// only clients get that have said hello. `deliver` also gets the length of the payload, and may block.
pub(crate) fn read_messages(
    mut stream: impl Read,
    knows_hello: bool,
    mut deliver: impl FnMut(Received, usize),
) -> StreamEnd {
    let mut decoder = FrameDecoder::new();
    let mut buffer = vec![0; READ_LEN];
    loop {
        let chunk = match stream.read(&mut buffer) {
            Ok(0) => return end_after(decoder.buffered(), StreamEnd::Clean),
            Ok(len) => &buffer[..len],
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => continue,
                ErrorKind::UnexpectedEof => {
                    return end_after(decoder.buffered(), StreamEnd::Unannounced);
                }
                _ => return StreamEnd::Lost(IoErrorKind::from(&error)),
            },
        };
        let mut frames = decoder.feed(chunk);
        while let Some(payload) = frames.next_frame() {
            let Some(message) = parse(payload, knows_hello) else {
                return StreamEnd::NotAMessage;
            };
            deliver(message, payload.len());
        }
        drop(frames);
        // The first two letters of another protocol's greeting mean a length of some 20,000 bytes, which would never
        // arrive.
        if decoder.buffered().get(HEADER_LEN).is_some_and(|&first| !may_begin_object(first)) {
            let is_alert = decoder.buffered().starts_with(&TLS_ALERT);
            return if is_alert { StreamEnd::TlsAlert } else { StreamEnd::NotAMessage };
        }
    }
}

/// Returns the end of a stream with `held` bytes of an incomplete message, if any.
fn end_after(held: &[u8], between_messages: StreamEnd) -> StreamEnd {
    match held.len() {
        0 => between_messages,
        held => StreamEnd::Truncated { held },
    }
}

fn parse(payload: &[u8], knows_hello: bool) -> Option<Received> {
    // serde would accept an array as a struct.
    payload.first().filter(|&&first| may_begin_object(first))?;
    if knows_hello {
        return Received::parse(payload).ok();
    }
    Incoming::parse(payload).ok().map(|message| Received::Plain { message, re: None })
}

/// Writes what the outbox holds for this connection, until the outbox is closed and empty or the connection is
/// detached. Then ends this side of the stream. An error is stored in the outbox, and also makes the reader find the
/// end of the stream.
pub(crate) fn write_frames(stream: &Stream, outbox: &Outbox, connection: ConnectionId) {
    while let Some(frames) = outbox.take(connection) {
        if let Err(error) = stream.write_all(&frames) {
            outbox.fail(IoErrorKind::from(&error));
            // What has arrived already can still be read.
            stream.abort();
            return;
        }
    }
    stream.end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::write_frame;
    use std::io;

    /// Returns one piece per read, and an interruption for an empty piece.
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
        let closed = read_messages(stream, false, |message, _| match message {
            Received::Plain { message, .. } => texts.push(message.text),
            other => panic!("{other:?} is for those who said hello"),
        });
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
    fn an_alert_of_tls_is_told_from_other_protocols() {
        for description in [10, 40, 50, 70] {
            let alert = [21, 3, 3, 0, 2, 2, description];
            assert_eq!(read(&alert[..]).1, StreamEnd::TlsAlert);
        }
        assert_eq!(read(&[22, 3, 3, 0, 2, 2, 40][..]).1, StreamEnd::NotAMessage);
    }

    #[test]
    fn an_end_without_close_notify_is_unannounced_or_truncated() {
        struct Cut;
        impl Read for Cut {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::UnexpectedEof.into())
            }
        }
        let whole = frames(&[r#"{"type":"SCChat"}"#]);
        assert_eq!(read(whole.as_slice().chain(Cut)).1, StreamEnd::Unannounced);
        let held = whole.len() - 1;
        assert_eq!(read(whole[..held].chain(Cut)).1, StreamEnd::Truncated { held });
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
