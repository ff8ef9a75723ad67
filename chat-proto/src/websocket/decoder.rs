//! The decoder: chunks in, events out, with a buffer for what the caller leaves for later.

use std::mem;

use super::assembler::{Assembler, Whole};
use super::header::Peer;
use super::mask;
use super::violation::Violation;

/// Decodes a byte stream into WebSocket messages, whatever chunks it arrives in.
///
/// What it has returned after `n` bytes of the stream depends on those bytes alone, not on the chunks: each event
/// comes with the last byte of its frame, and a violation with the first byte that makes it certain. That is a byte of
/// the header, the last byte of a length, the first byte that cannot continue a text, or the last byte of a close.
/// After a violation or a close, it returns nothing more.
///
/// A frame that lies whole in one chunk is unmasked in place, and a message of one such frame is borrowed from
/// there without a copy. Only what is incomplete at the end of a chunk is buffered: at most 14 bytes of a
/// header, one message and one control frame, and no memory at all between messages.
/// [`Events::buffer_rest`] buffers more. The [capacity](Self::capacity) is at most twice what is
/// [buffered](Self::buffered), and 128 bytes.
#[derive(Debug)]
pub struct Decoder {
    stage: Stage,
    assembler: Assembler,
    /// Bytes that [`Events::buffer_rest`] put here. They begin with a whole frame.
    rest: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// The violation still has to be returned.
    Failed(Violation),
    Ended,
}

/// Something that the peer has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// A frame of a message that continues. It may have had no payload, yet it has cost something.
    Fragment,
    /// A ping with its payload, to be answered by a pong with the same payload.
    Ping(&'a [u8]),
    /// A pong.
    Pong,
    /// The end of the peer's stream, with its status code, if any.
    Close(Option<u16>),
}

impl Decoder {
    /// Returns a decoder at the start of a stream, after the HTTP request or response. A message may have
    /// `max_message` bytes of payload, over all its frames.
    pub const fn new(peer: Peer, max_message: usize) -> Self {
        Self { stage: Stage::Open, assembler: Assembler::new(peer, max_message), rest: Vec::new() }
    }

    /// Decodes the next chunk of the stream, unmasking it in place. Dropping the result buffers the incomplete
    /// frame at the end of the chunk.
    pub fn feed<'a>(&'a mut self, chunk: &'a mut [u8]) -> Events<'a> {
        Events { decoder: self, rest_read: 0, chunk }
    }

    /// Bytes buffered: an incomplete header, the payload of an incomplete message or control frame, and what
    /// [`Events::buffer_rest`] has kept.
    pub fn buffered(&self) -> usize {
        self.assembler.buffered() + self.rest.len()
    }

    /// Bytes of memory allocated for what is buffered.
    pub fn capacity(&self) -> usize {
        self.assembler.capacity() + self.rest.capacity()
    }

    /// Whether [`Events::buffer_rest`] has kept an event or a violation: [`feed`](Self::feed) returns it even
    /// for an empty chunk.
    pub fn has_rest(&self) -> bool {
        !self.rest.is_empty() || matches!(self.stage, Stage::Failed(_))
    }

    /// Whether neither a frame nor a message is incomplete. Input kept by [`Events::buffer_rest`], which comes later
    /// in the stream, does not count.
    pub fn is_between_messages(&self) -> bool {
        self.assembler.is_between_messages()
    }

    /// Whether a message has begun and is not complete. Control frames may come before its end.
    pub fn is_in_message(&self) -> bool {
        self.assembler.is_in_message()
    }

    /// Moves to a final `stage`, and frees the memory.
    fn end(&mut self, stage: Stage) {
        self.stage = stage;
        self.assembler.reset();
        self.rest = Vec::new();
    }
}

/// The events of one chunk. Returned by [`Decoder::feed`].
///
/// Dropping it buffers the incomplete frame at the end of the chunk, and discards events that were not read.
/// A violation among them is returned for the next chunk.
#[derive(Debug)]
pub struct Events<'a> {
    decoder: &'a mut Decoder,
    /// Bytes of the decoder's rest that were decoded.
    rest_read: usize,
    chunk: &'a mut [u8],
}

/// Where the bytes of a decoded frame came from.
enum Input<'a> {
    Chunk(&'a [u8]),
    /// The decoder's rest from an index on.
    Rest(usize),
}

impl<'a> Events<'a> {
    /// Returns the next event, or `None` when it is not complete yet. Returns the violation that ends the stream once.
    #[inline]
    pub fn next_event(&mut self) -> Option<Result<Event<'_>, Violation>> {
        match self.next_text() {
            Some(text) => Some(text.map(Event::Text)),
            None => self.next_of_any_kind(),
        }
    }

    /// Decodes the next message if it is what nearly all are: a text in one frame, all of it in the chunk. Returns
    /// `None` if it may be anything else.
    #[inline]
    fn next_text(&mut self) -> Option<Result<&'a str, Violation>> {
        let Decoder { stage: Stage::Open, assembler, rest } = &mut *self.decoder else {
            return None;
        };
        if !rest.is_empty() || !assembler.is_between_messages() {
            return None;
        }
        let (mask, payload) = assembler.whole_text(self.chunk)?;
        assembler.release();
        let (frame, chunk) = mem::take(&mut self.chunk).split_at_mut(payload.end);
        self.chunk = chunk;
        let payload = &mut frame[payload.start..];
        mask::apply(mask, payload);
        let text = str::from_utf8(payload).map_err(|_| Violation::InvalidUtf8);
        if text.is_err() {
            self.end(Stage::Ended);
        }
        Some(text)
    }

    fn next_of_any_kind(&mut self) -> Option<Result<Event<'_>, Violation>> {
        match self.decoder.stage {
            Stage::Open => {}
            Stage::Failed(violation) => {
                self.end(Stage::Ended);
                return Some(Err(violation));
            }
            Stage::Ended => {
                self.end(Stage::Ended);
                return None;
            }
        }
        let (whole, input) = match self.decode() {
            Ok(found) => found?,
            Err(violation) => {
                self.end(Stage::Ended);
                return Some(Err(violation));
            }
        };
        if let Whole::Close(_) = whole {
            self.decoder.stage = Stage::Ended;
        }
        let Decoder { assembler, rest, .. } = &*self.decoder;
        let input = match input {
            Input::Chunk(input) => input,
            Input::Rest(start) => &rest[start..],
        };
        Some(Ok(match whole {
            Whole::Text(place) => {
                let text = str::from_utf8(assembler.payload(place, input));
                Event::Text(text.expect("the assembler has checked it"))
            }
            Whole::Binary(place) => Event::Binary(assembler.payload(place, input)),
            Whole::Fragment => Event::Fragment,
            Whole::Ping(place) => Event::Ping(assembler.payload(place, input)),
            Whole::Pong => Event::Pong,
            Whole::Close(code) => Event::Close(code),
        }))
    }

    /// Stops early: buffers everything not returned yet, whole events included, however long. The next call of
    /// [`Decoder::feed`] returns it first, and may be given an empty chunk.
    #[inline]
    pub fn buffer_rest(mut self) {
        match self.decoder.stage {
            Stage::Open => self.keep_rest(),
            stage => self.end(stage),
        }
        // `drop` would discard the whole events.
        mem::forget(self);
    }

    /// Decodes the next frame of the rest, then of the chunk.
    fn decode(&mut self) -> Result<Option<(Whole, Input<'a>)>, Violation> {
        let Decoder { assembler, rest, .. } = &mut *self.decoder;
        if !rest.is_empty() {
            let start = self.rest_read;
            let step = assembler.decode(&mut rest[start..])?;
            self.rest_read += step.consumed;
            if let Some(whole) = step.whole {
                return Ok(Some((whole, Input::Rest(start))));
            }
            self.discard_read();
        }
        let chunk = mem::take(&mut self.chunk);
        let step = self.decoder.assembler.decode(chunk)?;
        let (decoded, chunk) = chunk.split_at_mut(step.consumed);
        self.chunk = chunk;
        Ok(step.whole.map(|whole| (whole, Input::Chunk(decoded))))
    }

    /// Buffers what was not decoded: unchanged if it begins with an event, otherwise as part of one.
    fn keep_rest(&mut self) {
        self.decoder.assembler.release();
        self.discard_read();
        let chunk = mem::take(&mut self.chunk);
        let Decoder { assembler, rest, .. } = &mut *self.decoder;
        let decoded = if rest.is_empty() && !assembler.has_whole(chunk) {
            assembler.decode(chunk)
        } else {
            rest.reserve_exact(chunk.len());
            rest.extend_from_slice(chunk);
            if assembler.has_whole(rest) {
                return;
            }
            assembler.decode(&mut mem::take(rest))
        };
        if let Err(violation) = decoded {
            self.end(Stage::Failed(violation));
        }
    }

    /// Discards what was decoded of the rest, and gives memory back.
    fn discard_read(&mut self) {
        let read = mem::take(&mut self.rest_read);
        if read == 0 {
            return;
        }
        let rest = &mut self.decoder.rest;
        if 2 * (rest.len() - read) < rest.capacity() {
            *rest = rest[read..].to_vec();
        } else {
            drop(rest.drain(..read));
        }
    }

    fn end(&mut self, stage: Stage) {
        self.rest_read = 0;
        self.chunk = &mut [];
        self.decoder.end(stage);
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        while let Some(event) = self.next_event() {
            if let Err(violation) = event {
                self.decoder.stage = Stage::Failed(violation);
                return;
            }
        }
    }
}
