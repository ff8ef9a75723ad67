//! Frames joined into messages: the state between two bytes of a stream.
//!
//! Payload that lies whole in the input stays there. Otherwise it is copied as it arrives, so memory follows
//! what has arrived, never what a header announces.

use std::mem;
use std::ops::Range;

use super::header::{Header, MAX_HEADER, Opcode, Peer, Rules};
use super::mask;
use super::violation::Violation;

/// Joins frames into messages. Between messages it owns no memory.
#[derive(Debug)]
pub(super) struct Assembler {
    peer: Peer,
    max_message: usize,
    /// The first bytes of a header that is not complete.
    header: [u8; MAX_HEADER],
    header_len: u8,
    /// The frame whose header is complete and whose payload is not.
    frame: Option<Frame>,
    /// The kind of the message that has begun and not ended.
    message: Option<Kind>,
    /// The payload of the message so far, unmasked, then that of a control frame inside it.
    ///
    /// `valid_len <= message_len <= buffer.len()`
    buffer: Vec<u8>,
    message_len: usize,
    /// Bytes of the message that are whole characters.
    valid_len: usize,
    /// A frame has been returned: what it leaves in the buffer may be discarded.
    is_returned: bool,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    /// The mask of the next byte and the three after it.
    mask: [u8; 4],
    /// Bytes of payload still to come.
    missing: usize,
    /// Whether some of its payload is in the buffer.
    is_buffered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

/// A whole message or control frame, or a fragment, with the place of its payload.
#[derive(Debug)]
pub(super) enum Whole {
    Text(Place),
    Binary(Place),
    Fragment,
    Ping(Place),
    Pong,
    Close(Option<u16>),
}

#[derive(Debug)]
pub(super) enum Place {
    Input(Range<usize>),
    Buffer(Range<usize>),
}

/// The result of decoding some input.
#[derive(Debug)]
pub(super) struct Step {
    /// Bytes of input decoded: all of it, unless a frame ends earlier.
    pub(super) consumed: usize,
    pub(super) whole: Option<Whole>,
}

impl Assembler {
    pub(super) const fn new(peer: Peer, max_message: usize) -> Self {
        Self {
            peer,
            max_message,
            header: [0; MAX_HEADER],
            header_len: 0,
            frame: None,
            message: None,
            buffer: Vec::new(),
            message_len: 0,
            valid_len: 0,
            is_returned: false,
        }
    }

    /// Decodes the frame at the start of `input`, unmasking it in place. After a violation or a close, the state is
    /// meaningless.
    pub(super) fn decode(&mut self, input: &mut [u8]) -> Result<Step, Violation> {
        self.release();
        let (frame, start) = match self.frame.take() {
            Some(frame) => (frame, 0),
            None => match self.begin_frame(input)? {
                Some(begun) => begun,
                None => return Ok(Step { consumed: input.len(), whole: None }),
            },
        };
        let end = start + frame.missing.min(input.len() - start);
        let payload = &mut input[start..end];
        mask::apply(frame.mask, payload);
        let whole = if payload.len() < frame.missing {
            self.buffer_part(frame, payload)?;
            None
        } else {
            Some(self.end_frame(frame, payload, start)?)
        };
        Ok(Step { consumed: end, whole })
    }

    /// Whether `input` completes a frame.
    pub(super) fn has_whole(&self, input: &[u8]) -> bool {
        let (missing, start) = match (self.frame, self.parse_header(input)) {
            (Some(frame), _) => (frame.missing, 0),
            (None, Ok(Some((header, start)))) => (header.payload, start),
            (None, _) => return false,
        };
        input.len() - start >= missing
    }

    /// The mask and the place of the payload in `input`, if that begins with the frame of a text that is whole.
    /// Between messages.
    #[inline]
    pub(super) fn whole_text(&self, input: &[u8]) -> Option<([u8; 4], Range<usize>)> {
        let header = Header::parse(input, self.rules()).ok()??;
        let end = header.len + header.payload;
        let is_whole = header.opcode == Opcode::Text && header.is_final && end <= input.len();
        is_whole.then_some((header.mask, header.len..end))
    }

    /// Whether a message has begun and is not complete.
    pub(super) fn is_in_message(&self) -> bool {
        self.message.is_some()
    }

    /// Whether neither a frame nor a message has begun.
    pub(super) fn is_between_messages(&self) -> bool {
        self.header_len == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// Bytes of header and payload that wait for more.
    pub(super) fn buffered(&self) -> usize {
        usize::from(self.header_len) + self.buffer.len()
    }

    /// Bytes of memory allocated.
    pub(super) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// The bytes at `place`; `input` is what was decoded.
    pub(super) fn payload<'a>(&'a self, place: Place, input: &'a [u8]) -> &'a [u8] {
        match place {
            Place::Input(range) => &input[range],
            Place::Buffer(range) => &self.buffer[range],
        }
    }

    /// Discards the payload that the last frame returned from the buffer, except fragments of an unfinished message.
    #[inline]
    pub(super) fn release(&mut self) {
        if !mem::take(&mut self.is_returned) {
            return;
        }
        if self.message.is_some() {
            self.buffer.truncate(self.message_len);
        } else {
            self.message_len = 0;
            self.valid_len = 0;
            if self.buffer.capacity() > 0 {
                self.buffer = Vec::new();
            }
        }
    }

    /// Forgets everything, and frees the memory.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.peer, self.max_message);
    }

    fn rules(&self) -> Rules {
        Rules {
            peer: self.peer,
            in_message: self.message.is_some(),
            max_payload: self.max_message - self.message_len,
        }
    }

    /// Parses the buffered header bytes together with the start of `input`. Returns the header, and how many bytes of
    /// `input` belong to it.
    fn parse_header(&self, input: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
        let before = usize::from(self.header_len);
        if before == 0 {
            let header = Header::parse(input, self.rules())?;
            return Ok(header.map(|header| (header, header.len)));
        }
        let len = MAX_HEADER.min(before + input.len());
        let mut bytes = self.header;
        bytes[before..len].copy_from_slice(&input[..len - before]);
        let header = Header::parse(&bytes[..len], self.rules())?;
        Ok(header.map(|header| (header, header.len - before)))
    }

    /// Returns the next frame and where in `input` its payload begins, or buffers an incomplete header.
    fn begin_frame(&mut self, input: &[u8]) -> Result<Option<(Frame, usize)>, Violation> {
        let Some((header, start)) = self.parse_header(input)? else {
            let before = usize::from(self.header_len);
            self.header[before..before + input.len()].copy_from_slice(input);
            self.header_len += input.len() as u8;
            return Ok(None);
        };
        let Header { opcode, is_final, mask, payload, .. } = header;
        self.header_len = 0;
        match opcode {
            Opcode::Text => self.message = Some(Kind::Text),
            Opcode::Binary => self.message = Some(Kind::Binary),
            _ => {}
        }
        let frame = Frame { opcode, is_final, mask, missing: payload, is_buffered: false };
        Ok(Some((frame, start)))
    }

    /// Buffers a part of a frame's payload.
    fn buffer_part(&mut self, mut frame: Frame, part: &[u8]) -> Result<(), Violation> {
        self.extend_buffer(frame, part);
        self.check_text(frame, false)?;
        frame.mask = mask::after(frame.mask, part.len());
        frame.missing -= part.len();
        frame.is_buffered |= !part.is_empty();
        self.frame = Some(frame);
        Ok(())
    }

    /// Ends a frame with the rest of its payload, which begins at `start` in the input.
    fn end_frame(&mut self, frame: Frame, rest: &[u8], start: usize) -> Result<Whole, Violation> {
        self.is_returned = true;
        let is_control = frame.opcode.is_control();
        let is_in_input =
            if is_control { !frame.is_buffered } else { frame.is_final && self.buffer.is_empty() };
        if !is_in_input {
            self.extend_buffer(frame, rest);
            self.check_text(frame, frame.is_final)?;
        } else if !is_control && self.message == Some(Kind::Text) && str::from_utf8(rest).is_err() {
            return Err(Violation::InvalidUtf8);
        }
        if !is_control && !frame.is_final {
            return Ok(Whole::Fragment);
        }
        let from = if is_control { self.message_len } else { 0 };
        let place = if is_in_input {
            Place::Input(start..start + rest.len())
        } else {
            Place::Buffer(from..self.buffer.len())
        };
        Ok(match frame.opcode {
            Opcode::Ping => Whole::Ping(place),
            Opcode::Pong => Whole::Pong,
            Opcode::Close => {
                let payload = if is_in_input { rest } else { &self.buffer[from..] };
                Whole::Close(parse_close(payload)?)
            }
            Opcode::Continuation | Opcode::Text | Opcode::Binary => match self.message.take() {
                Some(Kind::Text) => Whole::Text(place),
                _ => Whole::Binary(place),
            },
        })
    }

    /// Appends payload to the buffer, whose capacity stays below twice its length: it grows to what is certain
    /// to be needed, or doubles if the message may continue.
    fn extend_buffer(&mut self, frame: Frame, part: &[u8]) {
        let len = self.buffer.len() + part.len();
        if len > self.buffer.capacity() {
            let is_end_known = frame.is_final || frame.opcode.is_control();
            let most =
                if is_end_known { self.buffer.len() + frame.missing } else { self.max_message };
            let capacity = len.max(most.min(2 * self.buffer.capacity()));
            self.buffer.reserve_exact(capacity - self.buffer.len());
        }
        self.buffer.extend_from_slice(part);
        if !frame.opcode.is_control() {
            self.message_len = self.buffer.len();
        }
    }

    /// Checks that the buffered text is UTF-8 so far, or as a whole if `is_end`.
    fn check_text(&mut self, frame: Frame, is_end: bool) -> Result<(), Violation> {
        if frame.opcode.is_control() || self.message != Some(Kind::Text) {
            return Ok(());
        }
        match str::from_utf8(&self.buffer[self.valid_len..]) {
            Ok(_) => self.valid_len = self.buffer.len(),
            // An error without a length only means that the text breaks off inside a character.
            Err(error) if is_end || error.error_len().is_some() => {
                return Err(Violation::InvalidUtf8);
            }
            Err(error) => self.valid_len += error.valid_up_to(),
        }
        Ok(())
    }
}

/// The code of a close, if it has one.
fn parse_close(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else { return Ok(None) };
    let code = u16::from_be_bytes(*code);
    // The others are reserved, or stand for closes without a code.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::InvalidClose);
    }
    if str::from_utf8(reason).is_err() {
        return Err(Violation::InvalidUtf8);
    }
    Ok(Some(code))
}
