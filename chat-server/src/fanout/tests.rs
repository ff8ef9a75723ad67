//! Every member gets every broadcast between its entering and its leaving, except its own, in the order of the log and
//! correctly interleaved with its own answers, whatever the slices and however slow it is.

use std::sync::Arc;

use chat_core::{HubLimits, Name, Notice, Role, Text};
use proptest::prelude::*;

use super::*;
use crate::connection::Connection;
use crate::net::Instant;
use crate::testing::scripted_socket::{ScriptedSocket, Step};
use crate::workers::{Mailbox, SharedHub};

#[derive(Debug, Clone)]
enum Op {
    Enter(usize),
    Leave(usize),
    Say(usize, u8),
    Notice,
    Answer(usize),
    Flush,
    Writable(usize),
}

const PEERS: usize = 6;

fn op() -> impl Strategy<Value = Op> {
    let peer = 0..PEERS;
    prop_oneof![
        2 => peer.clone().prop_map(Op::Enter),
        1 => peer.clone().prop_map(Op::Leave),
        8 => (peer.clone(), 0u8..200).prop_map(|(peer, len)| Op::Say(peer, len)),
        1 => Just(Op::Notice),
        2 => peer.clone().prop_map(Op::Answer),
        4 => Just(Op::Flush),
        3 => peer.prop_map(Op::Writable),
    ]
}

fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1usize..600).prop_map(Step::Take),
        2 => Just(Step::Fail(std::io::ErrorKind::WouldBlock)),
    ];
    prop::collection::vec(step, 0..30)
}

/// A fan-out with scripted peers, and what each peer must receive.
struct Harness {
    fanout: Fanout,
    connections: Connections<ScriptedSocket>,
    writer: Writer,
    keys: Vec<ConnKey>,
    expected: Vec<Vec<u8>>,
    inside: Vec<bool>,
    room: RoomId,
    seq: u64,
}

impl Harness {
    fn new(slice: usize, scripts: Vec<Vec<Step>>) -> Self {
        let limits = Limits {
            writes_per_room_and_turn: slice,
            write_per_turn: usize::MAX,
            slow_backlog: usize::MAX,
            ..Limits::default()
        };
        let hub = SharedHub::new(HubLimits::default(), || {});
        let mut connections = Connections::new();
        let connect = |script: Vec<Step>| {
            let mailbox = Arc::new(Mailbox::new(hub.connect(Role::Guest)));
            connections.insert(Connection::new(
                ScriptedSocket::new(script),
                mailbox,
                Instant::START,
            ))
        };
        let keys: Vec<_> = scripts.into_iter().map(connect).collect();
        Self {
            fanout: Fanout::new(&limits, Lang::En),
            connections,
            writer: Writer::new(&limits),
            expected: vec![Vec::new(); keys.len()],
            inside: vec![false; keys.len()],
            keys,
            room: RoomId::FIRST,
            seq: 0,
        }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Enter(peer) if !self.inside[peer] => {
                self.inside[peer] = true;
                self.fanout.join(&mut self.connections, self.keys[peer], self.room);
            }
            Op::Leave(peer) if self.inside[peer] => {
                self.inside[peer] = false;
                self.fanout.leave(&mut self.connections, self.keys[peer]);
            }
            Op::Say(peer, len) if self.inside[peer] => {
                let member = Name::default_for(peer as u64);
                let text = Text::new(&"x".repeat(usize::from(len) * 7 + 1)).expect("a text");
                self.broadcast(Some(peer), &RoomEvent::Chat { member, text });
            }
            Op::Notice if self.inside.contains(&true) => {
                let name = Name::default_for(99);
                self.broadcast(None, &RoomEvent::Notice(Notice::MemberEntered { name }));
            }
            Op::Answer(peer) => {
                let message = ServerMessage::System { notice: &Notice::NotInRoom, room: None };
                message.write(Lang::En, &mut self.expected[peer]).expect("it fits");
                self.fanout.drain_log(&mut self.connections, self.keys[peer]);
                let connection = self.connections.get_mut(self.keys[peer]).expect("connected");
                connection.outbound.push_notice(Lang::En, &Notice::NotInRoom, None);
            }
            Op::Flush => self.fanout.flush(&mut self.connections, &mut self.writer),
            Op::Writable(peer) => {
                self.unblock(self.keys[peer]);
                self.writer.flush(&mut self.connections, self.keys[peer]);
            }
            Op::Enter(_) | Op::Leave(_) | Op::Say(..) | Op::Notice => {}
        }
    }

    fn broadcast(&mut self, except: Option<usize>, event: &RoomEvent) {
        self.seq += 1;
        let (room, seq) = (self.room, self.seq);
        let message = match event {
            RoomEvent::Chat { member, text } => ServerMessage::Chat { member, text, room, seq },
            RoomEvent::Notice(notice) => ServerMessage::System { notice, room: Some((room, seq)) },
        };
        for (peer, expected) in self.expected.iter_mut().enumerate() {
            if self.inside[peer] && Some(peer) != except {
                message.write(Lang::En, expected).expect("it fits");
            }
        }
        self.fanout.broadcast(room, seq, 0, except.map(|peer| self.keys[peer]), event);
    }

    /// Delivers everything that is pending.
    fn deliver_all(&mut self) {
        while self.fanout.is_dirty() {
            self.fanout.flush(&mut self.connections, &mut self.writer);
        }
        for key in self.keys.clone() {
            while self.connections.get(key).expect("connected").has_pending() {
                self.unblock(key);
                let connection = self.connections.get_mut(key).expect("connected");
                connection.flush(&mut { usize::MAX }).expect("no error in the script");
            }
        }
    }

    /// Makes the kernel of a connection take bytes again.
    fn unblock(&mut self, key: ConnKey) {
        self.connections.get_mut(key).expect("connected").outbound.unblock();
        self.fanout.drain_log(&mut self.connections, key);
    }

    fn written(&self, peer: usize) -> &[u8] {
        let connection = self.connections.get(self.keys[peer]).expect("connected");
        &connection.socket_for_test().written
    }
}

proptest! {
    #[test]
    fn everyone_gets_exactly_what_is_theirs(
        slice in 1usize..8,
        scripts in prop::collection::vec(script(), PEERS),
        ops in prop::collection::vec(op(), 1..120),
    ) {
        let mut harness = Harness::new(slice, scripts);
        for op in &ops {
            harness.apply(op);
        }
        for peer in 0..PEERS {
            prop_assert!(harness.expected[peer].starts_with(harness.written(peer)), "peer {}", peer);
        }
        harness.deliver_all();
        for peer in 0..PEERS {
            prop_assert_eq!(harness.written(peer), &harness.expected[peer], "peer {}", peer);
        }
    }
}

#[test]
fn a_turn_of_many_messages_is_one_write_per_member() {
    let mut harness = Harness::new(usize::MAX, vec![Vec::new(); 4]);
    for peer in 0..4 {
        harness.apply(&Op::Enter(peer));
    }
    for _ in 0..100 {
        harness.apply(&Op::Say(0, 10));
    }
    harness.apply(&Op::Flush);
    let calls = |peer| {
        let connection = harness.connections.get(harness.keys[peer]).expect("connected");
        connection.socket_for_test().calls
    };
    assert_eq!([calls(0), calls(1), calls(2), calls(3)], [0, 1, 1, 1]);
    assert!(!harness.fanout.is_dirty());
}

#[test]
fn r6_a_big_room_takes_its_slice_and_no_more() {
    let mut harness = Harness::new(10, vec![Vec::new(); 25]);
    for peer in 0..25 {
        harness.apply(&Op::Enter(peer));
    }
    harness.apply(&Op::Notice);
    for served in [10, 20, 25] {
        harness.apply(&Op::Flush);
        assert_eq!((0..25).filter(|&peer| !harness.written(peer).is_empty()).count(), served);
    }
    assert!(!harness.fanout.is_dirty());
}

#[test]
fn a_room_without_members_owns_nothing() {
    let mut harness = Harness::new(10, vec![Vec::new(); 2]);
    harness.apply(&Op::Enter(0));
    harness.apply(&Op::Enter(1));
    harness.apply(&Op::Say(0, 1));
    harness.apply(&Op::Leave(1));
    harness.apply(&Op::Leave(0));
    assert!(harness.fanout.rooms.is_empty());
    harness.deliver_all();
    assert_eq!(harness.written(1), harness.expected[1]);
}
