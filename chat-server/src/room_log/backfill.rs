//! Parts of a history that go back beyond what is in memory: the rest is read from the store, on a thread of the pool.

use std::sync::Arc;

use chat_core::RoomId;
use chat_proto::Framing;
use chat_proto::extended::{Event, HistoryHead, HistorySpace, RequestId, Since};

use super::history::{Histories, Part};
use super::store::{Readers, StoredPart};

/// A part of a history that is to be completed from the store.
#[derive(Debug)]
pub(crate) struct Backfill {
    readers: Arc<Readers>,
    room: RoomId,
    since: Since,
    limit: usize,
    /// The number of the first broadcast in memory: the store has those before it.
    end: u64,
    /// What is in memory of the part.
    memory: Remembered,
}

/// A copy of a part that is in memory.
#[derive(Debug)]
struct Remembered {
    from: u64,
    events: Vec<(u64, Vec<u8>)>,
    more: bool,
    /// Whether something after it was asked for as well, which fits no message.
    ends_early: bool,
}

impl Remembered {
    fn new(part: &Part<'_>, wanted_end: u64) -> Self {
        let events = part.events().map(|event| (event.at, event.payload.to_vec())).collect();
        let ends_early = part.end() < wanted_end;
        Self { from: part.from(), events, more: part.more, ends_early }
    }

    fn events(&self) -> impl Iterator<Item = Event<'_>> {
        let numbered = (self.from..).zip(&self.events);
        numbered.map(|(seq, (at, payload))| Event { seq, at: *at, payload })
    }
}

impl Histories {
    /// What is to be read from the store to complete a part, if something is missing and there is a store.
    pub(crate) fn backfill(
        &self,
        room: RoomId,
        since: Since,
        limit: usize,
        part: &Part<'_>,
    ) -> Option<Backfill> {
        let store = self.store().filter(|_| part.gap)?;
        let (readers, end) = (Arc::clone(store.readers()), self.first(room));
        let next = self.last(room) + 1;
        let wanted_end = match since {
            Since::Before(seq) => seq.min(next),
            Since::Last(_) => next,
            Since::After(_) => 0,
        };
        let memory = Remembered::new(part, wanted_end);
        Some(Backfill { readers, room, since, limit, end, memory })
    }
}

impl Backfill {
    /// Reads what is missing. Returns the frame for the client.
    pub(crate) fn read(&self, framing: Framing, re: Option<&RequestId>) -> Vec<u8> {
        let (from, remembered) = (self.memory.from, self.memory.events.len());
        let (since, limit) = match self.since {
            Since::After(_) => (self.since, self.limit),
            Since::Before(seq) => (Since::Before(seq.min(from)), self.limit - remembered),
            Since::Last(n) => (Since::Before(from), self.limit.min(n) - remembered),
        };
        let stored = self.readers.part(self.room, since, limit, self.end);
        let stored = stored.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot read the history");
            StoredPart::nothing(self.memory.from)
        });
        let (events, more, gap) = match self.since {
            Since::After(_) => self.forwards(&stored),
            Since::Before(_) | Since::Last(_) => self.backwards(&stored),
        };
        let from = events.first().map_or(stored.from(), |event| event.seq);
        let mut frame = Vec::new();
        HistoryHead { re, room: self.room, from, more, gap }.write(framing, events, &mut frame);
        frame
    }

    /// The stored part, and what follows it in memory as far as that fits, with `more` and `gap` as [`HistoryHead`] says.
    fn forwards<'a>(&'a self, stored: &'a StoredPart) -> (Vec<Event<'a>>, bool, bool) {
        let memory = &self.memory;
        let is_joined = stored.end() == memory.from;
        let following = memory.events().filter(|_| is_joined);
        let mut events: Vec<_> = stored.events().chain(following).collect();
        let mut space = HistorySpace::new(self.limit);
        let fitting = events.iter().take_while(|event| space.take(event)).count();
        let more = !is_joined || fitting < events.len() || memory.more;
        events.truncate(fitting);
        (events, more, stored.gap)
    }

    /// What is in memory, and what is stored right before it as far as that fits, with `more` and `gap`.
    fn backwards<'a>(&'a self, stored: &'a StoredPart) -> (Vec<Event<'a>>, bool, bool) {
        let memory = &self.memory;
        let is_joined = memory.events.is_empty() || stored.end() == memory.from;
        let preceding = stored.events().filter(|_| is_joined);
        let mut events: Vec<_> = preceding.chain(memory.events()).collect();
        let mut space = HistorySpace::new(self.limit);
        let fitting = events.iter().rev().take_while(|event| space.take(event)).count();
        let skipped = events.len() - fitting;
        events.drain(..skipped);
        let more = !is_joined || skipped > 0 || stored.more;
        let gap = memory.ends_early || !is_joined || (skipped == 0 && stored.gap);
        (events, more, gap)
    }
}
