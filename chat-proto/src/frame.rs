//! Frames: a `u16` length, big-endian, then that many bytes of payload.
//!
//! Every length is valid, so decoding frames cannot fail. [`Command::parse`](crate::Command::parse) decides whether a
//! payload makes sense.

use std::fmt;
use std::mem;

/// Bytes in front of the payload.
pub const HEADER_LEN: usize = 2;

/// The longest payload, in bytes. The header does not count.
pub const MAX_PAYLOAD: usize = u16::MAX as usize;

/// Decodes a byte stream into frames, whatever chunks it arrives in.
///
/// A frame that lies whole in one chunk is borrowed from it without a copy. Only the incomplete frame
/// at the end of a chunk is buffered: at most `HEADER_LEN + MAX_PAYLOAD` bytes, and no memory at all
/// between frames. [`Frames::buffer_rest`] buffers more. The [capacity](Self::capacity) is at most twice
/// what is buffered.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    /// Bytes not returned yet. They begin with a frame, which is incomplete unless
    /// [`Frames::buffer_rest`] put it here.
    buffer: Vec<u8>,
}

impl FrameDecoder {
    /// Returns a decoder at the start of a stream.
    pub const fn new() -> Self {
        Self { buffer: Vec::new() }
    }

    /// Decodes the next chunk of the stream. Dropping the result buffers what is left of the chunk.
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> Frames<'a> {
        Frames { buffer: &mut self.buffer, returned: 0, chunk }
    }

    /// The buffered bytes, header included: empty between frames, otherwise the beginning of an incomplete frame.
    /// After [`Frames::buffer_rest`], they may hold whole frames, too.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Bytes of memory allocated for what is buffered.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Whether a whole frame is buffered: [`feed`](Self::feed) returns it even for an empty chunk.
    pub fn has_frame(&self) -> bool {
        begins_with_frame(&self.buffer)
    }
}

/// The frames of one chunk. Returned by [`FrameDecoder::feed`].
///
/// Dropping it buffers the incomplete frame at the end of the chunk, and discards whole frames that were
/// not read, so that the stream stays in step.
#[derive(Debug)]
pub struct Frames<'a> {
    buffer: &'a mut Vec<u8>,
    /// Bytes at the start of `buffer` that were returned, and may be discarded.
    returned: usize,
    chunk: &'a [u8],
}

impl Frames<'_> {
    /// Returns the payload of the next whole frame, or `None` when it is not complete yet.
    #[inline]
    pub fn next_frame(&mut self) -> Option<&[u8]> {
        if self.returned < self.buffer.len() {
            return self.next_buffered();
        }
        self.discard_returned();
        let end = frame_len(self.chunk)?;
        if self.chunk.len() < end {
            return None;
        }
        let (frame, rest) = self.chunk.split_at(end);
        self.chunk = rest;
        Some(&frame[HEADER_LEN..])
    }

    /// Stops early: buffers everything not returned yet, whole frames included, however long. The next
    /// call of [`FrameDecoder::feed`] returns it first, and may be given an empty chunk.
    #[inline]
    pub fn buffer_rest(mut self) {
        self.discard_returned();
        if !self.chunk.is_empty() {
            self.buffer.reserve_exact(self.chunk.len());
            self.buffer.extend_from_slice(self.chunk);
        }
        // `drop` would discard the whole frames.
        mem::forget(self);
    }

    fn next_buffered(&mut self) -> Option<&[u8]> {
        if !begins_with_frame(&self.buffer[self.returned..]) {
            return self.complete_buffered();
        }
        let start = self.returned;
        self.returned += frame_len(&self.buffer[start..])?;
        Some(&self.buffer[start + HEADER_LEN..self.returned])
    }

    /// Completes the buffered frame with bytes of the chunk.
    fn complete_buffered(&mut self) -> Option<&[u8]> {
        self.discard_returned();
        if self.buffer.len() < HEADER_LEN {
            self.fill_to(HEADER_LEN);
        }
        let end = frame_len(self.buffer)?;
        self.fill_to(end);
        if self.buffer.len() < end {
            return None;
        }
        self.returned = end;
        Some(&self.buffer[HEADER_LEN..])
    }

    /// Moves bytes until `buffer` is `len` long or the chunk is empty.
    ///
    /// Memory follows what has arrived, not what a header announces: three bytes that announce a frame
    /// of 64 KiB do not cost 64 KiB.
    fn fill_to(&mut self, len: usize) {
        let missing = len.saturating_sub(self.buffer.len());
        let (moved, rest) = self.chunk.split_at(missing.min(self.chunk.len()));
        let needed = self.buffer.len() + moved.len();
        if needed > self.buffer.capacity() {
            let capacity = needed.max((2 * self.buffer.capacity()).min(len));
            self.buffer.reserve_exact(capacity - self.buffer.len());
        }
        self.buffer.extend_from_slice(moved);
        self.chunk = rest;
    }

    /// Discards the returned bytes and gives memory back; otherwise one pending byte could hold as much memory as the
    /// longest frame before it.
    #[inline]
    fn discard_returned(&mut self) {
        if self.returned > 0 {
            self.discard();
        }
    }

    #[cold]
    fn discard(&mut self) {
        let returned = mem::take(&mut self.returned);
        let rest = &self.buffer[returned..];
        if 2 * rest.len() < self.buffer.capacity() {
            *self.buffer = rest.to_vec();
        } else {
            drop(self.buffer.drain(..returned));
        }
    }
}

impl Drop for Frames<'_> {
    fn drop(&mut self) {
        while self.next_frame().is_some() {}
        if !self.chunk.is_empty() {
            self.fill_to(frame_len(self.chunk).unwrap_or(HEADER_LEN));
        }
    }
}

fn begins_with_frame(bytes: &[u8]) -> bool {
    frame_len(bytes).is_some_and(|len| len <= bytes.len())
}

/// The length of the frame at the start of `bytes`, header included; `None` before the header is
/// complete.
pub(crate) fn frame_len(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<HEADER_LEN>()?;
    Some(HEADER_LEN + usize::from(u16::from_be_bytes(*header)))
}

/// A payload does not fit a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrameTooLong {
    /// The length of the payload in bytes, more than [`MAX_PAYLOAD`].
    pub len: usize,
}

impl fmt::Display for FrameTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a payload of {} bytes does not fit a frame of at most {MAX_PAYLOAD}", self.len)
    }
}

impl std::error::Error for FrameTooLong {}

/// Appends one frame to `out`; `payload` appends the payload.
///
/// # Errors
/// [`FrameTooLong`] when the payload is longer than [`MAX_PAYLOAD`]; `out` is then unchanged.
pub fn write_frame(
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), FrameTooLong> {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    payload(out);
    let len = out.len() - start - HEADER_LEN;
    let Ok(header) = u16::try_from(len) else {
        out.truncate(start);
        return Err(FrameTooLong { len });
    };
    out[start..start + HEADER_LEN].copy_from_slice(&header.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(payloads: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for payload in payloads {
            write_frame(&mut out, |out| out.extend_from_slice(payload)).expect("short enough");
        }
        out
    }

    fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, FrameDecoder) {
        let mut decoder = FrameDecoder::new();
        let mut got = Vec::new();
        for chunk in chunks {
            let mut frames = decoder.feed(chunk);
            while let Some(payload) = frames.next_frame() {
                got.push(payload.to_vec());
            }
            drop(frames);
            assert!(decoder.buffered().len() < HEADER_LEN + MAX_PAYLOAD);
            assert!(decoder.capacity() <= 2 * decoder.buffered().len());
        }
        (got, decoder)
    }

    #[test]
    fn p3_frames_split_at_every_byte_are_the_same_frames() {
        let payloads = vec![b"{}".to_vec(), Vec::new(), vec![b'x'; 300], b"end".to_vec()];
        let bytes = stream(&payloads);
        for at in 0..=bytes.len() {
            let (got, decoder) = decode([&bytes[..at], &bytes[at..]]);
            assert_eq!(got, payloads, "split at {at}");
            assert_eq!(decoder.buffered().len(), 0);
        }
        let (got, _) = decode(bytes.chunks(1));
        assert_eq!(got, payloads, "byte by byte");
    }

    #[test]
    fn p3_many_frames_in_one_chunk_come_out_one_by_one() {
        let payloads = vec![Vec::new(); 21_845];
        let (got, _) = decode([stream(&payloads).as_slice()]);
        assert_eq!(got, payloads);
    }

    #[test]
    fn p2_p11_the_largest_frame_is_65_535_bytes_and_one_more_is_refused() {
        let payloads = vec![vec![b' '; MAX_PAYLOAD]];
        let bytes = stream(&payloads);
        assert_eq!(bytes[..HEADER_LEN], [0xff, 0xff]);
        assert_eq!(decode(bytes.chunks(1_000)).0, payloads);

        let mut out = b"before".to_vec();
        let error = write_frame(&mut out, |out| out.resize(out.len() + MAX_PAYLOAD + 1, b' '));
        assert_eq!(error, Err(FrameTooLong { len: MAX_PAYLOAD + 1 }));
        assert_eq!(out, b"before");
    }

    #[test]
    fn the_length_is_big_endian_and_counts_the_payload_only() {
        let mut out = Vec::new();
        write_frame(&mut out, |out| out.extend_from_slice(&[b'a'; 258])).expect("short enough");
        assert_eq!(out[..HEADER_LEN], [1, 2]);
        assert_eq!(out.len(), HEADER_LEN + 258);
    }

    #[test]
    fn skipped_frames_leave_the_stream_in_step() {
        let bytes = stream(&[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        let mut decoder = FrameDecoder::new();
        assert_eq!(decoder.feed(&bytes[..12]).next_frame(), Some(&b"one"[..]));
        assert_eq!(decoder.feed(&bytes[12..]).next_frame(), Some(&b"three"[..]));
    }

    #[test]
    fn p2_nothing_is_buffered_between_frames() {
        let bytes = stream(&[vec![b'x'; 5_000]]);
        let (_, decoder) = decode(bytes.chunks(7));
        assert_eq!(decoder.capacity(), 0);
    }

    #[test]
    fn b1_one_byte_does_not_hold_the_memory_of_the_frame_before_it() {
        let mut bytes = stream(&[b"{}".to_vec(), vec![b'x'; 65_000]]);
        bytes.push(0);
        let mut decoder = FrameDecoder::new();
        let mut frames = decoder.feed(&bytes);
        assert_eq!(frames.next_frame(), Some(&b"{}"[..]));
        frames.buffer_rest();
        assert_eq!(decoder.capacity(), 65_003, "what has to wait, and no more");
        let mut frames = decoder.feed(&[]);
        assert_eq!(frames.next_frame().map(<[u8]>::len), Some(65_000));
        frames.buffer_rest();
        assert_eq!((decoder.buffered(), decoder.capacity()), (&[0][..], 1));
    }

    #[test]
    fn buffered_frames_come_first_and_their_memory_is_freed() {
        let bytes = stream(&[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        let (first, last) = bytes.split_at(bytes.len() - 1);
        let mut decoder = FrameDecoder::new();
        let mut frames = decoder.feed(first);
        assert_eq!(frames.next_frame(), Some(&b"one"[..]));
        frames.buffer_rest();
        assert!(decoder.has_frame());
        let mut frames = decoder.feed(last);
        assert_eq!(frames.next_frame(), Some(&b"two"[..]));
        frames.buffer_rest();
        assert!(decoder.has_frame());
        assert_eq!(decoder.feed(&[]).next_frame(), Some(&b"three"[..]));
        assert_eq!((decoder.has_frame(), decoder.capacity()), (false, 0));
    }

    proptest! {
        /// Taking a few frames at a time and buffering the rest returns the same frames.
        #[test]
        fn buffering_the_rest_never_matters(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..30),
            cuts in prop::collection::vec((1_usize..300, 0_usize..4), 1..12),
        ) {
            let bytes = stream(&payloads);
            let (mut rest, mut got) = (bytes.as_slice(), Vec::new());
            let mut decoder = FrameDecoder::new();
            for (cut, most) in cuts.iter().cycle().take(1_000) {
                let (chunk, after) = rest.split_at((*cut).min(rest.len()));
                rest = after;
                let mut frames = decoder.feed(chunk);
                for _ in 0..*most {
                    got.extend(frames.next_frame().map(<[u8]>::to_vec));
                }
                frames.buffer_rest();
                prop_assert!(decoder.capacity() <= 2 * decoder.buffered().len());
            }
            let mut frames = decoder.feed(rest);
            while let Some(payload) = frames.next_frame() {
                got.push(payload.to_vec());
            }
            drop(frames);
            prop_assert_eq!(got, payloads);
            prop_assert_eq!(decoder.buffered().len(), 0);
        }

        #[test]
        fn p3_chunking_never_matters(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..12),
            cuts in prop::collection::vec(1usize..900, 1..12),
        ) {
            let bytes = stream(&payloads);
            let mut rest = bytes.as_slice();
            let mut chunks = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, after) = rest.split_at((*cut).min(rest.len()));
                chunks.push(chunk);
                rest = after;
            }
            let (got, decoder) = decode(chunks);
            prop_assert_eq!(got, payloads);
            prop_assert_eq!(decoder.buffered().len(), 0);
        }
    }
}
