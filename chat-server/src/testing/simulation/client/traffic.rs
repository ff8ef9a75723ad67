//! What reaches the server of what a client sends, and the other way round.

use std::io::ErrorKind;

use chat_proto::Incoming;
use chat_testing::{Rng, UPGRADE};

use super::Client;
use crate::testing::simulation::net::Got;
use crate::testing::simulation::trace::{End, Entry, TraceHash};

/// The network.
impl Client {
    /// Whether any of its bytes, or its end, can reach the server's kernel.
    pub(in crate::testing::simulation) fn can_deliver(&self) -> bool {
        if self.outbox.is_empty() {
            return self.finishing && !self.finished;
        }
        self.end.room() > 0 && self.allowed() > 0
    }

    /// Bytes that may be sent: a browser awaits the answer to its request.
    fn allowed(&self) -> usize {
        let request = (UPGRADE.len() as u64).saturating_sub(self.delivered) as usize;
        if self.form.is_waiting() { request } else { usize::MAX }
    }

    /// Lets at most `most` bytes, or the end of the stream, reach the server's kernel.
    pub(in crate::testing::simulation) fn deliver(&mut self, now: u64, most: usize) {
        let count = most.min(self.outbox.len()).min(self.end.room()).min(self.allowed());
        if count > 0 {
            self.end.arrive(self.outbox.drain(..count));
            self.follow_frames(now, count as u64);
        }
        if self.outbox.is_empty() && self.finishing && !self.finished {
            self.finished = true;
            self.end.finish();
        }
    }

    fn follow_frames(&mut self, now: u64, count: u64) {
        self.delivered += count;
        while self.frames.front().is_some_and(|frame| frame.end <= self.delivered) {
            self.frames.pop_front();
            self.frame_begun = None;
        }
        if self.frames.front().is_some_and(|frame| frame.start < self.delivered) {
            self.frame_begun.get_or_insert(now);
        }
    }

    /// Breaks the stream, or closes it abruptly.
    pub(in crate::testing::simulation) fn vanish(&mut self, rng: &mut Rng) {
        let kinds = [ErrorKind::ConnectionReset, ErrorKind::TimedOut, ErrorKind::HostUnreachable];
        match rng.within(0..4) {
            0 => self.end.close(),
            kind => self.end.reset(kinds[kind - 1]),
        }
        self.end_with(End::Own);
    }

    fn end_with(&mut self, end: End) {
        self.outbox.clear();
        self.finishing = true;
        self.finished = true;
        self.trace.partial = self.form.is_partial();
        self.trace.entries.push(Entry::Ended(end));
    }
}

/// Receiving.
impl Client {
    /// Reads at most `most` bytes. Adds the rooms that they mention to `rooms`.
    pub(in crate::testing::simulation) fn read(
        &mut self,
        most: usize,
        rooms: &mut Vec<u64>,
        hash: &mut TraceHash,
    ) {
        match self.end.read(most) {
            Got::Nothing => {}
            Got::Reset => self.end_with(End::Reset),
            Got::End => {
                // The client closes its side, so that the server need not linger.
                self.end.finish();
                self.end_with(End::Eof);
            }
            Got::Bytes(bytes) => {
                hash.add(&self.id.to_le_bytes());
                if self.person.is_some() {
                    // Times and tokens differ in each run.
                    hash.add(&bytes.len().to_le_bytes());
                } else {
                    hash.add(&bytes);
                }
                self.hear(&bytes, rooms);
            }
        }
    }

    fn hear(&mut self, bytes: &[u8], rooms: &mut Vec<u64>) {
        let Self { id, form, trace, person, inbox, .. } = self;
        form.decode(bytes, |payload| {
            let message = Incoming::parse(payload).unwrap_or_else(|error| {
                let payload = String::from_utf8_lossy(payload);
                panic!("I15: client {id} got no message but {payload:?}: {error}")
            });
            for room in message.room_id.iter().chain(message.rooms.iter().map(|room| &room.room_id))
            {
                if !rooms.contains(room) {
                    rooms.push(*room);
                }
            }
            if person.is_some() {
                inbox.push(payload.to_vec());
            }
            trace.entries.push(Entry::Received(Box::new(message)));
        });
    }
}
