//! The rooms from the side of the connections: who is in which, and what is to be written for them.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use chat_core::{RoomEvent, RoomId};
use chat_proto::{Lang, ServerMessage};
use rustc_hash::FxHashMap;

use crate::connection::Connections;
use crate::connection::SendBuffer;
use crate::connection::Subscription;
use crate::limits::Limits;
use crate::net::ConnKey;
use crate::net::Socket;
use crate::room_log::ChunkPool;
use crate::room_log::{FlushProgress, RoomLog};

/// The logs of all rooms. A room is here while it has members.
#[derive(Debug)]
pub(crate) struct Fanout {
    rooms: FxHashMap<RoomId, RoomLog>,
    /// Rooms with something to hand out, each once, in the order in which that came up.
    dirty: VecDeque<RoomId>,
    /// Rooms whose logs are going to grow.
    growing: Vec<RoomId>,
    /// Bytes that a room may be ahead of its members.
    most_ahead: usize,
    spare: ChunkPool,
    /// Bytes of memory of all logs.
    kept: usize,
    /// Members of one room that are served before other rooms and connections have their turn.
    slice: usize,
    /// What notices are written in.
    lang: Lang,
    /// Members of all rooms.
    members: usize,
    /// Members that broadcasts were for, since the server began.
    pub(crate) deliveries: u64,
}

impl Fanout {
    pub(crate) fn new(limits: &Limits, lang: Lang) -> Self {
        Self {
            rooms: FxHashMap::default(),
            dirty: VecDeque::new(),
            growing: Vec::new(),
            most_ahead: limits.slow_backlog,
            spare: ChunkPool::default(),
            kept: 0,
            slice: limits.writes_per_room_and_turn,
            lang,
            members: 0,
            deliveries: 0,
        }
    }

    /// Whether a flush would do something.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// From here on the connection gets the broadcasts of the room.
    pub(crate) fn enter<S>(
        &mut self,
        connections: &mut Connections<S>,
        key: ConnKey,
        room: RoomId,
    ) {
        if let Some(connection) = connections.get_mut(key) {
            let cursor = self.rooms.entry(room).or_default().enter(key);
            connection.place = Some(Subscription { room, cursor });
            self.members += 1;
        }
    }

    /// From here on it does not, but what it is owed stays owed.
    pub(crate) fn leave<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        self.settle(connections, key);
        self.expel(connections, key);
    }

    /// From here on it does not, and gets nothing more of what the room still owes it.
    pub(crate) fn expel<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        let Some(connection) = connections.get_mut(key) else { return };
        let Some(Subscription { room, cursor }) = connection.place.take() else { return };
        let Entry::Occupied(mut log) = self.rooms.entry(room) else { return };
        self.members -= 1;
        let moved = log.get_mut().leave(cursor, &mut self.spare);
        self.kept = log.get_mut().count_kept(self.kept);
        if log.get().is_empty() {
            self.kept = log.remove().clear(self.kept, &mut self.spare);
        }
        if let Some(Subscription { cursor: moved, .. }) =
            moved.and_then(|moved| connections.get_mut(moved)?.place.as_mut())
        {
            moved.index = cursor.index;
        }
    }

    /// Moves what the connection is owed by its room into its send buffer, so that what is added
    /// there next comes after it.
    pub(crate) fn settle<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        if fault!(Unsettled) {
            return;
        }
        if let Some(connection) = connections.get_mut(key)
            && let Some(Subscription { room, cursor }) = &mut connection.place
            && let Some(log) = self.rooms.get_mut(room)
        {
            log.hand_out(cursor, key, &mut connection.send, &mut self.spare, SendBuffer::push_part);
            self.kept = log.count_kept(self.kept);
        }
    }

    /// Notes that members of a room have said so many bytes that are being carried out.
    pub(crate) fn expect(&mut self, room: RoomId, bytes: usize) {
        if let Some(log) = self.rooms.get_mut(&room)
            && log.expect(bytes)
        {
            self.growing.push(room);
        }
    }

    /// To be called when everything is carried out that was said.
    pub(crate) fn nothing_expected(&mut self) {
        for room in self.growing.drain(..) {
            if let Some(log) = self.rooms.get_mut(&room) {
                log.has_grown();
            }
        }
    }

    /// Whether a room has so much to hand out that its members should say no more for now: even who
    /// reads all the time would be owed too much when its turn comes.
    pub(crate) fn is_ahead(&self, room: RoomId) -> bool {
        let any = self.is_dirty() || !self.growing.is_empty();
        any && self.rooms.get(&room).is_some_and(|log| log.ahead() > self.most_ahead)
    }

    /// Whether something is being carried out that may be said to rooms.
    pub(crate) fn is_expecting(&self) -> bool {
        !self.growing.is_empty()
    }

    /// Notes that a member of a room has fallen behind.
    pub(crate) fn fell_behind(&mut self, room: RoomId, key: ConnKey) {
        if let Some(log) = self.rooms.get_mut(&room) {
            log.fell_behind(key);
        }
    }

    /// Whether a member of a room has fallen behind for which `is_waited_for` holds.
    pub(crate) fn waits_for(
        &mut self,
        room: RoomId,
        is_waited_for: impl Fn(ConnKey) -> bool,
    ) -> bool {
        self.rooms.get_mut(&room).is_some_and(|log| log.waits_for(is_waited_for))
    }

    /// Bytes that a connection is owed by its room beside what is in its send buffer, because its
    /// kernel takes no more.
    pub(crate) fn owed(&self, place: &Subscription) -> usize {
        self.rooms.get(&place.room).map_or(0, |log| log.owed(&place.cursor))
    }

    /// Bytes of memory that a room keeps because a connection has not been handed something, perhaps
    /// for others, too.
    pub(crate) fn keeps_for(&self, place: &Subscription) -> usize {
        self.rooms.get(&place.room).map_or(0, |log| log.keeps_for(&place.cursor))
    }

    /// Bytes of memory held for members that are behind, each part of a log once.
    pub(crate) fn held(&self) -> usize {
        self.kept + self.spare.held()
    }

    pub(crate) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members
    }

    /// Appends an event to the log of a room, for every member but `except`.
    pub(crate) fn broadcast(
        &mut self,
        room: RoomId,
        seq: u64,
        except: Option<ConnKey>,
        event: &RoomEvent,
    ) {
        let Some(log) = self.rooms.get_mut(&room) else { return };
        let message = match event {
            RoomEvent::Chat { member, text } => ServerMessage::Chat { member, text, room, seq },
            RoomEvent::Notice(notice) => ServerMessage::System { notice, room: Some((room, seq)) },
        };
        let except = except.filter(|_| !fault!(OwnChat));
        // A speaker that has gone from the room has no key any more.
        self.deliveries += (log.member_count() - usize::from(except.is_some())) as u64;
        let lang = self.lang;
        if log.is_clean() {
            self.dirty.push_back(room);
        }
        log.append(except, &mut self.spare, |out| {
            message.write(lang, out).expect("the hub refuses a chat that does not fit a frame");
        });
    }

    /// Writes a slice of each room that has something to hand out.
    pub(crate) fn flush<S: Socket>(&mut self, connections: &mut Connections<S>) {
        for _ in 0..self.dirty.len() {
            let Some(room) = self.dirty.pop_front() else { return };
            let Some(log) = self.rooms.get_mut(&room) else { continue };
            if log.flush(connections, &mut self.spare, self.slice) == FlushProgress::Unfinished {
                self.dirty.push_back(room);
            }
            self.kept = log.count_kept(self.kept);
        }
    }
}

#[cfg(test)]
impl Fanout {
    /// The chunks of all logs.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &std::rc::Rc<crate::room_log::Chunk>> {
        self.rooms.values().flat_map(RoomLog::chunks)
    }

    /// Bytes of memory of the logs of which not everything has been handed out.
    pub(crate) fn being_handed_out(&self) -> usize {
        let logs = self.rooms.values().filter(|log| !log.is_clean());
        logs.flat_map(RoomLog::chunks).map(|chunk| chunk.size()).sum()
    }
}

#[cfg(test)]
mod tests;
