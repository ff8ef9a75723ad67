//! What is to be written, as compact bytes: the reactor appends, and the writer reads. Nothing is allocated for a
//! broadcast.

use chat_core::{Name, RoomId, Title};
use rustc_hash::FxHashMap;

/// Changes in the order in which they happened.
#[derive(Debug, Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    events: u64,
}

/// One change, as it is read from a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change<'a> {
    Created { room: u64, at: u64, title: &'a [u8] },
    Closed { room: u64, at: u64 },
    Event(NewEvent<'a>),
}

/// A broadcast to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NewEvent<'a> {
    pub(super) room: u64,
    pub(super) seq: u64,
    pub(super) at: u64,
    pub(super) member: Option<&'a [u8]>,
    pub(super) payload: &'a [u8],
}

const CREATED: u8 = 1;
const CLOSED: u8 = 2;
const SAID: u8 = 3;
const TOLD: u8 = 4;

impl Batch {
    /// Bytes of a broadcast beside its payload, at least.
    pub(super) const LEAST_OF_EVENT: usize = 1 + 3 * 8 + 2 * 4;

    pub(super) fn created(&mut self, room: RoomId, title: &Title, at: u64) {
        self.head(CREATED, [room.number(), at]);
        self.part(title.as_str().as_bytes());
    }

    pub(super) fn closed(&mut self, room: RoomId, at: u64) {
        self.head(CLOSED, [room.number(), at]);
    }

    pub(super) fn event(
        &mut self,
        room: RoomId,
        seq: u64,
        at: u64,
        member: Option<&Name>,
        payload: &[u8],
    ) {
        self.head(if member.is_some() { SAID } else { TOLD }, [room.number(), seq, at]);
        self.part(member.map_or("", Name::as_str).as_bytes());
        self.part(payload);
        self.events += 1;
    }

    fn head<const N: usize>(&mut self, kind: u8, words: [u64; N]) {
        self.bytes.push(kind);
        words.iter().for_each(|word| self.bytes.extend_from_slice(&word.to_le_bytes()));
    }

    fn part(&mut self, part: &[u8]) {
        let len = u32::try_from(part.len()).expect("a payload fits a frame");
        self.bytes.extend_from_slice(&len.to_le_bytes());
        self.bytes.extend_from_slice(part);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Memory that it takes, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// The number of broadcasts.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Appends another batch, which is empty afterwards.
    pub(super) fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
        } else {
            self.bytes.extend_from_slice(&other.bytes);
            self.events += other.events;
        }
        other.clear();
    }

    /// Empties it. Keeps what memory a usual batch takes.
    pub(super) fn clear(&mut self) {
        const USUAL: usize = 1 << 20;
        self.bytes.clear();
        self.bytes.shrink_to(USUAL);
        self.events = 0;
    }

    pub(super) fn changes(&self) -> Changes<'_> {
        Changes(&self.bytes)
    }
}

/// The changes of a batch.
#[derive(Debug)]
pub(super) struct Changes<'a>(&'a [u8]);

impl<'a> Changes<'a> {
    fn word(&mut self) -> Option<u64> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*word))
    }

    fn part(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        self.0 = rest;
        Some(part)
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = Change<'a>;

    fn next(&mut self) -> Option<Change<'a>> {
        let (&kind, rest) = self.0.split_first()?;
        self.0 = rest;
        let room = self.word()?;
        Some(match kind {
            CREATED => Change::Created { room, at: self.word()?, title: self.part()? },
            CLOSED => Change::Closed { room, at: self.word()? },
            _ => {
                let (seq, at, member, payload) =
                    (self.word()?, self.word()?, self.part()?, self.part()?);
                let member = (kind == SAID).then_some(member);
                Change::Event(NewEvent { room, seq, at, member, payload })
            }
        })
    }
}

/// What has become of rooms: all that must be known of them, whatever has been given up. No more entries than rooms that
/// exist, or have existed and are in the database.
#[derive(Debug, Default)]
pub(super) struct RoomChanges {
    pub(super) rooms: FxHashMap<u64, RoomChange>,
}

/// What has become of a room.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RoomChange {
    /// Its title, and the time, if it is new.
    pub(super) created: Option<(Box<[u8]>, u64)>,
    pub(super) closed: Option<u64>,
    /// The number and the time of its last broadcast, if it had any.
    pub(super) last: Option<(u64, u64)>,
}

impl RoomChanges {
    pub(super) fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    pub(super) fn note(&mut self, change: Change<'_>) {
        match change {
            Change::Created { room, at, title } => {
                self.rooms.entry(room).or_default().created = Some((title.into(), at));
            }
            Change::Closed { room, at } => {
                self.rooms.entry(room).or_default().closed = Some(at);
            }
            Change::Event(NewEvent { room, seq, at, .. }) => {
                let room = self.rooms.entry(room).or_default();
                room.last = room.last.max(Some((seq, at)));
            }
        }
    }

    /// Notes what remains of a batch that is given up. A room that came and went with it has never been.
    pub(super) fn note_lost(&mut self, batch: &Batch) {
        for change in batch.changes() {
            self.note(change);
            if let Change::Closed { room, .. } = change
                && self.rooms.get(&room).is_some_and(|room| room.created.is_some())
            {
                self.rooms.remove(&room);
            }
        }
    }

    /// Adds what is newer.
    pub(super) fn append(&mut self, newer: &mut Self) {
        for (room, change) in newer.rooms.drain() {
            let known = self.rooms.entry(room).or_default();
            known.created = change.created.or(known.created.take());
            known.closed = change.closed.or(known.closed);
            known.last = known.last.max(change.last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_as_they_were_appended() {
        let (room, title) = (RoomId::FIRST, Title::new("tea").expect("valid"));
        let name = Name::new("ann").expect("valid");
        let mut batch = Batch::default();
        batch.created(room, &title, 5);
        let mut more = Batch::default();
        more.event(room, 1, 6, Some(&name), b"{}");
        more.event(room, 2, 7, None, b"");
        more.closed(room, 8);
        batch.append(&mut more);
        assert!(more.is_empty());
        assert_eq!(batch.events(), 2);
        let event = |seq, at, member, payload| {
            Change::Event(NewEvent { room: 1, seq, at, member, payload })
        };
        let changes: Vec<_> = batch.changes().collect();
        assert_eq!(
            changes,
            [
                Change::Created { room: 1, at: 5, title: b"tea" },
                event(1, 6, Some(&b"ann"[..]), &b"{}"[..]),
                event(2, 7, None, &b""[..]),
                Change::Closed { room: 1, at: 8 },
            ]
        );
        let mut rooms = RoomChanges::default();
        changes[..3].iter().for_each(|change| rooms.note(*change));
        let tea = &rooms.rooms[&1];
        assert_eq!((tea.created.as_ref().map(|(_, at)| *at), tea.last), (Some(5), Some((2, 7))));
        let mut lost = RoomChanges::default();
        lost.note_lost(&batch);
        assert!(lost.is_empty(), "it came and went");
    }
}
