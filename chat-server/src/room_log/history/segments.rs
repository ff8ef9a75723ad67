//! The memory of all histories: one log of records in segments, in the order of their broadcasts, whatever their room.
//!
//! Rooms that wrote to memory of their own would each find it cold when their turn comes. The end of one log is always
//! in the cache. For the same reason rooms do not know each record, but runs of them.

use std::collections::VecDeque;
use std::ops::Range;

use chat_core::RoomId;
use chat_proto::extended::Event;

/// A broadcast as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) room: RoomId,
    pub(super) event: Event<'a>,
}

/// Consecutive broadcasts of one room whose records follow each other in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The number of the first.
    pub(super) first: u64,
    /// The number of the segment. Wraps around.
    segment: u32,
    /// Where they begin in the segment, and their length, in bytes.
    start: u32,
    len: u32,
}

/// Bytes of a record before its payload: room, number, time, and the length of the payload.
const HEADER: usize = 4 * size_of::<u64>();

impl Record<'_> {
    /// Bytes that it takes in a segment.
    pub(super) const fn space(payload: &[u8]) -> usize {
        HEADER + payload.len()
    }
}

impl Run {
    fn new(first: u64, segment: u32, start: usize, space: usize) -> Self {
        // Segments are shorter than 4 GiB.
        Self { first, segment, start: start as u32, len: space as u32 }
    }

    /// Bytes of the records.
    pub(super) fn space(self) -> usize {
        self.len as usize
    }

    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.space()
    }
}

#[derive(Debug)]
struct Segment {
    /// Its capacity never changes.
    bytes: Vec<u8>,
    /// Runs in it that have not been released.
    kept: u32,
}

impl Segment {
    fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity()
    }

    /// Adds a record if there is room for it.
    #[inline]
    fn add(&mut self, record: &Record<'_>, space: usize) -> bool {
        let Record { room, event } = *record;
        if self.bytes.len() + space > self.bytes.capacity() {
            return false;
        }
        let header = [room.number(), event.seq, event.at, event.payload.len() as u64];
        self.bytes.extend_from_slice(header.map(u64::to_le_bytes).as_flattened());
        self.bytes.extend_from_slice(event.payload);
        true
    }
}

/// The segments. Only the last one is written to; what goes is the first, as a whole.
#[derive(Debug)]
pub(super) struct Segments {
    segments: VecDeque<Segment>,
    /// The number of the first.
    first: u32,
    /// Bytes of a segment, unless a single record is longer.
    size: usize,
    /// The most bytes of a run with several records.
    longest_run: usize,
    memory: usize,
    /// Memory for the next segment.
    spare: Vec<u8>,
}

impl Segments {
    /// The most bytes of a segment with several records.
    const SIZE: usize = 64 * 1024;

    /// The most bytes of a run with several records: a record is looked for from the start of its run.
    const LONGEST_RUN: usize = 2 * 1024;

    /// Segments that together should take at most `most` bytes, and the records of a room `most_of_room`.
    pub(super) fn new(most_of_room: usize, most: usize) -> Self {
        Self {
            segments: VecDeque::new(),
            first: 0,
            size: Self::SIZE.min(most / 32),
            longest_run: Self::LONGEST_RUN.min(most_of_room / 8),
            memory: 0,
            spare: Vec::new(),
        }
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        self.memory + self.spare.capacity()
    }

    /// Memory of the next segment if its first record takes so many bytes.
    pub(super) fn next_memory(&self, space: usize) -> usize {
        size_of::<Segment>() + self.size.max(space)
    }

    /// Adds a record at the end of a run, if that is the end of the log and has room for it.
    #[inline(always)]
    pub(super) fn extend(&mut self, run: &mut Run, record: &Record<'_>) -> bool {
        let space = Record::space(record.event.payload);
        let is_last = run.segment == self.last();
        let Some(segment) = self.segments.back_mut().filter(|_| is_last) else { return false };
        if run.range().end != segment.bytes.len() || run.space() + space > self.longest_run {
            return false;
        }
        let is_added = segment.add(record, space);
        run.len += if is_added { space as u32 } else { 0 };
        is_added
    }

    /// Adds a record to the last segment, if there is room in that. Returns the run that it begins.
    #[inline]
    pub(super) fn append(&mut self, record: &Record<'_>) -> Option<Run> {
        let space = Record::space(record.event.payload);
        let number = self.last();
        let segment = self.segments.back_mut()?;
        let start = segment.bytes.len();
        if !segment.add(record, space) {
            return None;
        }
        segment.kept += 1;
        Some(Run::new(record.event.seq, number, start, space))
    }

    /// The number of the last segment.
    fn last(&self) -> u32 {
        self.first.wrapping_add(self.segments.len() as u32).wrapping_sub(1)
    }

    /// Moves the records of a run to the end. Returns where they are now.
    pub(super) fn add_moved(&mut self, run: Run, from: &Oldest) -> Run {
        let bytes = &from.bytes[run.range()];
        if !self.has_room(bytes.len()) {
            self.begin(bytes.len());
        }
        let (number, index) = (self.last(), self.segments.len() - 1);
        let segment = &mut self.segments[index];
        let start = segment.bytes.len();
        segment.bytes.extend_from_slice(bytes);
        segment.kept += 1;
        Run::new(run.first, number, start, bytes.len())
    }

    /// Whether the last segment has room for a record of so many bytes.
    pub(super) fn has_room(&self, space: usize) -> bool {
        let fits = |last: &Segment| last.bytes.len() + space <= last.bytes.capacity();
        self.segments.back().is_some_and(fits)
    }

    /// Begins a segment with room for a record of so many bytes.
    pub(super) fn begin(&mut self, space: usize) {
        let size = self.size.max(space);
        let mut bytes = std::mem::take(&mut self.spare);
        if bytes.capacity() != size {
            bytes = Vec::with_capacity(size);
        }
        let segment = Segment { bytes, kept: 0 };
        self.memory += segment.memory();
        self.segments.push_back(segment);
    }

    /// The broadcasts of a run that has not been released.
    #[inline]
    pub(super) fn events(&self, run: Run) -> impl Iterator<Item = Event<'_>> {
        let segment = &self.segments[run.segment.wrapping_sub(self.first) as usize];
        records(&segment.bytes[run.range()]).map(|(_, record)| record.event)
    }

    /// Notes that nobody needs a run any more. Its segment may have been taken out.
    #[inline]
    pub(super) fn release(&mut self, run: Run) {
        let index = run.segment.wrapping_sub(self.first) as usize;
        if let Some(segment) = self.segments.get_mut(index) {
            segment.kept -= 1;
        }
    }

    /// Takes the first segment out, with runs that are kept. They are to be moved, or forgotten.
    pub(super) fn take_oldest(&mut self) -> Option<Oldest> {
        let Segment { bytes, .. } = self.pop()?;
        Some(Oldest { number: self.first.wrapping_sub(1), bytes })
    }

    fn pop(&mut self) -> Option<Segment> {
        let segment = self.segments.pop_front()?;
        self.first = self.first.wrapping_add(1);
        self.memory -= segment.memory();
        if self.segments.is_empty() {
            self.spare = Vec::new();
        }
        Some(segment)
    }

    /// Keeps memory for the next segment.
    pub(super) fn recycle(&mut self, mut bytes: Vec<u8>) {
        if !self.segments.is_empty() {
            bytes.clear();
            self.spare = bytes;
        }
    }

    /// Drops the first segments as long as nobody needs any of their records.
    pub(super) fn drop_released(&mut self) {
        while self.segments.front().is_some_and(|first| first.kept == 0)
            && let Some(first) = self.pop()
        {
            self.recycle(first.bytes);
        }
    }
}

/// A segment that has been taken out.
#[derive(Debug)]
pub(super) struct Oldest {
    number: u32,
    pub(super) bytes: Vec<u8>,
}

impl Oldest {
    /// All its records, kept or not, with their positions.
    pub(super) fn records(&self) -> impl Iterator<Item = (usize, Record<'_>)> {
        records(&self.bytes)
    }

    /// Whether a run begins here.
    pub(super) fn begins(&self, run: Run, start: usize) -> bool {
        run.segment == self.number && run.range().start == start
    }
}

/// The records in a piece of a segment, with their positions.
fn records(bytes: &[u8]) -> impl Iterator<Item = (usize, Record<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (header, rest) = bytes.get(at..)?.split_first_chunk::<HEADER>()?;
        let mut words = header.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
        let room = RoomId::new(words.next()?).ok()?;
        let (seq, time, len) = (words.next()?, words.next()?, words.next()?);
        let event = Event { seq, at: time, payload: rest.get(..usize::try_from(len).ok()?)? };
        let start = at;
        at += Record::space(event.payload);
        Some((start, Record { room, event }))
    })
}

#[cfg(test)]
impl Segments {
    /// Runs that are kept, as counted.
    pub(super) fn count_kept(&self) -> usize {
        self.segments.iter().map(|segment| segment.kept as usize).sum()
    }

    /// Memory, counted from scratch.
    pub(super) fn count_memory(&self) -> usize {
        self.spare.capacity() + self.segments.iter().map(Segment::memory).sum::<usize>()
    }
}
