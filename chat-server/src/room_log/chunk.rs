//! A piece of a room's log: frames encoded once, shared by every member that still needs them.

use std::cell::OnceCell;
use std::ops::Range;

use super::memory_share::MemoryShare;
use crate::net::ConnKey;

/// Consecutive broadcasts of one room, as bytes.
///
/// A chunk grows only while its room alone refers to it; taking another reference seals it.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// The position of its first byte in the room's log.
    start: u64,
    bytes: Vec<u8>,
    /// Ranges withheld from their own speakers, in order.
    spoken: Vec<Spoken>,
    /// The chunk's share of the pool's count, once the room has released it while a connection has not.
    pub(super) share: OnceCell<MemoryShare>,
}

/// A range of a chunk that one member does not receive, because that member said it.
#[derive(Debug)]
struct Spoken {
    by: ConnKey,
    range: Range<usize>,
}

impl Chunk {
    /// A chunk of at least this many bytes takes no more appends. The frame that reaches the limit may overshoot, so a
    /// chunk is at most twice as long.
    const FULL: usize = 64 * 1024;

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The position of its end in the room's log.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Bytes of memory, including the reference counts.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>()
            + 2 * size_of::<usize>()
            + self.bytes.capacity()
            + self.spoken.capacity() * size_of::<Spoken>()
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= Self::FULL
    }

    /// Appends what `encode` writes, to be withheld from `speaker`.
    pub(crate) fn append(&mut self, speaker: Option<ConnKey>, encode: impl FnOnce(&mut Vec<u8>)) {
        let from = self.bytes.len();
        encode(&mut self.bytes);
        let range = from..self.bytes.len();
        let Some(by) = speaker else { return };
        match self.spoken.last_mut() {
            Some(last) if last.by == by && last.range.end == from => last.range.end = range.end,
            _ => self.spoken.push(Spoken { by, range }),
        }
    }

    /// Empties the chunk, keeping its memory, to be filled from log position `start` on.
    pub(super) fn restart(&mut self, start: u64) {
        self.start = start;
        self.bytes.clear();
        self.spoken.clear();
    }

    /// The bytes from log position `position` on, unless that is before or beyond the chunk.
    pub(super) fn range_from(&self, position: u64) -> Option<Range<usize>> {
        let from = usize::try_from(position.checked_sub(self.start)?).ok()?;
        (from < self.bytes.len()).then_some(from..self.bytes.len())
    }

    /// The only speaker from log position `position` on: `Some(None)` if nobody spoke, `None` if several
    /// did.
    pub(super) fn only_speaker_from(&self, position: u64) -> Option<Option<ConnKey>> {
        let from = position.saturating_sub(self.start) as usize;
        let mut spoken = self.spoken.iter().rev().take_while(|spoken| spoken.range.end > from);
        let Some(last) = spoken.next() else { return Some(None) };
        spoken.all(|spoken| spoken.by == last.by).then_some(Some(last.by))
    }

    /// The ranges that `reader` receives from log position `position` on.
    pub(super) fn ranges_for(
        &self,
        reader: ConnKey,
        position: u64,
    ) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut from = position.saturating_sub(self.start) as usize;
        let passed = match from {
            0 => 0,
            from => self.spoken.partition_point(|spoken| spoken.range.end <= from),
        };
        let own = self.spoken[passed..].iter().filter(move |spoken| spoken.by == reader);
        let withheld = own.map(|spoken| spoken.range.clone());
        let len = self.bytes.len();
        withheld.chain(std::iter::once(len..len)).filter_map(move |withheld| {
            let range = from..withheld.start;
            from = from.max(withheld.end);
            (!range.is_empty()).then_some(range)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(parts: &[(Option<u32>, &str)]) -> Chunk {
        let mut chunk = Chunk::default();
        chunk.restart(100);
        for (speaker, text) in parts {
            let speaker = speaker.map(ConnKey::for_test);
            chunk.append(speaker, |out| out.extend_from_slice(text.as_bytes()));
        }
        chunk
    }

    fn read(chunk: &Chunk, position: u64, reader: u32) -> String {
        let ranges = chunk.ranges_for(ConnKey::for_test(reader), position);
        let parts = ranges.map(|r| std::str::from_utf8(&chunk.bytes()[r]).expect("ASCII"));
        parts.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn a_reader_gets_everything_but_what_it_said() {
        let chunk =
            chunk(&[(Some(1), "a"), (Some(1), "b"), (Some(2), "c"), (None, "d"), (Some(1), "e")]);
        assert_eq!(read(&chunk, 100, 1), "cd");
        assert_eq!(read(&chunk, 100, 2), "ab|de");
        assert_eq!(read(&chunk, 100, 3), "abcde");
        assert_eq!(chunk.spoken.len(), 3, "consecutive messages of one speaker are one range");
    }

    #[test]
    fn a_reader_begins_at_its_cursor() {
        let chunk = chunk(&[(Some(1), "ab"), (Some(2), "cd"), (None, "ef")]);
        assert_eq!(read(&chunk, 0, 3), "abcdef");
        assert_eq!(read(&chunk, 102, 1), "cdef");
        assert_eq!(read(&chunk, 104, 2), "ef");
        assert_eq!(read(&chunk, 105, 1), "f");
        assert_eq!(read(&chunk, chunk.end(), 1), "");
    }

    #[test]
    fn the_only_speaker_gets_nothing() {
        assert_eq!(read(&chunk(&[(Some(1), "ab"), (Some(1), "cd")]), 100, 1), "");
    }
}
