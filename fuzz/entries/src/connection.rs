//! A whole connection, bytes in and bytes out: the server without the kernel, a peer that sends
//! anything, and two witnesses in a room that talk to each other meanwhile.

mod reference;

use std::iter;

use chat_proto::{Command, Incoming, Text, Title};
use chat_server::bench_support::{Left, MemoryPeers};

use crate::chunks::Chunks;
use crate::said;
use reference::Reference;

/// The peers in the order in which they connect. The first two are the witnesses.
const ANN: usize = 0;
const BOB: usize = 1;
const STRANGER: usize = 2;

/// Pieces of the stream beside which the witnesses say something; all behind them come as one.
const TALK: usize = 64;

/// The most bytes of a piece: what the server reads in one turn.
const READ: usize = 64 * 1024;

/// Writes to the stranger that take a part of what there is; all behind them take everything.
const SHORT_WRITES: usize = 2_000;

/// The input is a byte of flags (`Plan`), lengths of the pieces in which the peer sends, lengths of
/// those in which it takes what it gets, then what it sends.
///
/// - Every peer gets, to the byte, what a hub and an encoder make of the commands when nothing is
///   shared, batched or cut in pieces.
/// - What anybody gets is whole frames with a message of a known type and nothing raw in them.
/// - The witnesses hear each other, each message once and in order.
/// - A connection ends when it should, and never for what it is owed: in one turn that is too little
///   for the limit. One that is gone got a beginning of what it was owed.
/// - The server comes to rest after each step, and keeps nothing of who has gone.
///
/// # Panics
/// When a property is broken.
pub fn connection(mut data: &[u8]) {
    let Some(plan) = Plan::take_from(&mut data) else { return };
    let mut scene = Scene::new(plan.takes.clone());
    let pieces = plan.pieces.cut(data).flat_map(|piece| piece.chunks(READ));
    let mut steps: Vec<_> = pieces.take(TALK).map(|piece| (piece, true)).collect();
    let talked = steps.iter().map(|(piece, _)| piece.len()).sum();
    steps.extend(data[talked..].chunks(READ).map(|piece| (piece, false)));
    let last = plan.end_at_once.then(|| steps.pop()).flatten();
    for (piece, talk) in steps {
        scene.step(&plan, piece, talk, false);
    }
    let (piece, talk) = last.unwrap_or((&[], true));
    scene.step(&plan, piece, talk, true);
    scene.close();
}

/// How the peer behaves.
#[derive(Debug)]
struct Plan {
    /// Bit 0: the witnesses speak in the same turn as the peer, before it, not in turns of their own.
    /// (Behind it, what they say might come between two of its commands, of which not all are taken in
    /// one turn.)
    together: bool,
    /// Bit 1: the peer ends its stream right behind the last piece, not after the answers to it.
    end_at_once: bool,
    /// Bit 2: the peer does not end its stream but is gone.
    reset: bool,
    pieces: Chunks,
    takes: Chunks,
}

impl Plan {
    fn take_from(data: &mut &[u8]) -> Option<Self> {
        let (&flags, rest) = data.split_first()?;
        *data = rest;
        Some(Self {
            together: flags & 1 != 0,
            end_at_once: flags & 2 != 0,
            reset: flags & 4 != 0,
            pieces: Chunks::take_from(data),
            takes: Chunks::take_from(data),
        })
    }
}

/// The server, and beside it what it should do.
struct Scene {
    server: MemoryPeers,
    reference: Reference,
    /// How often each of the witnesses has spoken.
    spoken: usize,
}

impl Scene {
    fn new(takes: Chunks) -> Self {
        let mut server = MemoryPeers::new();
        for _ in [ANN, BOB] {
            server.connect(iter::empty());
        }
        server.connect(takes.lens().take(SHORT_WRITES));
        let reference = Reference::new();
        let mut scene = Self { server, reference, spoken: 0 };
        let title = Title::new("witnesses").expect("a title");
        scene.witness(ANN, &Command::Create(title), true);
        scene.witness(BOB, &Command::Join(chat_proto::RoomId::FIRST), true);
        scene
    }

    fn witness(&mut self, who: usize, command: &Command, settle: bool) {
        let mut frame = Vec::new();
        command.write(&mut frame).expect("it fits a frame");
        self.server.send(who, &frame);
        self.reference.receive(who, &frame);
        if settle {
            self.server.settle();
        }
    }

    fn says(&self, who: usize) -> Command {
        Command::Chat(Text::new(&format!("{who} says {}", self.spoken)).expect("a text"))
    }

    /// The stranger sends a piece, and maybe ends its stream; the witnesses speak before and after, or
    /// both before.
    fn step(&mut self, plan: &Plan, piece: &[u8], talk: bool, end: bool) {
        if talk {
            self.witness(ANN, &self.says(ANN), !plan.together);
        }
        if talk && plan.together {
            self.witness(BOB, &self.says(BOB), false);
        }
        self.server.send(STRANGER, piece);
        self.reference.receive(STRANGER, piece);
        if end && !plan.end_at_once {
            self.server.settle();
        }
        if end {
            self.server.end(STRANGER, plan.reset);
            self.reference.disconnect(STRANGER);
        }
        if !plan.together {
            self.server.settle();
        }
        if talk && !plan.together {
            self.witness(BOB, &self.says(BOB), true);
        }
        self.spoken += usize::from(talk);
        self.server.settle();
        self.check_stranger(end && plan.reset);
    }

    /// It got what it should have; a beginning of that if it is gone.
    fn check_stranger(&self, gone: bool) {
        let expected = &self.reference.expected[STRANGER];
        let received = self.server.received(STRANGER);
        let is_right = if gone { expected.starts_with(&received) } else { received == *expected };
        assert!(is_right, "{}", difference(&received, expected));
        let has_left = self.server.left(STRANGER) != Left::Open;
        assert_eq!(has_left, self.reference.has_ended(STRANGER), "it ends when it should");
    }

    /// Everybody leaves, and what they got is looked at.
    fn close(mut self) {
        self.server.end(STRANGER, true);
        self.server.settle();
        assert_eq!(self.server.connections(), 2, "nothing is kept of who has gone");
        for who in [ANN, BOB] {
            let (received, expected) = (self.server.received(who), &self.reference.expected[who]);
            assert!(received == *expected, "{}", difference(&received, expected));
            self.check_witness(who, &said::messages(&received));
            self.server.end(who, false);
            self.reference.disconnect(who);
            self.server.settle();
        }
        assert_eq!(self.server.connections(), 0);
        said::messages(&self.reference.expected[STRANGER]);
    }

    /// A witness heard the other one, each message once and in order, and never itself.
    fn check_witness(&self, who: usize, heard: &[Incoming]) {
        let other = ANN + BOB - who;
        let by = |who: usize| {
            let name = format!("user{}", who + 1);
            let is_chat = |message: &&Incoming| message.kind == "SCChat";
            heard.iter().filter(is_chat).filter(move |message| message.member == name)
        };
        assert_eq!(by(who).count(), 0, "nobody hears itself");
        let texts = by(other).map(|message| message.text.clone());
        assert!(texts.eq((0..self.spoken).map(|n| format!("{other} says {n}"))));
        let seqs: Vec<_> = heard.iter().filter_map(|message| message.seq).collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "numbers rise");
    }
}

/// Where what somebody got is not what it should have, for people.
fn difference(received: &[u8], expected: &[u8]) -> String {
    let at = received.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let show = |bytes: &[u8]| {
        let from = at.saturating_sub(80);
        bytes[from..bytes.len().min(at + 160)].escape_ascii().to_string()
    };
    let (got, wanted) = (received.len(), expected.len());
    format!(
        "{got} bytes received, {wanted} expected, other from {at} on:\n{}\n{}",
        show(received),
        show(expected)
    )
}
