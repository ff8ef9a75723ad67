//! Consecutive broadcasts of a room, in one piece of memory: what is given up at once.

use chat_proto::extended::Event;

/// Consecutive broadcasts.
#[derive(Debug)]
pub(super) struct Block {
    /// The number of the first.
    pub(super) first: u64,
    pub(super) bytes: Vec<u8>,
    /// Where each ends in `bytes`, and its time.
    pub(super) events: Vec<(u32, u64)>,
}

impl Block {
    /// Blocks of a room that keeps as much as it may.
    pub(super) const OF_ROOM: usize = 8;

    pub(super) fn new(first: u64) -> Self {
        Self { first, bytes: Vec::new(), events: Vec::new() }
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + self.events.capacity() * size_of::<(u32, u64)>()
    }

    /// The number after the last.
    pub(super) fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Adds a broadcast if its memory has room for it.
    #[inline]
    pub(super) fn add(&mut self, at: u64, payload: &[u8]) -> bool {
        let (bytes, events) = (&mut self.bytes, &mut self.events);
        let len = bytes.len() + payload.len();
        let Ok(end) = u32::try_from(len) else { return false };
        if len > bytes.capacity() || events.len() == events.capacity() {
            return false;
        }
        bytes.extend_from_slice(payload);
        events.push((end, at));
        true
    }

    /// Makes room for a broadcast, and for as much again, unless the block is full with so many bytes.
    pub(super) fn grow(&mut self, payload: &[u8], full: usize) -> bool {
        let len = self.bytes.len() + payload.len();
        if len > full {
            return false;
        }
        if len > self.bytes.capacity() {
            let capacity = (2 * self.bytes.capacity()).min(full).max(len);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.events.reserve(1);
        true
    }

    /// A block without broadcasts in the memory of this one, unless that is more than usual.
    pub(super) fn recycle(mut self, first: u64, full: usize) -> Self {
        if self.bytes.capacity() > full {
            return Self::new(first);
        }
        self.bytes.clear();
        self.events.clear();
        Self { first, ..self }
    }

    /// Gives memory back that it will not need. Keeps an eighth to spare: whoever recycles it may need that.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to(self.bytes.len() + self.bytes.len() / 8);
        self.events.shrink_to(self.events.len() + self.events.len() / 8);
    }

    pub(super) fn event(&self, seq: u64) -> Event<'_> {
        let index = (seq - self.first) as usize;
        let from = index.checked_sub(1).map_or(0, |before| self.events[before].0 as usize);
        let (end, at) = self.events[index];
        Event { seq, at, payload: &self.bytes[from..end as usize] }
    }
}
