//! Rooms as connections see them: their members, and what has to be written to each.
//!
//! The engine appends broadcasts ([`Fanout::broadcast`]) and calls [`Fanout::flush`] once a turn, which
//! hands each member what it needs in one write. Nothing here knows the rules of the chat, or how the
//! hub is reached.

mod audience;
mod figures;
mod room;
mod throttle;

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, VecDeque};
use std::mem;

use chat_core::{Name, RoomEvent, RoomId};
use chat_proto::{Framing, Lang, ServerMessage};
use rustc_hash::FxHashMap;

use self::audience::FlushProgress;
use self::room::Room;
use self::throttle::{Place, Throttle};
use crate::connection::{Connection, Connections, Rate, Subscription, Writer};
use crate::limits::Limits;
use crate::net::{ConnKey, Instant, Socket};
use crate::room_log::{ChunkPool, Histories, Store};

pub(crate) use self::throttle::Waiter;

/// Writes to the members of small rooms in one turn: some 0.5 ms.
const SMALL_WRITES: usize = 128;

/// All rooms that have members.
#[derive(Debug)]
pub(crate) struct Fanout {
    rooms: FxHashMap<RoomId, Room>,
    /// Rooms with something to hand out, each once, in order of becoming dirty: here those small enough that one turn
    /// can write to all members, and in `large` the others.
    dirty: VecDeque<RoomId>,
    large: VecDeque<RoomId>,
    /// Bytes in flight to all rooms.
    in_flight: usize,
    /// The number of the batch of requests that the bytes in flight came with. A batch ends when all of it has been
    /// carried out.
    batch: u64,
    /// Throttles, by room: what keeps members from being read, or recently did.
    throttles: FxHashMap<RoomId, Throttle>,
    /// The unsent bytes and bytes in flight of a room beyond which its members are not read.
    max_unsent: usize,
    /// How much the members of a paced room may say.
    pace: Rate,
    /// Rooms that connections wait for, queued to be served.
    ready: VecDeque<RoomId>,
    /// Rooms that connections wait for, and when each may be served. Entries may have become stale by then.
    timed: BinaryHeap<Reverse<(Instant, RoomId)>>,
    /// Connections that waited for rooms that no longer exist.
    orphans: Vec<(RoomId, Waiter)>,
    pool: ChunkPool,
    /// What was said; `None` if nothing is kept.
    histories: Option<Histories>,
    /// Memory of all rooms' logs, in bytes.
    log_memory: usize,
    /// Members of one room written to before other rooms and connections get their turn.
    visits_per_turn: usize,
    /// The language of notices.
    lang: Lang,
    /// Members of all rooms.
    members: usize,
    /// Deliveries: members that broadcasts were addressed to, since the server began.
    deliveries: u64,
}

impl Fanout {
    /// Rooms that the map may keep memory for, no matter how few there are.
    const FEW: usize = 256;

    pub(crate) fn new(limits: &Limits, lang: Lang) -> Self {
        Self {
            rooms: FxHashMap::default(),
            dirty: VecDeque::new(),
            large: VecDeque::new(),
            in_flight: 0,
            batch: 0,
            throttles: FxHashMap::default(),
            max_unsent: limits.slow_backlog,
            pace: Rate::new(limits.room_pace),
            ready: VecDeque::new(),
            timed: BinaryHeap::new(),
            orphans: Vec::new(),
            pool: ChunkPool::default(),
            histories: limits
                .keeps_history()
                .then(|| Histories::new(limits.history, limits.total_history)),
            log_memory: 0,
            visits_per_turn: limits.writes_per_room_and_turn,
            lang,
            members: 0,
            deliveries: 0,
        }
    }

    /// Small rooms that have something to hand out.
    pub(crate) fn dirty_rooms(&self) -> usize {
        self.dirty.len()
    }

    /// Whether a flush would do anything.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || !self.large.is_empty()
    }

    /// Adds a connection to a room; it receives every broadcast from now on.
    pub(crate) fn join<S>(&mut self, connections: &mut Connections<S>, key: ConnKey, room: RoomId) {
        if let Some(connection) = connections.get_mut(key) {
            let framing = connection.outbound.framing();
            let cursor = self.rooms.entry(room).or_default().join(key, framing);
            connection.subscription = Some(Subscription { room, cursor });
            connection.outbound.send.mark();
            self.members += 1;
        }
    }

    /// Removes a connection from its room. What was broadcast before is still delivered.
    pub(crate) fn leave<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        self.drain_log(connections, key);
        self.remove(connections, key);
    }

    /// Gives memory back.
    pub(crate) fn shrink(&mut self) {
        self.dirty.shrink_to_fit();
        self.large.shrink_to_fit();
        self.ready.shrink_to_fit();
        self.timed.shrink_to_fit();
        self.orphans.shrink_to_fit();
        self.throttles.shrink_to_fit();
    }

    /// Removes a connection from its room, and delivers nothing more of that room's log.
    pub(crate) fn remove<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        let Some(connection) = connections.get_mut(key) else { return };
        let Some(Subscription { room, cursor }) = connection.subscription.take() else { return };
        let Entry::Occupied(mut entry) = self.rooms.entry(room) else { return };
        self.members -= 1;
        let left = entry.get_mut();
        let moved = left.remove(cursor, &mut self.pool);
        let is_empty = left.member_count() == 0;
        left.account_memory(&mut self.log_memory);
        if is_empty {
            let throttle = self.throttles.remove(&room);
            let waiting = throttle.into_iter().flat_map(|throttle| throttle.waiting);
            self.orphans.extend(waiting.map(|waiter| (room, waiter)));
            entry.remove();
            if self.rooms.capacity() > Self::FEW.max(4 * self.rooms.len()) {
                self.rooms.shrink_to(2 * self.rooms.len());
            }
        } else if cursor.is_slow {
            self.keep_up(room, key);
        }
        if let Some(moved) =
            moved.and_then(|moved| connections.get_mut(moved)?.subscription.as_mut())
        {
            moved.cursor.index = cursor.index;
        }
    }

    /// Moves what a connection's room has for it into its send buffer, so that anything added next follows it.
    pub(crate) fn drain_log<S>(&mut self, connections: &mut Connections<S>, key: ConnKey) {
        if fault!(Unsettled) {
            return;
        }
        if let Some(connection) = connections.get_mut(key)
            && let Some(Subscription { room: id, cursor }) = &mut connection.subscription
            && let Some(room) = self.rooms.get_mut(id)
        {
            let send = &mut connection.outbound.send;
            if let Some(audience) = room.audience_mut(cursor.framing) {
                let add = |chunk: &_, range| send.push_part(chunk, range);
                audience.log.drain(cursor, key, &mut self.pool, add);
            }
            room.account_memory(&mut self.log_memory);
        }
    }

    /// Appends an event to the log of a room, for every member but `except`.
    pub(crate) fn broadcast(
        &mut self,
        id: RoomId,
        seq: u64,
        at: u64,
        except: Option<ConnKey>,
        event: &RoomEvent,
    ) {
        let message = match event {
            RoomEvent::Chat { member, text } => ServerMessage::Chat { member, text, room: id, seq },
            RoomEvent::Notice(notice) => ServerMessage::System { notice, room: Some((id, seq)) },
        };
        let lang = self.lang;
        let Some(room) = self.rooms.get_mut(&id) else {
            // All members have lost their connections, and may come back.
            if let Some(histories) = &mut self.histories {
                let mut frame = Vec::new();
                let fits = message.write(lang, &mut frame);
                fits.expect("the hub refuses a chat that does not fit a frame");
                histories.add(id, seq, at, member(event), Framing::Length.payload(&frame));
            }
            return;
        };
        let except = except.filter(|_| !fault!(OwnChat));
        // A speaker that has left the room no longer has a key.
        self.deliveries += (room.member_count() - usize::from(except.is_some())) as u64;
        if room.is_handed_out() {
            let is_large = room.member_count() > self.visits_per_turn;
            let queue = if is_large { &mut self.large } else { &mut self.dirty };
            queue.push_back(id);
        }
        room.append(except, &mut self.pool, |framing, out| {
            let fits = message.write_framed(framing, lang, out);
            fits.expect("the hub refuses a chat that does not fit a frame");
        });
        if let Some(histories) = &mut self.histories {
            histories.add(id, seq, at, member(event), room.last_payload());
        }
        room.account_memory(&mut self.log_memory);
    }

    /// What was said in the rooms; `None` if nothing is kept.
    pub(crate) fn histories(&self) -> Option<&Histories> {
        self.histories.as_ref()
    }

    /// Keeps what is said, even if the limits leave no memory for it.
    pub(crate) fn keep_histories(&mut self, limits: &Limits) -> &mut Histories {
        let none = || Histories::new(limits.history, limits.total_history);
        self.histories.get_or_insert_with(none)
    }

    /// The store, if there is one.
    pub(crate) fn store_mut(&mut self) -> Option<&mut Store> {
        self.histories.as_mut()?.store_mut()
    }

    /// Takes the store, into which nothing goes any more.
    pub(crate) fn take_store(&mut self) -> Option<Store> {
        self.histories.as_mut()?.take_store()
    }

    /// Whether all that was said in a room has been handed out.
    pub(crate) fn is_handed_out(&self, id: RoomId) -> bool {
        self.rooms.get(&id).is_some_and(Room::is_handed_out)
    }

    /// Forgets what was said in a room.
    pub(crate) fn close_room(&mut self, id: RoomId, at: u64) {
        if let Some(histories) = &mut self.histories {
            histories.close(id, at);
        }
    }

    /// Flushes the rooms that have something to hand out, within the budgets of a turn: small rooms first, each as a
    /// whole, then large rooms, which share a budget in turn.
    pub(crate) fn flush<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        writer: &mut Writer,
    ) {
        let mut left = SMALL_WRITES.max(self.visits_per_turn);
        for _ in 0..self.dirty.len() {
            let Some(id) = self.dirty.pop_front() else { break };
            if self.flush_room(id, connections, writer, &mut left) {
                self.dirty.push_back(id);
            }
            if left == 0 {
                break;
            }
        }
        let mut left = self.visits_per_turn;
        for _ in 0..self.large.len() {
            let Some(id) = self.large.pop_front() else { break };
            if self.flush_room(id, connections, writer, &mut left) {
                self.large.push_back(id);
            }
            if left == 0 {
                break;
            }
        }
    }

    /// Flushes a room, within `left` writes. Returns whether there is more to hand out.
    fn flush_room<S: Socket>(
        &mut self,
        id: RoomId,
        connections: &mut Connections<S>,
        writer: &mut Writer,
        left: &mut usize,
    ) -> bool {
        let Some(room) = self.rooms.get_mut(&id) else { return false };
        let progress = room.flush(connections, writer, &mut self.pool, left);
        room.account_memory(&mut self.log_memory);
        progress == FlushProgress::Unfinished
    }
}

/// The member that said it, or `None` for a notice.
fn member(event: &RoomEvent) -> Option<&Name> {
    match event {
        RoomEvent::Chat { member, .. } => Some(member),
        RoomEvent::Notice(_) => None,
    }
}

/// Back-pressure: when members of a room, and connections that want to join it, may be read.
impl Fanout {
    /// Adds bytes that may come back as broadcasts of a room.
    #[inline]
    pub(crate) fn add_in_flight(&mut self, now: Instant, id: RoomId, bytes: usize) {
        if let Some(room) = self.rooms.get_mut(&id) {
            room.add_in_flight(self.batch, bytes);
            self.in_flight += bytes;
        }
        if let Some(throttle) = self.throttles.get_mut(&id) {
            throttle.charge(now, self.pace, bytes);
        }
    }

    /// Notes that everything read so far has been carried out.
    pub(crate) fn clear_in_flight(&mut self) {
        self.in_flight = 0;
        self.batch += 1;
    }

    /// Whether a room accepts messages from members, and new members, now. It does not while it has so much to hand
    /// out, or in flight, that even a member that reads all the time would have too much pending when its turn comes;
    /// while it is held or paced; and while others wait for it.
    #[inline]
    pub(crate) fn admits(&mut self, now: Instant, id: RoomId) -> bool {
        // Nearly always true, without looking for the room.
        let all_are_open = self.in_flight <= self.max_unsent && !self.is_dirty();
        (all_are_open || !self.is_saturated(id))
            && (self.throttles.is_empty() || self.is_unthrottled(now, id))
    }

    fn is_saturated(&self, id: RoomId) -> bool {
        let room = self.rooms.get(&id);
        room.is_some_and(|room| room.unsent_or_in_flight(self.batch) > self.max_unsent)
    }

    fn is_unthrottled(&mut self, now: Instant, id: RoomId) -> bool {
        let Some(throttle) = self.throttles.get(&id) else { return true };
        if throttle.is_over(now) {
            self.throttles.remove(&id);
            return true;
        }
        throttle.waiting.is_empty() && throttle.closed_until(now, self.pace).is_none()
    }

    /// Queues a connection until a room admits it: see [`Fanout::next_admitted`]. Returns whether a slow member
    /// is the reason.
    pub(crate) fn wait(&mut self, now: Instant, id: RoomId, waiter: Waiter) -> bool {
        if !self.rooms.contains_key(&id) {
            self.orphans.push((id, waiter));
            return false;
        }
        let pace = self.pace;
        let throttle = self.throttle(now, id);
        let is_closed = throttle.closed_until(now, pace).is_some();
        throttle.waiting.push_back(waiter);
        if throttle.place == Place::Nowhere {
            throttle.place = Place::Ready;
            self.ready.push_back(id);
        }
        is_closed
    }

    fn throttle(&mut self, now: Instant, id: RoomId) -> &mut Throttle {
        self.throttles.entry(id).or_insert_with(|| Throttle::new(now))
    }

    /// Takes all connections that wait for rooms.
    pub(crate) fn take_waiting(&mut self) -> Vec<(RoomId, Waiter)> {
        let mut waiting = mem::take(&mut self.orphans);
        for (id, throttle) in &mut self.throttles {
            waiting.extend(throttle.waiting.drain(..).map(|waiter| (*id, waiter)));
        }
        waiting
    }

    /// Takes the next connection whose room admits it, with the room; the rooms take turns.
    pub(crate) fn next_admitted(&mut self, now: Instant) -> Option<(RoomId, Waiter)> {
        if let Some(orphan) = self.orphans.pop() {
            return Some(orphan);
        }
        while self.timed.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, id))) = self.timed.pop() else { break };
            self.make_ready(id);
        }
        for _ in 0..self.ready.len() {
            let id = self.ready.pop_front()?;
            let is_saturated = self.is_saturated(id);
            let Some(throttle) = self.throttles.get_mut(&id) else { continue };
            if throttle.waiting.is_empty() {
                throttle.place = Place::Nowhere;
            } else if is_saturated {
                self.ready.push_back(id);
            } else if let Some(until) = throttle.closed_until(now, self.pace) {
                throttle.place = Place::Timed;
                self.timed.push(Reverse((until, id)));
            } else if let Some(waiter) = throttle.waiting.pop_front() {
                self.ready.push_back(id);
                return Some((id, waiter));
            }
        }
        None
    }

    /// Queues a room among those to be served, if it waits for a time.
    fn make_ready(&mut self, id: RoomId) {
        if let Some(throttle) = self.throttles.get_mut(&id)
            && throttle.place == Place::Timed
        {
            throttle.place = Place::Ready;
            self.ready.push_back(id);
        }
    }

    /// Whether connections wait for rooms.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.ready.is_empty() || !self.timed.is_empty() || !self.orphans.is_empty()
    }

    /// Whether [`Fanout::next_admitted`] may return a connection without any event.
    pub(crate) fn has_admitted(&self) -> bool {
        !self.orphans.is_empty() || self.ready.iter().any(|id| !self.is_saturated(*id))
    }

    /// The time at which [`Fanout::next_admitted`] may return another connection.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timed.peek().map(|Reverse((at, _))| *at)
    }

    /// Notes how a member keeps up with its room. `is_slow` says that too much of what the room said is pending for
    /// the member, `has_read` that some of it has just been written.
    pub(crate) fn note_member<S>(
        &mut self,
        now: Instant,
        connection: &mut Connection<S>,
        key: ConnKey,
        is_slow: bool,
        has_read: bool,
    ) {
        let Some(Subscription { room, cursor }) = &mut connection.subscription else { return };
        let was_slow = mem::replace(&mut cursor.is_slow, is_slow);
        match (was_slow, is_slow) {
            (false, true) => self.throttle(now, *room).become_slow(now, key),
            (true, true) if has_read => self.throttle(now, *room).pace(now),
            (true, false) => self.keep_up(*room, key),
            (true, true) | (false, false) => {}
        }
    }

    /// Notes that a member is no longer slow, or no longer a member.
    fn keep_up(&mut self, id: RoomId, key: ConnKey) {
        if let Some(throttle) = self.throttles.get_mut(&id) {
            throttle.keep_up(key);
            self.make_ready(id);
        }
    }
}

#[cfg(test)]
mod tests;
