//! Frames: a `u16` length, big-endian, then that many bytes of payload.
//!
//! A frame's end is never in doubt, so cutting frames cannot fail. What is inside them is for
//! [`Command::parse`](crate::Command::parse) to judge.

use std::fmt;

/// Bytes of a frame before its payload.
pub const HEADER_LEN: usize = 2;

/// The longest payload, in bytes. The length counts the payload only, not the header.
pub const MAX_PAYLOAD: usize = u16::MAX as usize;

/// Cuts a byte stream into frames, whatever the chunks it arrives in.
///
/// Frames that lie whole in a chunk are lent out of it without a copy. Only the part of a frame
/// that is left at the end of a chunk is kept: at most `HEADER_LEN + MAX_PAYLOAD` bytes, and none
/// at all between frames. Who stops before the end of a chunk may have all the rest of it kept:
/// see [`Frames::keep`].
#[derive(Debug, Default)]
pub struct FrameDecoder {
    /// What nobody has had so far. It begins with a frame, which has not ended unless it was kept.
    held: Vec<u8>,
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    pub const fn new() -> Self {
        Self { held: Vec::new() }
    }

    /// Takes the next chunk of the stream. The frames it completes are had from the result, which
    /// keeps what is left over for the next call when it is dropped.
    pub fn feed<'a>(&'a mut self, chunk: &'a [u8]) -> Frames<'a> {
        Frames { held: &mut self.held, had: 0, chunk }
    }

    /// Bytes held: 0 when the stream stands between two frames and none was kept.
    pub fn held_len(&self) -> usize {
        self.held.len()
    }

    /// What is held: mostly the beginning of a frame, its header included.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// Whether a whole frame is held: to be had without another chunk.
    pub fn holds_frame(&self) -> bool {
        holds_frame(&self.held)
    }
}

/// The frames of one chunk: see [`FrameDecoder::feed`].
#[derive(Debug)]
pub struct Frames<'a> {
    held: &'a mut Vec<u8>,
    /// Bytes of `held` that the caller was lent, to be forgotten.
    had: usize,
    chunk: &'a [u8],
}

impl Frames<'_> {
    /// The payload of the next whole frame, or `None` when more bytes are needed.
    pub fn next_frame(&mut self) -> Option<&[u8]> {
        if self.had < self.held.len() {
            return self.next_held();
        }
        self.forget_had();
        let end = frame_len(self.chunk)?;
        if self.chunk.len() < end {
            return None;
        }
        let (frame, rest) = self.chunk.split_at(end);
        self.chunk = rest;
        Some(&frame[HEADER_LEN..])
    }

    /// Stops before the end: everything that was not had is kept, whole frames too, as many bytes as
    /// there are. The next chunk may be empty.
    pub fn keep(mut self) {
        self.forget_had();
        if !self.chunk.is_empty() {
            self.held.reserve_exact(self.chunk.len());
            self.held.extend_from_slice(self.chunk);
        }
        // What is kept is not to be cut.
        std::mem::forget(self);
    }

    fn next_held(&mut self) -> Option<&[u8]> {
        if !holds_frame(&self.held[self.had..]) {
            return self.complete_held();
        }
        let start = self.had;
        self.had += frame_len(&self.held[start..])?;
        Some(&self.held[start + HEADER_LEN..self.had])
    }

    /// Moves bytes from the chunk into the frame begun earlier, until it is whole.
    fn complete_held(&mut self) -> Option<&[u8]> {
        self.forget_had();
        if self.held.len() < HEADER_LEN {
            self.take(HEADER_LEN);
        }
        let end = frame_len(self.held)?;
        self.take(end);
        if self.held.len() < end {
            return None;
        }
        self.had = end;
        Some(&self.held[HEADER_LEN..])
    }

    /// Moves bytes until `held` is `len` long or the chunk is used up.
    ///
    /// Memory follows what has arrived, not what a header promises: three bytes that announce a
    /// frame of 64 KiB do not cost 64 KiB.
    fn take(&mut self, len: usize) {
        let missing = len.saturating_sub(self.held.len());
        let (taken, rest) = self.chunk.split_at(missing.min(self.chunk.len()));
        let needed = self.held.len() + taken.len();
        if needed > self.held.capacity() {
            let capacity = needed.max((2 * self.held.capacity()).min(len));
            self.held.reserve_exact(capacity - self.held.len());
        }
        self.held.extend_from_slice(taken);
        self.chunk = rest;
    }

    /// Forgets what the caller was lent. Memory is given back as soon as nothing is in it.
    fn forget_had(&mut self) {
        match std::mem::take(&mut self.had) {
            0 => {}
            had if had == self.held.len() => *self.held = Vec::new(),
            had => drop(self.held.drain(..had)),
        }
    }
}

impl Drop for Frames<'_> {
    /// Keeps the beginning of the frame that the chunk ended in. Whole frames that nobody asked for
    /// are cut and dropped: the stream stays in step.
    fn drop(&mut self) {
        while self.next_frame().is_some() {}
        if !self.chunk.is_empty() {
            self.take(frame_len(self.chunk).unwrap_or(HEADER_LEN));
        }
    }
}

fn holds_frame(bytes: &[u8]) -> bool {
    frame_len(bytes).is_some_and(|len| len <= bytes.len())
}

/// The length of the frame that `bytes` begins with, header included, once the header is there.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<HEADER_LEN>()?;
    Some(HEADER_LEN + usize::from(u16::from_be_bytes(*header)))
}

/// A payload that does not fit a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameTooLong {
    /// The payload's length in bytes, above [`MAX_PAYLOAD`].
    pub len: usize,
}

impl fmt::Display for FrameTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a payload of {} bytes does not fit a frame of at most {MAX_PAYLOAD}", self.len)
    }
}

impl std::error::Error for FrameTooLong {}

/// Appends one frame to `out`, its payload written by `payload`.
///
/// # Errors
/// [`FrameTooLong`] when the payload is longer than [`MAX_PAYLOAD`]; `out` is then as it was.
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
            assert!(decoder.held_len() < HEADER_LEN + MAX_PAYLOAD);
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
            assert_eq!(decoder.held_len(), 0);
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
    fn frames_nobody_asked_for_do_not_put_the_stream_out_of_step() {
        let bytes = stream(&[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        let mut decoder = FrameDecoder::new();
        assert_eq!(decoder.feed(&bytes[..12]).next_frame(), Some(&b"one"[..]));
        assert_eq!(decoder.feed(&bytes[12..]).next_frame(), Some(&b"three"[..]));
    }

    #[test]
    fn p2_nothing_is_held_between_frames() {
        let bytes = stream(&[vec![b'x'; 5_000]]);
        let (_, decoder) = decode(bytes.chunks(7));
        assert_eq!(decoder.held.capacity(), 0);
    }

    #[test]
    fn what_is_kept_comes_first_and_is_given_back() {
        let bytes = stream(&[b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
        let (first, last) = bytes.split_at(bytes.len() - 1);
        let mut decoder = FrameDecoder::new();
        let mut frames = decoder.feed(first);
        assert_eq!(frames.next_frame(), Some(&b"one"[..]));
        frames.keep();
        assert!(decoder.holds_frame());
        let mut frames = decoder.feed(last);
        assert_eq!(frames.next_frame(), Some(&b"two"[..]));
        frames.keep();
        assert!(decoder.holds_frame());
        assert_eq!(decoder.feed(&[]).next_frame(), Some(&b"three"[..]));
        assert_eq!((decoder.holds_frame(), decoder.held.capacity()), (false, 0));
    }

    proptest! {
        /// Who takes a few frames at a time and has the rest kept gets the same frames.
        #[test]
        fn keeping_never_matters(
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
                frames.keep();
            }
            let mut frames = decoder.feed(rest);
            while let Some(payload) = frames.next_frame() {
                got.push(payload.to_vec());
            }
            drop(frames);
            prop_assert_eq!(got, payloads);
            prop_assert_eq!(decoder.held_len(), 0);
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
            prop_assert_eq!(decoder.held_len(), 0);
        }
    }
}
