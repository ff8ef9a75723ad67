//! Cuts a server's byte stream into frames, and tells the generator's messages from everything else.
//!
//! As little as possible is parsed: a frame is cut by its length, and its token is looked for where it was in the
//! previous frame.

use std::fmt;

use super::token::Token;

/// The longest line of a line protocol; an `INFO` of NATS has some 500 bytes.
const MAX_LINE: usize = 64 * 1024;

/// A frame, as far as it matters to the generator.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// One of the generator's own messages.
    Message(Token),
    /// The payload of any other frame: an answer, a notice, a ping.
    Other(&'a [u8]),
}

/// How a protocol delimits frames.
pub trait Framing {
    /// The length of the frame at the start of `bytes`, which may exceed them; `None` while it is unknown.
    ///
    /// # Errors
    /// [`BadStream`] if no frame begins like this.
    fn frame_len(bytes: &[u8]) -> Result<Option<usize>, BadStream>;

    /// The payload of a frame: the frame without its delimiters.
    #[inline]
    fn payload(frame: &[u8]) -> &[u8] {
        frame
    }
}

/// Passes all complete frames in `bytes` to `on`, and returns their length.
///
/// # Errors
/// [`BadStream`] if the bytes are not a frame of the protocol.
#[inline]
pub fn scan<F: Framing>(
    bytes: &[u8],
    hint: &mut usize,
    mut on: impl FnMut(Found<'_>),
) -> Result<usize, BadStream> {
    let mut at = 0;
    while let Some(len) = F::frame_len(&bytes[at..])? {
        let Some(frame) = bytes.get(at..at + len) else { break };
        // A header may contain bytes that look like the beginning of a token.
        let payload = F::payload(frame);
        on(match Token::find(payload, hint) {
            Some(token) => Found::Message(token),
            None => Found::Other(payload),
        });
        at += len;
    }
    Ok(at)
}

/// The stream does not follow the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadStream;

impl fmt::Display for BadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server sent what is no frame of the protocol")
    }
}

impl std::error::Error for BadStream {}

/// A 2-byte big-endian length, then the payload: the frames of the chat, and those sent through the relay.
#[derive(Debug)]
pub enum LengthPrefixed {}

impl Framing for LengthPrefixed {
    #[inline]
    fn frame_len(bytes: &[u8]) -> Result<Option<usize>, BadStream> {
        let header = bytes.first_chunk::<2>();
        Ok(header.map(|header| 2 + usize::from(u16::from_be_bytes(*header))))
    }

    #[inline]
    fn payload(frame: &[u8]) -> &[u8] {
        &frame[2..]
    }
}

/// Messages from a server's WebSocket, each in one frame: the chat in a browser.
#[derive(Debug)]
pub enum Messages {}

impl Framing for Messages {
    #[inline]
    fn frame_len(bytes: &[u8]) -> Result<Option<usize>, BadStream> {
        Ok(Header::parse(bytes)?.map(|header| header.len + header.payload))
    }

    #[inline]
    fn payload(frame: &[u8]) -> &[u8] {
        let header = Header::parse(frame).ok().flatten();
        header.map_or(frame, |header| &frame[header.len..])
    }
}

/// The header of a frame of a server's WebSocket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// The length of the header itself.
    pub(super) len: usize,
    /// The length of the payload after it.
    pub(super) payload: usize,
    /// Whether the frame is a close, a ping or a pong.
    pub(super) is_control: bool,
}

impl Header {
    /// Parses the header at the start of `bytes`; `None` while it is incomplete.
    ///
    /// # Errors
    /// [`BadStream`] if the frame is masked, uses an extension, or is longer than any expected here.
    #[inline]
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, BadStream> {
        const RESERVED: u8 = 0x70;
        const CONTROL: u8 = 0x08;
        const MAX_PAYLOAD: u64 = 1 << 30;
        let Some([first, second]) = bytes.first_chunk() else { return Ok(None) };
        let (len, payload) = match second {
            _ if first & RESERVED != 0 => return Err(BadStream),
            ..126 => (2, Some((*second).into())),
            126 => (4, bytes[2..].first_chunk().map(|len| u16::from_be_bytes(*len).into())),
            127 => (10, bytes[2..].first_chunk().map(|len| u64::from_be_bytes(*len))),
            _ => return Err(BadStream),
        };
        let Some(payload) = payload else { return Ok(None) };
        if payload > MAX_PAYLOAD {
            return Err(BadStream);
        }
        let is_control = first & CONTROL != 0;
        Ok(Some(Self { len, payload: payload as usize, is_control }))
    }
}

/// RESP2, as far as pub/sub needs it: simple lines, and arrays of bulk strings and integers.
#[derive(Debug)]
pub enum Resp {}

impl Framing for Resp {
    #[inline]
    fn frame_len(bytes: &[u8]) -> Result<Option<usize>, BadStream> {
        let Some((items, mut at)) = resp_line(bytes)? else { return Ok(None) };
        if bytes[0] != b'*' {
            return Ok(Some(at));
        }
        for _ in 0..items {
            let Some((len, header)) = resp_line(&bytes[at.min(bytes.len())..])? else {
                return Ok(None);
            };
            at += header;
            if bytes[at - header] == b'$' {
                at += len + 2;
            }
        }
        Ok(Some(at))
    }
}

/// The number in the first line of `bytes` (0 for a line of text), and the line's length.
#[inline]
fn resp_line(bytes: &[u8]) -> Result<Option<(usize, usize)>, BadStream> {
    let Some((&kind, rest)) = bytes.split_first() else { return Ok(None) };
    match kind {
        b'*' | b'$' => {
            let mut number = 0;
            for (i, &byte) in rest.iter().enumerate() {
                match byte {
                    b'0'..=b'9' if number < MAX_LINE => {
                        number = number * 10 + usize::from(byte - b'0');
                    }
                    b'\r' => return Ok((i + 1 < rest.len()).then_some((number, i + 3))),
                    _ => return Err(BadStream),
                }
            }
            Ok(None)
        }
        b':' | b'+' | b'-' => Ok(line_len(bytes)?.map(|len| (0, len))),
        _ => Err(BadStream),
    }
}

/// The NATS core protocol: lines, and a payload after a line that begins with `MSG`.
#[derive(Debug)]
pub enum Nats {}

impl Framing for Nats {
    #[inline]
    fn frame_len(bytes: &[u8]) -> Result<Option<usize>, BadStream> {
        let Some(line) = line_len(bytes)? else { return Ok(None) };
        if !bytes.starts_with(b"MSG ") {
            return Ok(Some(line));
        }
        // The payload's length is the last word of the line, so read it backwards.
        let (mut len, mut unit) = (0, 1);
        for &byte in bytes[..line - 2].iter().rev() {
            match byte {
                b'0'..=b'9' if unit < MAX_LINE * 10 => {
                    len += usize::from(byte - b'0') * unit;
                    unit *= 10;
                }
                b' ' if unit > 1 => break,
                _ => return Err(BadStream),
            }
        }
        Ok(Some(line + len + 2))
    }
}

/// The length of the first line of `bytes`, including its `\r\n`.
#[inline]
fn line_len(bytes: &[u8]) -> Result<Option<usize>, BadStream> {
    match bytes.iter().position(|&byte| byte == b'\r') {
        Some(at) => Ok((at + 1 < bytes.len()).then_some(at + 2)),
        None if bytes.len() > MAX_LINE => Err(BadStream),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
