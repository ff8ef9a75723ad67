//! The checker of deliveries: every member of a room receives what it should, in the right order.
//!
//! A room's broadcasts are numbered without a gap, and a member receives all of them but its own chats. So each number
//! that a member did not receive must be one of its chats: the first such number is its first chat there, the second
//! its second, and so on. For each room and number, the checker remembers the first report, and compares all others
//! with it.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::event::Event;
use crate::violation::{Violation, ensure};

/// Checks the deliveries of all rooms of a server: invariants I1 to I7 and I5b.
///
/// Report what each peer did and received in the order in which *that peer* saw it; the reports of
/// different peers may be interleaved in any way. A peer is a connection, known by a number.
///
/// - A checker of complete records ([`Checker::default`]) remembers everything. Call
///   [`finish`](Checker::finish) at the end: it finds what never came.
/// - A checker of a run in progress ([`Checker::live`]) forgets what all present members of a room have
///   received, so its memory depends on the slowest member. [`missing`](Checker::missing) tells what a peer
///   has yet to receive. New peers must have rising numbers.
#[derive(Debug, Default)]
pub struct Checker {
    forgets: bool,
    rooms: BTreeMap<u64, Room>,
    peers: Peers,
}

#[derive(Debug, Default)]
struct Peers {
    known: BTreeMap<usize, Peer>,
    /// The highest number so far, forgotten peers included.
    newest: usize,
}

#[derive(Debug, Default)]
struct Peer {
    room: Option<u64>,
    /// Whether the peer is cut off: it received a prefix, and the server may have carried out more than the peer
    /// knows.
    is_cut_off: bool,
}

#[derive(Debug, Default)]
struct Room {
    log: BTreeMap<u64, Entry>,
    /// The position in the log of each chat, by sender and number.
    chats: BTreeMap<(usize, u64), u64>,
    /// The last chat of each sender that was forgotten.
    forgotten: BTreeMap<usize, u64>,
    /// The first number that was not forgotten.
    first: u64,
    members: BTreeMap<usize, Stay>,
    /// Former members that ended without an answer to a leave.
    gone: Vec<Gone>,
}

/// The reports about a number: `event` from the members that received it, `own` from the one that did not.
#[derive(Debug, Default)]
struct Entry {
    event: Option<Event>,
    /// The peer that did not receive the number, and the chat of that peer which it must therefore be.
    own: Option<(usize, u64)>,
}

#[derive(Debug)]
struct Gone {
    peer: usize,
    stay: Stay,
    /// The notice that tells the other members.
    notice: Event,
}

/// One stay of a peer in a room.
#[derive(Debug)]
struct Stay {
    /// The number of its entry.
    entered: u64,
    /// The last number it received or skipped; at first that of its own entry.
    last: u64,
    /// Chats that it sent and that are not among the numbers up to `last`.
    sent: VecDeque<u64>,
}

/// Reports.
impl Checker {
    /// A checker with bounded memory: see [`Checker`].
    pub fn live() -> Self {
        Self { forgets: true, ..Self::default() }
    }

    /// Adds a peer, which is in no room.
    pub fn connect(&mut self, peer: usize) {
        self.peers.newest = self.peers.newest.max(peer);
        self.peers.known.insert(peer, Peer::default());
    }

    /// Notes that a peer is cut off, now or later: it receives a prefix of what is meant for it.
    pub fn cut_off(&mut self, peer: usize) {
        self.peers.get_mut(peer).is_cut_off = true;
    }

    /// Forgets a peer whose connection is gone, in a run in progress.
    pub fn remove(&mut self, peer: usize) {
        self.peers.known.remove(&peer);
        for room in self.rooms.values_mut() {
            room.members.remove(&peer);
            room.forgotten.remove(&peer);
        }
        self.rooms.retain(|_, room| !room.members.is_empty());
    }

    /// Reports that a peer entered a room; its entry has number `seq` there.
    ///
    /// # Errors
    /// I3 when it was in a room.
    pub fn enter(&mut self, peer: usize, room: u64, seq: u64) -> Result<(), Violation> {
        let was_in = self.peers.get_mut(peer).room.replace(room);
        ensure!(was_in.is_none(), "I3", "peer {peer} entered room {room} and is in {was_in:?}");
        let stay = Stay { entered: seq, last: seq, sent: VecDeque::new() };
        self.rooms.entry(room).or_default().members.insert(peer, stay);
        Ok(())
    }

    /// Reports that a peer sent chat `number` from within its room, and that it was not refused.
    ///
    /// # Panics
    /// When the peer is in no room.
    pub fn send(&mut self, peer: usize, number: u64) {
        let room = self.room_of(peer).expect("the peer is in a room");
        self.stay(peer, room).sent.push_back(number);
    }

    /// Reports that a peer received broadcast `seq` of `room`.
    ///
    /// # Errors
    /// Any of I1 to I7.
    pub fn receive(
        &mut self,
        peer: usize,
        room: u64,
        seq: u64,
        event: Event,
    ) -> Result<(), Violation> {
        let within = self.room_of(peer);
        ensure!(within.is_some(), "I3", "peer {peer} is in no room and got {event:?} of {room}");
        ensure!(within == Some(room), "I7", "peer {peer} is in {within:?} and got {seq} of {room}");
        let Stay { entered, last, .. } = *self.stay(peer, room);
        ensure!(seq > entered, "I3", "peer {peer} entered {room} at {entered} and got {seq}");
        ensure!(seq > last, "I2", "peer {peer} got {seq} of room {room} after {last}");
        if let Event::Chat { sender, number, .. } = event {
            ensure!(sender != peer, "I4", "peer {peer} got its own chat {number}");
        }
        self.skip(peer, room, last + 1..seq)?;
        self.stay(peer, room).last = seq;
        let log = self.rooms.get_mut(&room).expect("a room has members");
        log.record(&self.peers, room, seq, event)?;
        self.forget(room)
    }

    /// Reports that a peer left its room; its leaving has number `seq` there.
    ///
    /// # Errors
    /// I3 when it received more before than it should, I5 when it received less, I6 when not all
    /// its chats were broadcast.
    pub fn leave(&mut self, peer: usize, seq: u64) -> Result<(), Violation> {
        let Some(room) = self.room_of(peer) else {
            return Err(Violation::new("I3", format!("peer {peer} left and is in no room")));
        };
        let last = self.stay(peer, room).last;
        ensure!(seq > last, "I3", "peer {peer} left room {room} at {seq} and got {last} before");
        self.skip(peer, room, last + 1..seq)?;
        let stay = self.vacate(peer, room);
        ensure!(stay.sent.is_empty(), "I6", "chats {:?} of {peer} to {room} are lost", stay.sent);
        self.forget(room)
    }

    /// Reports that a peer ended, or was closed by the server, and received everything up to its end.
    /// `notice` is what its room is told. Does nothing if it is in no room.
    pub fn end(&mut self, peer: usize, notice: Event) {
        if let Some(room) = self.room_of(peer) {
            let stay = self.vacate(peer, room);
            self.rooms.entry(room).or_default().gone.push(Gone { peer, stay, notice });
        }
    }
}

/// Queries.
impl Checker {
    /// The room that a peer is in.
    pub fn room_of(&self, peer: usize) -> Option<u64> {
        self.peers.known.get(&peer)?.room
    }

    /// The order of a room's broadcasts that all members agree on, as far as it is remembered.
    pub fn order(&self, room: u64) -> impl Iterator<Item = (u64, &Event)> {
        let log = self.rooms.get(&room).into_iter().flat_map(|room| &room.log);
        log.filter_map(|(seq, entry)| Some((*seq, entry.event.as_ref()?)))
    }

    /// The number of broadcasts that others have received and this peer has not, plus the number of its chats
    /// that nobody has received.
    pub fn missing(&self, peer: usize) -> usize {
        let Some(room) = self.room_of(peer).and_then(|room| self.rooms.get(&room)) else {
            return 0;
        };
        let Some(stay) = room.members.get(&peer) else { return 0 };
        let later = room.log.range(stay.last + 1..).filter(|(_, entry)| entry.event.is_some());
        let (own, others): (Vec<_>, Vec<_>) = later.partition(|(_, entry)| entry.is_by(peer));
        others.len() + stay.sent.len().abs_diff(own.len())
    }

    /// Finds what never came, at the end of a run: members that were not cut off have received every
    /// broadcast, and every chat was sent by a member.
    ///
    /// # Errors
    /// I5, I6 or I7.
    pub fn finish(mut self) -> Result<(), Violation> {
        for (number, room) in &mut self.rooms {
            room.finish_gone(*number)?;
            room.finish_members(&self.peers, *number)?;
            for (seq, entry) in &room.log {
                room.check_sender(&self.peers, *seq, entry, self.forgets)?;
            }
        }
        Ok(())
    }
}

impl Checker {
    fn stay(&mut self, peer: usize, room: u64) -> &mut Stay {
        let stay = self.rooms.get_mut(&room).and_then(|room| room.members.get_mut(&peer));
        stay.expect("members are those in the room")
    }

    fn vacate(&mut self, peer: usize, room: u64) -> Stay {
        self.peers.get_mut(peer).room = None;
        let stay = self.rooms.get_mut(&room).and_then(|room| room.members.remove(&peer));
        stay.expect("members are those in the room")
    }

    /// Notes that a peer did not receive the numbers `missed`, which must be its next chats.
    fn skip(&mut self, peer: usize, room: u64, missed: Range<u64>) -> Result<(), Violation> {
        let rule = self.peers.completeness(peer);
        let log = self.rooms.get_mut(&room).expect("a room has members");
        for seq in missed {
            let stay = log.members.get_mut(&peer).expect("members are those in the room");
            let Some(number) = stay.sent.pop_front() else {
                return Err(Violation::new(
                    rule,
                    format!("peer {peer} missed {seq} of room {room}"),
                ));
            };
            log.claim(seq, peer, number, rule)?;
        }
        Ok(())
    }

    /// Drops what all members have received, in a run in progress.
    fn forget(&mut self, number: u64) -> Result<(), Violation> {
        let Some(room) = self.rooms.get_mut(&number).filter(|_| self.forgets) else {
            return Ok(());
        };
        let Some(passed) = room.members.values().map(|stay| stay.last).min() else {
            self.rooms.remove(&number);
            return Ok(());
        };
        while let Some(first) = room.log.first_entry()
            && *first.key() <= passed
        {
            let (seq, entry) = first.remove_entry();
            room.check_sender(&self.peers, seq, &entry, true)?;
            if let Some(Event::Chat { sender, number, .. }) = entry.event {
                room.chats.remove(&(sender, number));
                if self.peers.known.contains_key(&sender) {
                    room.forgotten.insert(sender, number);
                }
            }
        }
        room.first = room.first.max(passed + 1);
        Ok(())
    }
}

impl Peers {
    fn get_mut(&mut self, peer: usize) -> &mut Peer {
        self.known.get_mut(&peer).expect("the peer is known")
    }

    fn is_cut_off(&self, peer: usize) -> bool {
        self.known.get(&peer).is_some_and(|peer| peer.is_cut_off)
    }

    /// I5, or I5b for a peer that is cut off.
    fn completeness(&self, peer: usize) -> &'static str {
        if self.is_cut_off(peer) { "I5b" } else { "I5" }
    }
}

impl Room {
    /// Notes that `seq` must be chat `number` of `peer`, which did not receive it.
    fn claim(
        &mut self,
        seq: u64,
        peer: usize,
        number: u64,
        rule: &'static str,
    ) -> Result<(), Violation> {
        if seq < self.first {
            return Ok(());
        }
        let entry = self.log.entry(seq).or_default();
        if let Some((other, _)) = entry.own.replace((peer, number)) {
            ensure!(other == peer, rule, "{seq} came to neither {other} nor {peer}");
        }
        entry.check(seq, rule)
    }

    /// Notes that `seq` is `event`, or compares `event` with what is known.
    fn record(
        &mut self,
        peers: &Peers,
        room: u64,
        seq: u64,
        event: Event,
    ) -> Result<(), Violation> {
        if seq < self.first {
            return Ok(());
        }
        if let Some(known) = self.log.get(&seq).and_then(|entry| entry.event.as_ref()) {
            ensure!(*known == event, "I2", "{seq} of room {room} is {known:?} and {event:?}");
            return Ok(());
        }
        if let Event::Chat { sender, number, .. } = event {
            self.check_chat(sender, number, seq)?;
            self.chats.insert((sender, number), seq);
        }
        let entry = self.log.entry(seq).or_default();
        entry.event = Some(event);
        entry.check(seq, entry.own.map_or("I5", |(peer, _)| peers.completeness(peer)))
    }

    /// Checks that a new chat is not in the log yet, and lies between the others of its sender.
    fn check_chat(&self, sender: usize, number: u64, seq: u64) -> Result<(), Violation> {
        if let Some(other) = self.chats.get(&(sender, number)) {
            return Err(Violation::new("I6", format!("{sender}:{number} is {other} and {seq}")));
        }
        let before = self.chats.range((sender, 0)..(sender, number)).next_back();
        let after = self.chats.range((sender, number + 1)..=(sender, u64::MAX)).next();
        let forgotten = self.forgotten.get(&sender).is_none_or(|last| *last < number);
        let in_order = before.is_none_or(|before| *before.1 < seq)
            && after.is_none_or(|after| *after.1 > seq)
            && forgotten;
        ensure!(in_order, "I1", "{sender}:{number} is {seq}, with {before:?} and {after:?}");
        Ok(())
    }

    /// Checks I7: a chat was sent from within the room. Its sender has claimed the number by not receiving it, or is
    /// excused: it is gone or cut off, or, in a run in progress, may not have noticed yet that it was a member.
    fn check_sender(
        &self,
        peers: &Peers,
        seq: u64,
        entry: &Entry,
        goes_on: bool,
    ) -> Result<(), Violation> {
        let Some(Event::Chat { sender, number, .. }) = entry.event else { return Ok(()) };
        let has_sent = |gone: &Gone| gone.peer == sender && gone.stay.sent.contains(&number);
        let is_excused = match peers.known.get(&sender) {
            None => goes_on && sender <= peers.newest,
            Some(peer) if peer.is_cut_off => true,
            Some(_) if goes_on => self.members.get(&sender).is_none_or(|stay| stay.last < seq),
            Some(_) => self.gone.iter().any(has_sent),
        };
        ensure!(
            entry.own.is_some() || is_excused,
            "I7",
            "{sender}:{number} was not sent to this room, and is {seq} of it"
        );
        Ok(())
    }

    /// Checks that former members received everything up to the notice of their end. If nobody was left to receive
    /// that notice, its number is unknown.
    fn finish_gone(&mut self, room: u64) -> Result<(), Violation> {
        for mut gone in std::mem::take(&mut self.gone) {
            let Gone { peer, stay, notice } = &mut gone;
            while let Some(entry) = self.log.get(&(stay.last + 1))
                && entry.event.as_ref().is_some_and(|event| event != notice)
            {
                self.resolve(room, *peer, stay)?;
            }
            self.gone.push(gone);
        }
        Ok(())
    }

    /// Checks that those who are still members received everything.
    fn finish_members(&mut self, peers: &Peers, room: u64) -> Result<(), Violation> {
        let mut members = std::mem::take(&mut self.members);
        members.retain(|peer, _| !peers.is_cut_off(*peer));
        let is_alone = members.len() < 2;
        let end = self.log.last_key_value().map_or(0, |(seq, _)| *seq);
        for (peer, mut stay) in members {
            while stay.last < end {
                self.resolve(room, peer, &mut stay)?;
            }
            let Stay { sent, .. } = stay;
            ensure!(
                is_alone || sent.is_empty(),
                "I6",
                "chats {sent:?} of {peer} are lost in {room}"
            );
        }
        Ok(())
    }

    /// Attributes the next number of a stay, which the peer did not receive, to the peer's next chat.
    fn resolve(&mut self, room: u64, peer: usize, stay: &mut Stay) -> Result<(), Violation> {
        stay.last += 1;
        let seq = stay.last;
        match stay.sent.pop_front() {
            Some(number) => self.claim(seq, peer, number, "I5"),
            None => {
                let event = self.log.get(&seq).and_then(|entry| entry.event.as_ref());
                let what = format!("peer {peer} did not get {seq} of room {room}, {event:?}");
                Err(Violation::new("I5", what))
            }
        }
    }
}

impl Entry {
    fn is_by(&self, peer: usize) -> bool {
        matches!(self.event, Some(Event::Chat { sender, .. }) if sender == peer)
    }

    /// Checks that the peer that did not receive the broadcast is its sender.
    fn check(&self, seq: u64, rule: &'static str) -> Result<(), Violation> {
        let (Some((peer, own)), Some(event)) = (self.own, &self.event) else { return Ok(()) };
        match event {
            Event::Chat { sender, number, .. } if *sender == peer => {
                ensure!(
                    *number == own,
                    "I1",
                    "{seq} is {peer}:{number}, and {peer}:{own} to {peer}"
                );
                Ok(())
            }
            _ => Err(Violation::new(rule, format!("peer {peer} did not get {seq}, {event:?}"))),
        }
    }
}

#[cfg(test)]
mod tests;
