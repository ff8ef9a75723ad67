//! The hello: the first frame of a client that understands more than the plain protocol, and the server's reply.

use std::io::{ErrorKind, Read, Write};

use chat_proto::extended::Features;
use chat_proto::{HEADER_LEN, IncomingWelcome, Received, write_frame};

/// The name and version of this client.
const CLIENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The most bytes of notices that may come before the reply.
const MAX_BEFORE: usize = 256 * 1024;

/// What this client understands, and the session that it wants back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) features: Features,
    /// The token of the session and, if it is in a room, that room with the number of the last broadcast received.
    pub(crate) resume: Option<(String, Option<(u64, u64)>)>,
}

impl Hello {
    /// Whether a session is wanted back.
    pub(crate) fn resumes(&self) -> bool {
        self.resume.is_some()
    }

    fn frame(&self) -> Vec<u8> {
        let resume = self.resume.as_ref().map(|(token, last)| (token.as_str(), *last));
        let json = chat_proto::extended::Hello::to_json(CLIENT, self.features, resume);
        let mut frame = Vec::new();
        // A server could only have made it too long by a token that is.
        let _ = write_frame(&mut frame, |out| out.extend_from_slice(json.as_bytes()));
        frame
    }
}

/// A server's reply to a hello.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The server knows hellos. The notices in `unread` came first.
    Welcome { welcome: Box<IncomingWelcome>, unread: Vec<u8> },
    /// The server does not know hellos.
    Refusal,
    /// The server has said nothing, by the deadline or by the end of the stream.
    Silence,
    /// These bytes, which are to be read as if nobody had said hello: the server takes no clients, and says why, or it
    /// is not a chat server.
    Other(Vec<u8>),
}

/// Says hello, and reads no further than the reply. `stream` fails with [`ErrorKind::TimedOut`] after a deadline.
pub(crate) fn greet(stream: &mut (impl Read + Write), hello: &Hello) -> Reply {
    // What the server said before an error can still be read.
    let _ = stream.write_all(&hello.frame()).and_then(|()| stream.flush());
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        match read_frame(stream, &mut bytes) {
            Ok(true) => {}
            Ok(false) => return Reply::Other(bytes),
            Err(ErrorKind::TimedOut) => return Reply::Silence,
            Err(_) if bytes.is_empty() => return Reply::Silence,
            Err(_) => return Reply::Other(bytes),
        }
        match Received::parse(&bytes[start + HEADER_LEN..]) {
            Ok(Received::Welcome(welcome)) => {
                bytes.truncate(start);
                return Reply::Welcome { welcome: Box::new(welcome), unread: bytes };
            }
            // The server may announce something, or say why it closes.
            Ok(Received::Plain { message, .. })
                if message.kind == "SCSystemMessage"
                    && message.code.as_deref().is_some_and(|code| !is_refusal(code))
                    && bytes.len() < MAX_BEFORE => {}
            Ok(_) => return Reply::Refusal,
            Err(_) => return Reply::Other(bytes),
        }
    }
}

/// Whether a code says that a message was not understood.
fn is_refusal(code: &str) -> bool {
    matches!(code, "unknown-type" | "bad-request")
}

/// Appends the next frame to `bytes`, and no more. Returns false as soon as it cannot be one of a chat server.
fn read_frame(stream: &mut impl Read, bytes: &mut Vec<u8>) -> Result<bool, ErrorKind> {
    let start = bytes.len();
    read_exactly(stream, bytes, HEADER_LEN + 1)?;
    let payload = usize::from(u16::from_be_bytes([bytes[start], bytes[start + 1]]));
    if payload == 0 || !may_begin_object(bytes[start + HEADER_LEN]) {
        return Ok(false);
    }
    read_exactly(stream, bytes, payload - 1)?;
    Ok(true)
}

/// Appends `len` bytes, or those that come before an error or the end.
fn read_exactly(stream: &mut impl Read, bytes: &mut Vec<u8>, len: usize) -> Result<(), ErrorKind> {
    let end = bytes.len() + len;
    match stream.take(len as u64).read_to_end(bytes) {
        Ok(_) if bytes.len() == end => Ok(()),
        Ok(_) => Err(ErrorKind::UnexpectedEof),
        Err(error) => Err(error.kind()),
    }
}

/// Whether a payload can be an object of JSON, by its first byte.
pub(crate) fn may_begin_object(byte: u8) -> bool {
    matches!(byte, b'{' | b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::extended::Feature;
    use std::io;

    /// A server that says these bytes in small pieces, and then ends with an error, if any.
    struct Server<'a> {
        says: &'a [u8],
        then: Option<ErrorKind>,
        heard: Vec<u8>,
    }

    impl Read for Server<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.then {
                Some(kind) if self.says.is_empty() => Err(kind.into()),
                _ => {
                    let len = buffer.len().min(2);
                    self.says.read(&mut buffer[..len])
                }
            }
        }
    }

    impl Write for Server<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.heard.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
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

    fn reply(says: &[u8], then: Option<ErrorKind>) -> (Reply, usize) {
        let hello = Hello { features: Features::NONE.with(Feature::Ack), resume: None };
        let mut server = Server { says, then, heard: Vec::new() };
        let reply = greet(&mut server, &hello);
        let heard = str::from_utf8(&server.heard[HEADER_LEN..]).expect("JSON");
        let heard = chat_proto::extended::Hello::parse(heard);
        assert!(matches!(heard, Some(Ok(_))), "{heard:?}");
        (reply, server.says.len())
    }

    const WELCOME: &str = r#"{"type":"SCWelcome","name":"user1","features":["ack"]}"#;
    const NEWS: &str = r#"{"type":"SCSystemMessage","text":"x","code":"announcement"}"#;
    const FULL: &str = r#"{"type":"SCSystemMessage","text":"x","code":"server-full"}"#;

    #[test]
    fn nothing_behind_the_welcome_is_read_and_nothing_before_it_is_lost() {
        let rest = frames(&[NEWS, NEWS]).len();
        let (reply, unread) = reply(&frames(&[NEWS, WELCOME, NEWS, NEWS]), None);
        let Reply::Welcome { welcome, unread: before } = reply else { panic!("{reply:?}") };
        assert_eq!((welcome.name.as_str(), before, unread), ("user1", frames(&[NEWS]), rest));
    }

    #[test]
    fn a_server_that_does_not_know_hellos_is_recognized_whatever_it_says() {
        for says in [
            &[r#"{"type":"SCSystemMessage","text":"x","code":"unknown-type"}"#][..],
            &[NEWS, r#"{"type":"SCSystemMessage","text":"x","code":"bad-request"}"#],
            &[r#"{"type":"SCSystemMessage","text":"Welcome to this server."}"#],
            &[r#"{"type":"SCRoomsResult","rooms":[]}"#],
            &[r#"{"type":"SCNew"}"#],
        ] {
            assert_eq!(reply(&frames(says), None).0, Reply::Refusal, "{says:?}");
        }
        for end in [None, Some(ErrorKind::ConnectionReset), Some(ErrorKind::TimedOut)] {
            assert_eq!(reply(b"", end).0, Reply::Silence);
        }
        assert_eq!(reply(&frames(&[NEWS]), Some(ErrorKind::TimedOut)).0, Reply::Silence);
    }

    #[test]
    fn what_any_client_would_see_is_left_to_be_seen() {
        let cut = &frames(&[NEWS])[..9];
        for bytes in [
            &frames(&[FULL])[..],
            &[21, 3, 3, 0, 2, 2, 70],
            b"SSH-2.0-OpenSSH_9.6p1\r\n",
            &frames(&[""]),
            &frames(&["{}"]),
            cut,
        ] {
            let (reply, unread) = reply(bytes, None);
            let Reply::Other(read) = reply else { panic!("{reply:?} to {bytes:?}") };
            assert_eq!(read, bytes[..bytes.len() - unread]);
        }
    }
}
