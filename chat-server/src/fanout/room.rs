//! One room: its members with plain connections, those with WebSockets, and their logs.

use std::mem;

use chat_proto::{Framing, HEADER_LEN};

use super::audience::{Audience, FlushProgress};
use crate::connection::{Connections, Writer};
use crate::net::{ConnKey, Socket};
use crate::room_log::{ChunkPool, Cursor};

/// A room with members.
#[derive(Debug, Default)]
pub(super) struct Room {
    plain: Audience,
    /// The members with WebSockets, if there are any.
    web: Option<Box<Audience>>,
    /// Which of the two audiences is served first. They take turns, one pass each.
    turn: Framing,
    /// The last batch of requests from members, and its bytes, which are in flight until the batch ends.
    in_flight: (u64, usize),
    /// The log that has the last broadcast, and where it begins there.
    last: (Framing, u64),
    /// The memory of the logs, as last added to the total.
    accounted: usize,
}

impl Room {
    /// Adds a member, starting at the current end of its log.
    pub(super) fn join(&mut self, key: ConnKey, framing: Framing) -> Cursor {
        let mut cursor = match framing {
            Framing::Length => self.plain.join(key),
            Framing::WebSocket => self.web.get_or_insert_default().join(key),
        };
        cursor.framing = framing;
        cursor
    }

    /// Removes the member with this cursor: see [`Audience::remove`].
    pub(super) fn remove(&mut self, cursor: Cursor, pool: &mut ChunkPool) -> Option<ConnKey> {
        let moved = self.audience_mut(cursor.framing)?.remove(cursor, pool);
        self.drop_empty();
        moved
    }

    /// The members with this framing, if any.
    pub(super) fn audience(&self, framing: Framing) -> Option<&Audience> {
        match framing {
            Framing::Length => Some(&self.plain),
            Framing::WebSocket => self.web.as_deref(),
        }
    }

    /// As [`Room::audience`].
    pub(super) fn audience_mut(&mut self, framing: Framing) -> Option<&mut Audience> {
        match framing {
            Framing::Length => Some(&mut self.plain),
            Framing::WebSocket => self.web.as_deref_mut(),
        }
    }

    /// The sum of a figure over both audiences. There is nearly always one.
    #[inline]
    fn sum(&self, figure: impl Fn(&Audience) -> usize) -> usize {
        figure(&self.plain) + self.web.as_deref().map_or(0, figure)
    }

    #[inline]
    pub(super) fn member_count(&self) -> usize {
        self.sum(Audience::member_count)
    }

    /// Appends a broadcast for every member but `speaker`. `encode` writes it in the framing that it is passed. It
    /// runs once, however many members there are, even if their framings differ.
    pub(super) fn append(
        &mut self,
        speaker: Option<ConnKey>,
        pool: &mut ChunkPool,
        encode: impl FnOnce(Framing, &mut Vec<u8>),
    ) {
        let Self { plain, web, .. } = self;
        if plain.member_count() == 0 {
            if let Some(web) = web {
                self.last = (Framing::WebSocket, web.log.end());
                web.log.append(speaker, pool, |out| encode(Framing::WebSocket, out));
            }
            return;
        }
        self.last = (Framing::Length, plain.log.end());
        let from = plain.log.end();
        plain.log.append(speaker, pool, |out| encode(Framing::Length, out));
        if let Some(web) = web.as_mut().filter(|web| web.member_count() > 0) {
            let payload = &plain.log.last_from(from)[HEADER_LEN..];
            web.log.append(speaker, pool, |out| {
                let fits = Framing::WebSocket.write(out, |out| out.extend_from_slice(payload));
                fits.expect("it fits a frame");
            });
        }
    }

    /// The payload of the last broadcast, right after it was appended.
    pub(super) fn last_payload(&self) -> &[u8] {
        let (framing, from) = self.last;
        self.audience(framing).map_or(&[], |audience| framing.payload(audience.log.last_from(from)))
    }

    /// Whether every member has been handed everything, unless it is parked.
    #[inline]
    pub(super) fn is_handed_out(&self) -> bool {
        let is_web_handed_out = |web: &Audience| web.log.is_handed_out();
        self.plain.log.is_handed_out() && self.web.as_deref().is_none_or(is_web_handed_out)
    }

    /// The most bytes that have yet to be handed out to any one member.
    #[inline]
    fn unsent_to_one(&self) -> usize {
        let of_web = self.web.as_deref().map_or(0, |web| web.log.unsent());
        self.plain.log.unsent().max(of_web)
    }

    /// Bytes that have yet to be handed out.
    pub(super) fn unsent(&self) -> usize {
        self.sum(|audience| audience.log.unsent())
    }

    /// The most bytes that have yet to be handed out to any one member, plus those in flight with this batch of
    /// requests.
    pub(super) fn unsent_or_in_flight(&self, batch: u64) -> usize {
        let (counted, bytes) = self.in_flight;
        self.unsent_to_one() + if counted == batch { bytes } else { 0 }
    }

    /// Adds bytes read from a member.
    pub(super) fn add_in_flight(&mut self, batch: u64, bytes: usize) {
        let (counted, before) = self.in_flight;
        self.in_flight = (batch, bytes + if counted == batch { before } else { 0 });
    }

    /// Updates the room's share of `sum`, the memory of all logs.
    #[inline]
    pub(super) fn account_memory(&mut self, sum: &mut usize) {
        let memory = self.sum(|audience| audience.log.memory());
        *sum = *sum - mem::replace(&mut self.accounted, memory) + memory;
    }

    /// Hands members what they need and writes it, within the `left` writes of the turn: see
    /// [`write_cost`](crate::connection::write_cost).
    pub(super) fn flush<S: Socket>(
        &mut self,
        connections: &mut Connections<S>,
        writer: &mut Writer,
        pool: &mut ChunkPool,
        left: &mut usize,
    ) -> FlushProgress {
        if self.web.is_none() {
            return self.plain.flush(connections, writer, pool, left);
        }
        for _ in 0..2 {
            if let Some(audience) = self.audience_mut(self.turn)
                && !audience.log.is_handed_out()
            {
                audience.flush(connections, writer, pool, left);
                if audience.is_in_pass() {
                    return FlushProgress::Unfinished;
                }
            }
            self.turn = match self.turn {
                Framing::Length => Framing::WebSocket,
                Framing::WebSocket => Framing::Length,
            };
        }
        self.drop_empty();
        if self.is_handed_out() { FlushProgress::Finished } else { FlushProgress::Unfinished }
    }

    #[cfg(test)]
    pub(super) fn audiences(&self) -> impl Iterator<Item = &Audience> {
        std::iter::once(&self.plain).chain(self.web.as_deref())
    }

    /// Drops the audience of WebSockets if it has had no members since the last flush.
    fn drop_empty(&mut self) {
        self.web.take_if(|web| web.member_count() == 0 && web.log.is_handed_out());
    }
}
