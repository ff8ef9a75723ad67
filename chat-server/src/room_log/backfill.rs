//! Parts of a history that go back beyond what is in memory: the rest is read from the store, on a thread of the pool.

use std::sync::Arc;

use chat_core::RoomId;
use chat_proto::Framing;
use chat_proto::extended::{Event, HistoryHead, RequestId, Since};

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

    fn space(&self) -> usize {
        self.events().map(|event| event.space()).sum()
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
        match self.since {
            Since::After(_) => self.write_forwards(&stored, framing, re),
            Since::Before(_) | Since::Last(_) => self.write_backwards(&stored, framing, re),
        }
    }

    /// The stored part, and what follows it in memory as far as that fits.
    fn write_forwards(
        &self,
        stored: &StoredPart,
        framing: Framing,
        re: Option<&RequestId>,
    ) -> Vec<u8> {
        let memory = &self.memory;
        let (mut space, mut left) = (stored.space_left(), self.limit);
        left = left.saturating_sub((stored.end() - stored.from()) as usize);
        let is_joined = stored.end() == memory.from;
        let mut following = Vec::new();
        for event in memory.events().filter(|_| is_joined) {
            let Some(rest) = space.checked_sub(event.space()).filter(|_| left > 0) else { break };
            (space, left) = (rest, left - 1);
            following.push(event);
        }
        let is_all = is_joined && following.len() == memory.events.len();
        let head = HistoryHead {
            re,
            room: self.room,
            from: stored.from(),
            more: !is_all || memory.more,
            gap: stored.gap,
        };
        let mut frame = Vec::new();
        head.write(framing, stored.events().chain(following), &mut frame);
        frame
    }

    /// What is in memory, and what is stored right before it as far as that fits.
    fn write_backwards(
        &self,
        stored: &StoredPart,
        framing: Framing,
        re: Option<&RequestId>,
    ) -> Vec<u8> {
        let memory = &self.memory;
        let is_joined = memory.events.is_empty() || stored.end() == memory.from;
        let mut space = HistoryHead::SPACE - memory.space();
        let mut preceding: Vec<_> = stored.events().filter(|_| is_joined).collect();
        let fits = preceding.iter().rev().take_while(|event| {
            let rest = space.checked_sub(event.space());
            space = rest.unwrap_or(0);
            rest.is_some()
        });
        let skipped = preceding.len() - fits.count();
        preceding.drain(..skipped);
        let first_remembered = memory.events().next().map(|event| event.seq);
        let first = preceding.first().map(|event| event.seq).or(first_remembered);
        let from = first.unwrap_or(stored.from());
        let is_gap_before = if is_joined { skipped == 0 && stored.gap } else { true };
        let head = HistoryHead {
            re,
            room: self.room,
            from,
            more: skipped > 0 || stored.more || !is_joined,
            gap: memory.ends_early || is_gap_before,
        };
        let mut frame = Vec::new();
        head.write(framing, preceding.into_iter().chain(memory.events()), &mut frame);
        frame
    }
}
