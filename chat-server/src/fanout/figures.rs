//! Counts and sizes of all rooms.

use super::Fanout;
use super::room::Room;
use crate::connection::Subscription;
#[cfg(test)]
use crate::room_log::RoomLog;
use crate::room_log::{GivenUp, Histories};

impl Fanout {
    /// Bytes of a room's log that wait for a member whose kernel takes no more.
    pub(crate) fn pending(&self, subscription: &Subscription) -> usize {
        let room = self.rooms.get(&subscription.room);
        let audience = room.and_then(|room| room.audience(subscription.cursor.framing));
        audience.map_or(0, |audience| audience.log.pending(&subscription.cursor))
    }

    /// Memory that a room retains for a member, and perhaps for others, in bytes.
    pub(crate) fn retained_for(&self, subscription: &Subscription) -> usize {
        let room = self.rooms.get(&subscription.room);
        let audience = room.and_then(|room| room.audience(subscription.cursor.framing));
        audience.map_or(0, |audience| audience.log.retained_for(&subscription.cursor))
    }

    /// Memory of everything that has yet to reach members, in bytes. Each part of a log counts once.
    pub(crate) fn memory(&self) -> usize {
        self.log_memory + self.pool.detached_memory()
    }

    /// Memory of what was said, in bytes.
    pub(crate) fn history_memory(&self) -> usize {
        self.histories.as_ref().map_or(0, Histories::memory)
    }

    /// Memory of what was said that has been given up for the sake of connections, in bytes.
    pub(crate) fn lent_history(&self) -> usize {
        self.histories.as_ref().map_or(0, Histories::lent)
    }

    /// Gives up at least so many bytes of what was said, or all: connections may hold as much more.
    pub(crate) fn lend_history(&mut self, bytes: usize) {
        if let Some(histories) = &mut self.histories {
            histories.lend(bytes);
        }
    }

    /// Asks back what was lent beyond so many bytes.
    pub(crate) fn ask_history_back(&mut self, lent: usize) {
        if let Some(histories) = &mut self.histories {
            histories.ask_back(lent);
        }
    }

    /// What has been given up of it since the last call.
    pub(crate) fn take_given_up(&mut self) -> GivenUp {
        self.histories.as_mut().map_or(GivenUp::default(), Histories::take_given_up)
    }

    /// Memory kept for future broadcasts, in bytes.
    pub(crate) fn spare_memory(&self) -> usize {
        self.pool.spare_memory()
    }

    /// Frees the memory kept for future broadcasts.
    pub(crate) fn free_spare(&mut self) {
        self.pool.free_spare();
    }

    /// Bytes that rooms have yet to hand out to members that may be reading.
    pub(crate) fn unsent(&self) -> usize {
        let rooms = self.dirty.iter().chain(&self.large).filter_map(|id| self.rooms.get(id));
        rooms.map(Room::unsent).sum()
    }

    pub(crate) fn room_count(&self) -> usize {
        self.rooms.len()
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members
    }

    /// Deliveries: members that broadcasts were addressed to, since the server began.
    pub(crate) fn deliveries(&self) -> u64 {
        self.deliveries
    }
}

#[cfg(test)]
impl Fanout {
    fn logs(&self) -> impl Iterator<Item = &RoomLog> {
        self.rooms.values().flat_map(Room::audiences).map(|audience| &audience.log)
    }

    /// The chunks of all logs.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &std::rc::Rc<crate::room_log::Chunk>> {
        self.logs().flat_map(RoomLog::chunks)
    }

    /// Memory of all logs besides their chunks, in bytes.
    pub(crate) fn queue_memory(&self) -> usize {
        let all: usize = self.logs().map(RoomLog::memory).sum();
        all - self.chunks().map(|chunk| chunk.memory()).sum::<usize>()
    }

    /// Memory of the logs that have not been handed out completely, in bytes.
    pub(crate) fn unsent_memory(&self) -> usize {
        let logs = self.logs().filter(|log| !log.is_handed_out());
        logs.flat_map(RoomLog::chunks).map(|chunk| chunk.memory()).sum()
    }
}
