//! The frame decoder: a stream has the same frames, whatever the pieces it arrives in.

use std::collections::HashSet;

use chat_proto::{FrameDecoder, HEADER_LEN, MAX_PAYLOAD, write_frame};

use crate::chunks::Chunks;

/// The input is the lengths of the pieces, then the stream.
///
/// - A stream in pieces has the same frames, and the same beginning of a last one, as the whole.
/// - The decoder buffers less than the frame that has begun.
/// - The frames and the rest, written again, are the stream.
/// - A caller that takes one frame per piece, and has the rest buffered, gets the same frames.
/// - Frames that nobody takes do not put the stream out of step.
///
/// # Panics
/// If a property is violated.
pub fn frame(mut data: &[u8]) {
    let chunks = Chunks::take_from(&mut data);
    let stream = data;
    let whole = decode([stream]);
    assert_eq!(whole, decode(chunks.cut(stream)), "cut at {chunks:?}");

    let (frames, partial) = whole;
    let mut again = Vec::with_capacity(stream.len());
    for frame in &frames {
        write_frame(&mut again, |out| out.extend_from_slice(frame)).expect("it came in a frame");
    }
    again.extend_from_slice(&partial);
    assert_eq!(again, stream, "written again");

    let mut hesitant = FrameDecoder::new();
    let mut taken = Vec::new();
    for chunk in chunks.cut(stream).chain(frames.iter().map(|_| &[][..])) {
        let mut some = hesitant.feed(chunk);
        taken.extend(some.next_frame().map(<[u8]>::to_vec));
        some.buffer_rest();
    }
    assert_eq!((taken, hesitant.buffered()), (frames.clone(), &partial[..]), "taken one by one");

    let sent: HashSet<_> = frames.iter().map(Vec::as_slice).collect();
    let mut careless = FrameDecoder::new();
    for chunk in chunks.cut(stream) {
        let mut frames = careless.feed(chunk);
        assert!(frames.next_frame().is_none_or(|first| sent.contains(first)), "nobody sent it");
    }
    assert_eq!(careless.buffered(), partial, "out of step");
}

/// All frames, and what is buffered in the end.
fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut decoder = FrameDecoder::new();
    let mut got = Vec::new();
    for chunk in chunks {
        let mut frames = decoder.feed(chunk);
        while let Some(frame) = frames.next_frame() {
            got.push(frame.to_vec());
        }
        drop(frames);
        let announced = match decoder.buffered().first_chunk::<HEADER_LEN>() {
            Some(header) => usize::from(u16::from_be_bytes(*header)),
            None => MAX_PAYLOAD,
        };
        assert!(decoder.buffered().len() < HEADER_LEN + announced, "a whole frame is held back");
    }
    (got, decoder.buffered().to_vec())
}
