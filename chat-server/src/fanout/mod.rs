//! Rooms from the side of the connections: who is in which, and what is to be written to them.
//!
//! The engine appends broadcasts ([`Fanout::broadcast`]) and calls [`Fanout::flush`] once a turn, which
//! hands each member what it needs in one write. Nothing here knows the rules of the chat, or how the
//! hub is reached.

mod room;

use std::collections::VecDeque;
use std::collections::hash_map::Entry;

use chat_core::{RoomEvent, RoomId};
use chat_proto::{Lang, ServerMessage};
use rustc_hash::FxHashMap;

use self::room::{FlushProgress, Room};
use crate::connection::{Connections, Subscription, Writer};
use crate::limits::Limits;
use crate::net::{ConnKey, Socket};
use crate::room_log::ChunkPool;

/// All rooms that have members.
#[derive(Debug)]
pub(crate) struct Fanout {
    rooms: FxHashMap<RoomId, Room>,
    /// Rooms with something to hand out, each once, in the order in which that came up.
    dirty: VecDeque<RoomId>,
    /// Rooms with bytes in flight, each once.
    in_flight: Vec<RoomId>,
    /// Unsent bytes and bytes in flight of a room beyond which its members are read no further.
    max_unsent: usize,
    pool: ChunkPool,
    /// Memory of all rooms' logs, in bytes.
    log_memory: usize,
    /// Members of one room that are written to before other rooms and connections have their turn.
    visits_per_turn: usize,
    /// The language of notices.
    lang: Lang,
    /// Members of all rooms.
    members: usize,
    /// Members that broadcasts were addressed to, since the server began.
    deliveries: u64,
}

impl Fanout {
    pub(crate) fn new(limits: &Limits, lang: Lang) -> Self {
        Self {
            rooms: FxHashMap::default(),
            dirty: VecDeque::new(),
            in_flight: Vec::new(),
            max_unsent: limits.slow_backlog,
            pool: ChunkPool::default(),
            log_memory: 0,
            visits_per_turn: limits.writes_per_room_and_turn,
            lang,
            members: 0,
            deliveries: 0,
        }
    }

    /// Whether a flush would do something.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Adds a connection to a room: it gets every broadcast from now on.
    pub(crate) fn join<S>(&mut self, connections: &mut Connections<S>, key: ConnKey, room: RoomId) {
        if let Some(connection) = connections.get_mut(key) {
            let cursor = self.rooms.entry(room).or_default().join(key);
            connection.subscription = Some(Subscription { room, cursor });
            self.members += 1;
        }
    }

    /// Removes a connection from its room. What was broadcast before is still delivered.
    pub(crate) fn leave<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        self.drain_log(connections, key);
        self.remove(connections, key);
    }

    /// Removes a connection from its room, and delivers nothing more of that room's log.
    pub(crate) fn remove<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        let Some(connection) = connections.get_mut(key) else { return };
        let Some(Subscription { room, cursor }) = connection.subscription.take() else { return };
        let Entry::Occupied(mut entry) = self.rooms.entry(room) else { return };
        self.members -= 1;
        let moved = entry.get_mut().remove(cursor, &mut self.pool);
        let is_empty = entry.get().member_count() == 0;
        if is_empty {
            entry.get_mut().log.clear(&mut self.pool);
        }
        entry.get_mut().account_memory(&mut self.log_memory);
        if is_empty {
            entry.remove();
        }
        if let Some(moved) =
            moved.and_then(|moved| connections.get_mut(moved)?.subscription.as_mut())
        {
            moved.cursor.index = cursor.index;
        }
    }

    /// Moves what a connection's room has for it into its send buffer, so that what is added there next
    /// follows it.
    pub(crate) fn drain_log<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        if fault!(Unsettled) {
            return;
        }
        if let Some(connection) = connections.get_mut(key)
            && let Some(Subscription { room: id, cursor }) = &mut connection.subscription
            && let Some(room) = self.rooms.get_mut(id)
        {
            let send = &mut connection.outbound.send;
            room.log
                .drain(cursor, key, &mut self.pool, |chunk, range| send.push_part(chunk, range));
            room.account_memory(&mut self.log_memory);
        }
    }

    /// Appends an event to the log of a room, for every member but `except`.
    pub(crate) fn broadcast(
        &mut self,
        id: RoomId,
        seq: u64,
        except: Option<ConnKey>,
        event: &RoomEvent,
    ) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let message = match event {
            RoomEvent::Chat { member, text } => ServerMessage::Chat { member, text, room: id, seq },
            RoomEvent::Notice(notice) => ServerMessage::System { notice, room: Some((id, seq)) },
        };
        let except = except.filter(|_| !fault!(OwnChat));
        // A speaker that has left the room has no key any more.
        self.deliveries += (room.member_count() - usize::from(except.is_some())) as u64;
        let lang = self.lang;
        if room.log.is_handed_out() {
            self.dirty.push_back(id);
        }
        room.log.append(except, &mut self.pool, |out| {
            message.write(lang, out).expect("the hub refuses a chat that does not fit a frame");
        });
    }

    /// Flushes each room that has something to hand out, as far as one turn goes.
    pub(crate) fn flush<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        writer: &mut Writer,
    ) {
        for _ in 0..self.dirty.len() {
            let Some(id) = self.dirty.pop_front() else { return };
            let Some(room) = self.rooms.get_mut(&id) else { continue };
            let progress = room.flush(connections, writer, &mut self.pool, self.visits_per_turn);
            if progress == FlushProgress::Unfinished {
                self.dirty.push_back(id);
            }
            room.account_memory(&mut self.log_memory);
        }
    }
}

/// Back-pressure: when the members of a room are read no further.
impl Fanout {
    /// Adds bytes read from a member of a room, which may come back as broadcasts.
    pub(crate) fn add_in_flight(&mut self, id: RoomId, bytes: usize) {
        if let Some(room) = self.rooms.get_mut(&id)
            && room.add_in_flight(bytes)
        {
            self.in_flight.push(id);
        }
    }

    /// Notes that everything read so far has been carried out.
    pub(crate) fn clear_in_flight(&mut self) {
        for id in self.in_flight.drain(..) {
            if let Some(room) = self.rooms.get_mut(&id) {
                room.clear_in_flight();
            }
        }
    }

    /// Whether a room has bytes in flight.
    pub(crate) fn has_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Whether a room has so much to hand out, or in flight, that its members are read no further for now:
    /// otherwise even a member that reads all the time would have too much pending when its turn comes.
    pub(crate) fn is_saturated(&self, id: RoomId) -> bool {
        let any = self.is_dirty() || self.has_in_flight();
        any && self.rooms.get(&id).is_some_and(|room| room.unsent_or_in_flight() > self.max_unsent)
    }

    /// Notes that a member of a room has become slow.
    pub(crate) fn note_slow(&mut self, id: RoomId, key: ConnKey) {
        if let Some(room) = self.rooms.get_mut(&id) {
            room.note_slow(key);
        }
    }

    /// Whether a room has a slow member for which `is_waited_for` holds.
    pub(crate) fn waits_for_slow(
        &mut self,
        id: RoomId,
        is_waited_for: impl Fn(ConnKey) -> bool,
    ) -> bool {
        self.rooms.get_mut(&id).is_some_and(|room| room.waits_for_slow(is_waited_for))
    }
}

/// Figures.
impl Fanout {
    /// Bytes of a room's log that wait for a member whose kernel takes no more.
    pub(crate) fn pending(&self, subscription: &Subscription) -> usize {
        let room = self.rooms.get(&subscription.room);
        room.map_or(0, |room| room.log.pending(&subscription.cursor))
    }

    /// Memory that a room retains for a member, and perhaps for others, in bytes.
    pub(crate) fn retained_for(&self, subscription: &Subscription) -> usize {
        let room = self.rooms.get(&subscription.room);
        room.map_or(0, |room| room.log.retained_for(&subscription.cursor))
    }

    /// Memory of what has yet to reach members, each part of a log once, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.log_memory + self.pool.detached_memory()
    }

    pub(crate) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members
    }

    /// Members that broadcasts were addressed to, since the server began.
    pub(crate) fn deliveries(&self) -> u64 {
        self.deliveries
    }
}

#[cfg(test)]
impl Fanout {
    /// The chunks of all logs.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &std::rc::Rc<crate::room_log::Chunk>> {
        self.rooms.values().flat_map(|room| room.log.chunks())
    }

    /// Memory of the logs of which not everything has been handed out, in bytes.
    pub(crate) fn unsent_memory(&self) -> usize {
        let rooms = self.rooms.values().filter(|room| !room.log.is_handed_out());
        rooms.flat_map(|room| room.log.chunks()).map(|chunk| chunk.memory()).sum()
    }
}

#[cfg(test)]
mod tests;
