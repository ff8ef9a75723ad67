//! The decoder of a peer's input: frames, until the first bytes turn out to be something else.

use chat_proto::websocket::{self, Peer};
use chat_proto::{Command, FrameDecoder, HEADER_LEN, MAX_PAYLOAD};

use super::super::form::Form;

/// Fragments and control frames within a message, at most, of a client that means well: libraries send a message in a
/// few fragments, and a ping in some seconds.
const MANY_WITHIN: u32 = 32;

/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// Unread input, and how to decode it.
#[derive(Debug)]
pub(super) enum Input {
    Frames(FrameDecoder),
    Web(Box<WebInput>),
}

/// Input from a browser.
#[derive(Debug)]
pub(super) enum WebInput {
    /// The head of a request, as far as it has arrived; it ends at `end` once that is known. One that is too long
    /// ends where the longest would, before its empty line.
    Head { bytes: Vec<u8>, end: Option<usize> },
    Messages {
        decoder: websocket::Decoder,
        /// Pongs to be sent.
        replies: Vec<u8>,
        /// Fragments and control frames that have come within the current message.
        within: u32,
    },
}

// Every idle connection has one of these.
const _: () = assert!(size_of::<Input>() <= 24);

/// The head of a request.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    /// Whether more input followed it.
    pub(crate) is_followed: bool,
}

impl Input {
    pub(super) const fn new() -> Self {
        Self::Frames(FrameDecoder::new())
    }

    /// Begins to read messages of a WebSocket.
    pub(super) fn messages() -> Self {
        let decoder = websocket::Decoder::new(Peer::Client, MAX_PAYLOAD);
        Self::Web(Box::new(WebInput::Messages { decoder, replies: Vec::new(), within: 0 }))
    }

    /// Bytes that wait for more input, or to be accepted.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        match self {
            Self::Frames(decoder) => decoder.buffered().len(),
            Self::Web(web) => match &**web {
                WebInput::Head { bytes, .. } => bytes.len(),
                WebInput::Messages { decoder, .. } => decoder.buffered(),
            },
        }
    }

    /// Whether nothing waits for more input, to be accepted, or to be sent.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Frames(decoder) => decoder.buffered().is_empty(),
            Self::Web(web) => match &**web {
                WebInput::Head { bytes, .. } => bytes.is_empty(),
                WebInput::Messages { decoder, replies, .. } => {
                    decoder.is_between_messages() && !decoder.has_rest() && replies.is_empty()
                }
            },
        }
    }

    /// Memory in bytes, beyond that of a connection with nothing buffered.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Frames(decoder) => decoder.capacity(),
            Self::Web(web) => match &**web {
                WebInput::Head { bytes, .. } => bytes.capacity(),
                WebInput::Messages { decoder, replies, .. } => {
                    decoder.capacity() + replies.capacity()
                }
            },
        }
    }

    /// Whether frames are buffered, to be accepted later, or the head of a request, to be answered.
    pub(super) fn has_frames(&self) -> bool {
        match self {
            Self::Frames(decoder) => decoder.has_frame(),
            Self::Web(web) => match &**web {
                WebInput::Head { end, .. } => end.is_some(),
                WebInput::Messages { decoder, .. } => decoder.has_rest(),
            },
        }
    }

    /// Whether a message has more fragments and control frames in it than clients send, and more wait to be accepted.
    pub(super) fn is_flooded(&self) -> bool {
        let Self::Web(web) = self else { return false };
        matches!(&**web, WebInput::Messages { decoder, within, .. }
            if decoder.has_rest() && *within > MANY_WITHIN)
    }

    /// Whether the peer has begun something that it has yet to complete.
    #[inline]
    pub(super) fn is_incomplete(&self) -> bool {
        match self {
            Self::Frames(decoder) => !decoder.buffered().is_empty() && !decoder.has_frame(),
            Self::Web(web) => match &**web {
                WebInput::Head { end, .. } => end.is_none(),
                WebInput::Messages { decoder, .. } => !decoder.is_between_messages(),
            },
        }
    }

    /// Switches to reading the head of a request if the stream begins with one.
    #[cold]
    pub(super) fn detect_http(&mut self, bytes: &[u8]) {
        if let Self::Frames(decoder) = self
            && begins_http(decoder.buffered().iter().chain(bytes)) == Some(true)
        {
            let bytes = decoder.buffered().to_vec();
            *self = Self::Web(Box::new(WebInput::Head { bytes, end: None }));
        }
    }

    /// Whether the stream is HTTP, or may become it, when `bytes` come next.
    #[cold]
    pub(super) fn may_be_http(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Frames(decoder) => {
                begins_http(decoder.buffered().iter().chain(bytes)) != Some(false)
            }
            Self::Web(_) => true,
        }
    }

    /// Returns the form that the beginning of a stream calls for, when `bytes` come next: HTTP even while it may be
    /// something else, since the first frame of no client is as long as the first letter of a method would mean.
    /// Buffers them while they do not tell, and nothing otherwise.
    #[cold]
    pub(super) fn hear_first(&mut self, bytes: &[u8]) -> Form {
        let Self::Frames(decoder) = self else { return Form::Frames };
        let start: Vec<_> = decoder.buffered().iter().chain(bytes).copied().take(8).collect();
        let is_http = begins_http(&start);
        match is_http {
            None => decoder.feed(bytes).buffer_rest(),
            Some(_) => *self = Self::new(),
        }
        if is_http == Some(false) { Form::Frames } else { Form::of_request(&start) }
    }

    /// Whether the buffered beginning of a stream cannot belong to a frame.
    pub(super) fn is_foreign(&self) -> bool {
        matches!(self, Self::Frames(decoder) if is_foreign(decoder.buffered()))
    }

    /// Takes the pongs that are owed to the peer of a WebSocket.
    pub(super) fn take_replies(&mut self) -> Vec<u8> {
        let Self::Web(web) = self else { return Vec::new() };
        let WebInput::Messages { replies, .. } = &mut **web else { return Vec::new() };
        std::mem::take(replies)
    }

    /// The head of the request that is being read, if one is, as far as it has arrived.
    pub(super) fn request(&self) -> Option<&[u8]> {
        let Self::Web(web) = self else { return None };
        if let WebInput::Head { bytes, .. } = &**web { Some(bytes) } else { None }
    }

    /// Takes the head of a request once it is complete or too long.
    pub(super) fn take_head(&mut self) -> Option<Head> {
        let Self::Web(web) = self else { return None };
        let WebInput::Head { bytes, end } = &mut **web else { return None };
        let end = end.take()?;
        let is_followed = end < bytes.len();
        let mut bytes = std::mem::take(bytes);
        bytes.truncate(end);
        Some(Head { bytes, is_followed })
    }
}

impl WebInput {
    /// Adds to the head of a request. What is beyond the longest head, and a byte, is dropped.
    pub(super) fn add_to_head(&mut self, added: &[u8]) {
        let Self::Head { bytes, end } = self else { return };
        // An empty line may have begun before.
        let start = bytes.len().saturating_sub(3);
        let room = (MAX_HEAD + 1).saturating_sub(bytes.len());
        bytes.extend_from_slice(&added[..added.len().min(room)]);
        let is_too_long = bytes.len() > MAX_HEAD;
        let found = head_end(&bytes[start..]).map(|end| start + end);
        let found = found.filter(|end| *end <= MAX_HEAD);
        *end = end.or(found).or(is_too_long.then_some(MAX_HEAD));
    }
}

/// Whether the first bytes of a stream cannot begin a frame with a JSON object: they come from a browser, a TLS
/// handshake or a little-endian length, and would otherwise announce a frame to wait for.
fn is_foreign(bytes: &[u8]) -> bool {
    // The binary PROXY header begins with two empty lines.
    let mut start = bytes.iter().skip(HEADER_LEN).take(8);
    match start.find(|byte| !b" \t\r\n".contains(byte)) {
        None | Some(b'{') => is_little_endian(bytes),
        Some(_) => true,
    }
}

/// Whether this is exactly one command after a little-endian length, whose sender waits for an answer. In our byte
/// order, it would be the beginning of a long frame that continues after its object.
fn is_little_endian(bytes: &[u8]) -> bool {
    bytes.split_first_chunk::<HEADER_LEN>().is_some_and(|(header, payload)| {
        usize::from(u16::from_le_bytes(*header)) == payload.len()
            && !Command::parse(payload).is_err_and(|rejection| rejection.is_bad())
    })
}

/// Whether a stream that begins like this is HTTP; `None` while the bytes do not tell. Three always do: the third byte
/// of a frame with a JSON object is a brace or white space.
fn begins_http<'a>(stream: impl IntoIterator<Item = &'a u8>) -> Option<bool> {
    const METHODS: [&[u8]; 9] = [
        b"GET ",
        b"HEAD ",
        b"POST ",
        b"PUT ",
        b"OPTIONS ",
        b"DELETE ",
        b"PATCH ",
        b"CONNECT ",
        b"TRACE ",
    ];
    let mut start = [0; 8];
    let len = start.iter_mut().zip(stream).map(|(to, from)| *to = *from).count();
    let begins = |method: &&[u8]| start[..len].iter().zip(*method).all(|(a, b)| a == b);
    let is_possible = METHODS.iter().any(begins);
    (len >= 3 || !is_possible).then_some(is_possible)
}

/// The end of the head of a request: just after the first empty line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let ends =
        |at: &usize| bytes[*at..].starts_with(b"\n\n") || bytes[*at..].starts_with(b"\n\r\n");
    let at = (0..bytes.len()).find(ends)?;
    Some(at + if bytes[at + 1] == b'\n' { 2 } else { 3 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_told_from_frames_by_three_bytes() {
        for http in ["GET", "GET / HTTP", "HEAD /", "POS", "PUT /", "OPTIONS ", "CONNECT "] {
            assert_eq!(begins_http(http.as_bytes()), Some(true), "{http}");
        }
        for open in ["", "G", "GE", "P", "OP"] {
            assert_eq!(begins_http(open.as_bytes()), None, "{open}");
        }
        for other in ["X", "GX", "GETS", "PROXY TC", "PRI * HT", "get /", "\0\x12{", "SSH-2.0-"] {
            assert_eq!(begins_http(other.as_bytes()), Some(false), "{other}");
        }
        // Such a frame is long, and legal.
        assert_eq!(begins_http(b"GE{\"type"), Some(false));
        assert_eq!(begins_http(b"GE {\"typ"), Some(false));
    }

    /// The longest head and what follows it; a longer one is cut, so that nothing takes it for complete.
    #[test]
    fn no_head_is_so_long_that_what_follows_is_not_seen() {
        for (len, whole) in [(MAX_HEAD - 1, true), (MAX_HEAD, true), (MAX_HEAD + 1, false)] {
            let request = "GET / HTTP/1.1\r\nX: ";
            let head = format!("{request}{:x<1$}\r\n\r\n", "", len - request.len() - 4);
            for piece in [1, head.len(), head.len() + 1] {
                let mut web = WebInput::Head { bytes: Vec::new(), end: None };
                for bytes in [head.as_bytes(), b"more"].concat().chunks(piece) {
                    web.add_to_head(bytes);
                }
                let head = Input::Web(Box::new(web)).take_head().expect("it has an end");
                assert_eq!(head.bytes.ends_with(b"\r\n\r\n"), whole, "{len}, {piece}");
                assert!(head.is_followed, "{len}, {piece}");
            }
        }
    }

    #[test]
    fn a_head_ends_with_the_first_empty_line() {
        for (bytes, end) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest", Some(27)),
            ("GET / HTTP/1.1\n\n", Some(16)),
            ("\n\r\n", Some(3)),
            ("\r\n", None),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r", None),
            ("", None),
        ] {
            assert_eq!(head_end(bytes.as_bytes()), end, "{bytes:?}");
        }
    }
}
