//! An independent account of the server's state: what each connection is owed and since when, the memory held, who is
//! connected, and why connections ended. It is compared with the server's own account after each turn.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

use chat_proto::{HEADER_LEN, MAX_PAYLOAD};

use crate::connection::{Connection, InboundLimits, Phase};
use crate::engine::Engine;
use crate::limits::Limits;
use crate::net::ConnKey;
use crate::stats::Stats;
use crate::stats::{CloseReason, LimitKind};
use crate::testing::simulation::net::{ClientEnd, SimSocket};

pub(super) struct Audit {
    limits: Limits,
    records: BTreeMap<ConnKey, Record>,
    before: Stats,
    /// Bytes of each client's frames that the server has accepted.
    taken: BTreeMap<usize, u64>,
}

/// A connection whose socket is open, or was at the end of the last turn.
pub(super) struct Record {
    pub(super) client: usize,
    pub(super) address: IpAddr,
    pub(super) end: ClientEnd,
    /// Why it was refused, if it was.
    pub(super) refused: Option<CloseReason>,
    reason: Option<CloseReason>,
    /// Since when its backlog has been above `slow_backlog`, or a list of rooms has made no progress.
    behind_from: Option<u64>,
    /// Since when it has been closing, with only its last message left for the client to read.
    closing_from: Option<u64>,
    /// Whether both sides had ended the stream at the end of the last turn.
    over: bool,
}

/// A connection that has been given a reason to end, or whose socket has been closed.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) client: usize,
    /// The possible reasons, one of which is the actual one.
    pub(super) reasons: Vec<CloseReason>,
    /// Whether the kernel had refused a write, and had not told the server of space since.
    pub(super) choked: bool,
    pub(super) behind_from: Option<u64>,
}

impl Record {
    pub(super) fn new(
        client: usize,
        address: IpAddr,
        end: ClientEnd,
        refused: Option<CloseReason>,
        now: u64,
    ) -> Self {
        let (behind_from, closing_from) = (None, refused.map(|_| now));
        Self {
            client,
            address,
            end,
            refused,
            reason: refused,
            behind_from,
            closing_from,
            over: false,
        }
    }

    fn ending(&self, reasons: Vec<CloseReason>) -> Ending {
        Ending {
            client: self.client,
            reasons,
            choked: self.end.is_choked(),
            behind_from: self.behind_from,
        }
    }
}

impl Audit {
    pub(super) fn new(limits: Limits, stats: Stats) -> Self {
        Self { limits, records: BTreeMap::new(), before: stats, taken: BTreeMap::new() }
    }

    pub(super) fn open(&mut self, key: ConnKey, record: Record) {
        self.records.insert(key, record);
    }

    /// Why the next connection from this address must be refused, if it must.
    pub(super) fn refusal(&self, address: IpAddr) -> Option<CloseReason> {
        let taken = || {
            let records = self.records.values();
            records.filter(|a| a.refused.is_none() && !a.end.is_closed_by_server())
        };
        let of_address = taken().filter(|record| record.address == address).count();
        let limit = self.limits.connections_per_address;
        if taken().count() >= self.limits.connections {
            return Some(CloseReason::ServerFull);
        }
        (limit > 0 && of_address >= limit).then_some(CloseReason::TooManyFromAddress)
    }

    /// Compares both accounts at the end of a turn. Returns the connections that end, with the reasons.
    pub(super) fn turn<W>(
        &mut self,
        now: u64,
        engine: &Engine<SimSocket, W>,
        stats: &Stats,
    ) -> Vec<Ending> {
        if fault!(NoGeneration) {
            // The accounts disagree at once; the clients' records have to show the fault as well.
            self.records.retain(|_, record| !record.end.is_closed_by_server());
            return Vec::new();
        }
        self.check_balance(engine, stats);
        self.check_memory(engine, stats);
        let mut endings = Vec::new();
        for (key, record) in &mut self.records {
            let connection = engine.connections().get(*key);
            let closed = record.end.is_closed_by_server();
            assert_eq!(connection.is_none(), closed, "I10: {key:?} has a socket or it has not");
            let Some(connection) = connection else { continue };
            record.follow(now, engine, &self.limits, connection);
            self.taken.insert(record.client, connection.inbound.accepted);
            let reason = connection.lifecycle.reason();
            if reason.is_some() && reason != record.reason {
                record.reason = reason;
                endings.push(record.ending(reason.into_iter().collect()));
            }
        }
        endings.append(&mut self.close(now, stats));
        endings
    }

    fn check_balance<W>(&self, engine: &Engine<SimSocket, W>, stats: &Stats) {
        let sockets = self.records.values().filter(|a| !a.end.is_closed_by_server()).count();
        assert_eq!(engine.connection_count(), sockets, "I10: each connection has its socket");
        assert_eq!(stats.connections, sockets as u64, "I10: and is counted");
        let (accepted, closed) = (stats.accepted, stats.closed.total());
        assert_eq!(accepted - closed, stats.connections, "I10: {accepted} came, {closed} went");
        assert_eq!(stats.rooms, engine.fanout().room_count() as u64, "I10: rooms are counted");
        assert_eq!(stats.sessions, engine.session_count() as u64, "I10: sessions are counted");
        assert!(stats.requests_done <= stats.requests, "I10: no more is done than was asked for");
        assert_eq!(stats.panics, 0, "the hub has panicked");
    }

    /// Counts the memory held from scratch: every chunk once, whoever holds it, and the memory of each connection.
    fn check_memory<W>(&self, engine: &Engine<SimSocket, W>, stats: &Stats) {
        let connections = || self.records.keys().filter_map(|key| engine.connections().get(*key));
        let single =
            |c: &Connection<SimSocket>| c.outbound.send.count_own_memory() + c.inbound.memory();
        let mut held: usize = connections().map(single).sum();
        held += engine.fanout().queue_memory();
        let mut chunks = BTreeSet::new();
        for chunk in
            engine.fanout().chunks().chain(connections().flat_map(|c| c.outbound.send.chunks()))
        {
            if chunks.insert(Rc::as_ptr(chunk)) {
                held += chunk.memory();
            }
        }
        self.check_history(engine, stats);
        assert_eq!(stats.backlog, held as u64, "I9: what is held is not what is counted");
        // What rooms are still handing out counts against no client.
        let lent = engine.fanout().lent_history();
        let most = self.limits.total_backlog + lent + engine.fanout().unsent_memory();
        assert!(held <= most, "I9: {held} bytes are held, of at most {most}");
    }

    /// Counts the memory of what was said from scratch.
    fn check_history<W>(&self, engine: &Engine<SimSocket, W>, stats: &Stats) {
        let Some(histories) = engine.fanout().histories() else {
            return assert_eq!(stats.history, 0, "I9: nothing is kept");
        };
        let (most, sum) = histories.count();
        assert!(most <= self.limits.history, "I9: {most} bytes are kept of a room");
        assert_eq!(stats.history, sum as u64, "I9: what is kept is not what is counted");
        let sum = sum + histories.lent();
        assert!(sum <= self.limits.total_history, "I9: {sum} bytes are kept of all rooms, or lent");
    }

    /// Removes the connections whose sockets are closed. Each ended for one of the reasons counted.
    fn close(&mut self, now: u64, stats: &Stats) -> Vec<Ending> {
        let is_closed = |record: &Record| record.end.is_closed_by_server();
        let closed = self.records.iter().filter(|(_, record)| is_closed(record));
        let closed: Vec<_> = closed.map(|(key, _)| *key).collect();
        let gone = closed.iter().filter_map(|key| self.records.remove(key)).collect::<Vec<_>>();
        let mut counted = BTreeMap::new();
        for reason in CloseReason::ALL {
            let count = stats.closed.count(reason) - self.before.closed.count(reason);
            counted.insert(reason as usize, count);
        }
        let timeouts =
            stats.limits.count(LimitKind::Linger) - self.before.limits.count(LimitKind::Linger);
        self.before = stats.clone();
        let mut unknown = Vec::new();
        let mut endings = Vec::new();
        let (mut late, mut either) = (0, 0);
        for record in gone {
            self.taken.remove(&record.client);
            late += u64::from(record.check_linger(now, &self.limits));
            if record.reason.is_some() && record.end.is_lost() {
                // It ended for that reason, which has been judged, or was lost first.
                either += 1;
                continue;
            }
            let count = record.reason.and_then(|reason| counted.get_mut(&(reason as usize)));
            match count.filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => unknown.push(record),
            }
        }
        // Not counted where reading waits for the workers.
        let rule = timeouts <= late || self.limits.read_ahead < 1 << 22;
        assert!(rule, "I12: {timeouts} were not waited for, of {late} that were late");
        let reasons =
            CloseReason::ALL.into_iter().filter(|reason| counted[&(*reason as usize)] > 0);
        let reasons: Vec<_> = reasons.collect();
        let left: u64 = counted.values().sum();
        let gone = (either + unknown.len()) as u64;
        assert_eq!(left, gone, "I10: each connection went for one reason");
        endings.extend(unknown.iter().map(|record| record.ending(reasons.clone())));
        endings
    }

    /// Checks the server at rest: it waits for nobody without a timer.
    pub(super) fn check_rest<W>(&self, engine: &Engine<SimSocket, W>) {
        let limits = &InboundLimits::new(&self.limits, false);
        for (key, record) in &self.records {
            let Some(connection) = engine.connections().get(*key) else { continue };
            let client = record.client;
            assert_eq!(
                connection.lifecycle.phase(),
                Phase::Open,
                "I12: client {client} is still closing"
            );
            let frame = connection.frame_deadline(limits);
            assert_eq!(frame, None, "I12: a frame of client {client} is waited for for ever");
            let is_read = connection.read_pause().is_none();
            assert!(is_read, "I12: client {client} is not read again");
            assert_eq!(record.behind_from, None, "I12: client {client} is behind for ever");
        }
    }

    /// Bytes of a client's frames that the server has accepted, while it has a connection.
    pub(super) fn taken(&self, client: usize) -> Option<u64> {
        self.taken.get(&client).copied()
    }

    /// The clients that are owed something.
    pub(super) fn owed<W>(&self, engine: &Engine<SimSocket, W>) -> Vec<usize> {
        let is_owed =
            |key: &ConnKey| engine.connections().get(*key).is_some_and(Connection::has_pending);
        let owed = self.records.iter().filter(|(key, _)| is_owed(key));
        owed.map(|(_, record)| record.client).collect()
    }
}

impl Record {
    /// Records what the connection is owed, and checks it against the limits.
    fn follow<W>(
        &mut self,
        now: u64,
        engine: &Engine<SimSocket, W>,
        limits: &Limits,
        connection: &Connection<SimSocket>,
    ) {
        let client = self.client;
        let input = connection.inbound.buffered();
        let kept = if connection.inbound.has_frames() { limits.read_per_turn } else { 0 };
        assert!(input < HEADER_LEN + MAX_PAYLOAD + kept, "I8: {input} bytes of input of {client}");
        if connection.lifecycle.has_left_hub() {
            self.closing_from.get_or_insert(now);
            self.over = self.end.has_ended_both();
            return;
        }
        let by_room = connection.subscription.map_or(0, |s| engine.fanout().pending(&s));
        let owed = connection.outbound.send.pending() + by_room;
        let Connection { outbound, .. } = connection;
        let is_list_stuck = outbound.send.has_waiting_list() && outbound.is_blocked();
        if owed > limits.slow_backlog || is_list_stuck {
            self.behind_from.get_or_insert(now);
        } else {
            self.behind_from = None;
        }
        // A waiting member may not have been visited yet; what was added is kept for the others anyway. A steady
        // reader may have twice the limit, and is not checked again until something happens to it.
        let most = 2 * limits.backlog;
        // Nor could the client read what follows a list that is not encoded yet.
        let is_list_next = outbound.send.wanted_page().is_some() && !outbound.is_blocked();
        let fits = owed <= most || engine.fanout().is_dirty() || is_list_next;
        assert!(fits, "I8: client {client} is owed {owed} bytes, of at most {most}");
    }

    /// Checks that a socket closed while its client might still read had its time to linger. Returns whether that time
    /// ran out because of the client; an end that arrived in this turn may not have been read yet.
    fn check_linger(&self, now: u64, limits: &Limits) -> bool {
        let linger = limits.linger.as_nanos() as u64;
        let late = self.closing_from.is_some_and(|from| from + linger <= now);
        let client = self.client;
        // There is no lingering with too many refused connections, or while memory is short.
        let hurried = self.refused.is_some() || limits.total_backlog < 1 << 28;
        let lost = self.reason.is_none_or(|reason| reason == CloseReason::Lost);
        let right = late || hurried || lost || self.end.is_lost() || !self.end.is_broken();
        assert!(right, "I5b: client {client} was given no time for its last message");
        late && !self.over
    }
}
