//! A whole connection, bytes in and bytes out: the server without the kernel, a stranger that sends anything, and two
//! witnesses that meanwhile talk to each other in a room.

mod reference;

use std::iter;

use chat_proto::extended::Hello;
use chat_proto::websocket::{self, Opcode};
use chat_proto::{Command, FrameDecoder, Framing, HEADER_LEN, Text, Title};
use chat_server::bench_support::{Left, MemoryPeers};
use chat_testing::{Checker, Event, UPGRADE, Violation};

use crate::chunks::Chunks;
use crate::messages;
use reference::Reference;

/// The peers, in the order in which they connect. The first two are the witnesses.
const ANN: usize = 0;
const BOB: usize = 1;
const STRANGER: usize = 2;

/// The pieces of the stream during which the witnesses talk; the rest is one piece.
const TALK: usize = 64;

/// The most bytes in a piece: what the server reads in one turn.
const READ: usize = 64 * 1024;

/// Writes to the stranger that are taken partially; later ones are taken completely.
const SHORT_WRITES: usize = 2_000;

/// The input is a byte of flags (`Plan`), the lengths of the pieces in which the stranger sends, those of the pieces
/// in which it receives, and then what it sends.
///
/// - Every peer receives exactly the bytes that a hub and an encoder produce when nothing is shared, batched
///   or split.
/// - Everybody receives whole frames, each with a message of a known type and without raw control characters.
/// - The witnesses receive everything in their room, once and in order.
/// - A stranger that speaks HTTP is answered over HTTP, and disturbs nobody. WebSockets of strangers, and strangers that
///   say hello, are left to the simulation.
/// - A connection ends when it should, and never for its backlog, since a turn produces too little for that limit. A
///   connection that is gone received a prefix.
/// - The server comes to rest after each step, and keeps nothing of a connection that is gone.
///
/// # Panics
/// If a property is violated.
pub fn connection(mut data: &[u8]) {
    let Some(plan) = Plan::take_from(&mut data) else { return };
    if data.windows(9).any(|word| word.eq_ignore_ascii_case(b"websocket")) {
        return;
    }
    if says_hello(data) {
        return;
    }
    let mut scene = Scene::new(&plan);
    let pieces = plan.pieces.cut(data).flat_map(|piece| piece.chunks(READ));
    let mut steps: Vec<_> = pieces.take(TALK).map(|piece| (piece, true)).collect();
    let talked = steps.iter().map(|(piece, _)| piece.len()).sum();
    steps.extend(data[talked..].chunks(READ).map(|piece| (piece, false)));
    // Of the frames that the server reads together with a reset, it may drop all but the first.
    let is_kept = !plan.reset || frames_of_the_last(&steps) <= 1;
    let last = steps.pop_if(|_| plan.end_at_once && is_kept);
    for (piece, talk) in steps {
        scene.step(&plan, piece, talk, false);
    }
    let (piece, talk) = last.unwrap_or((&[], true));
    scene.step(&plan, piece, talk, true);
    scene.close();
}

/// Whether any frame is a hello.
fn says_hello(stream: &[u8]) -> bool {
    let mut decoder = FrameDecoder::new();
    let mut frames = decoder.feed(stream);
    iter::from_fn(|| {
        let payload = frames.next_frame()?;
        Some(str::from_utf8(payload).is_ok_and(|payload| Hello::parse(payload).is_some()))
    })
    .any(|is_hello| is_hello)
}

/// How many frames the last piece completes.
fn frames_of_the_last(steps: &[(&[u8], bool)]) -> usize {
    let (mut decoder, mut count) = (FrameDecoder::new(), 0);
    for (piece, _) in steps {
        let mut frames = decoder.feed(piece);
        count = iter::from_fn(|| frames.next_frame().map(drop)).count();
    }
    count
}

/// The behaviour of the stranger.
#[derive(Debug)]
struct Plan {
    /// Bit 0: the witnesses send in the stranger's turn, before it, instead of in turns of their own. (After it, their
    /// chats might come between two of its commands, not all of which are read in one turn.)
    together: bool,
    /// Bit 1: the stranger ends its stream right after the last piece, without waiting for the answers.
    end_at_once: bool,
    /// Bit 2: the stranger vanishes instead of ending its stream.
    reset: bool,
    /// Bit 3: everybody has small budgets, which delay what the stranger sends and requests, and lose nothing.
    budgets: bool,
    /// Bit 4: Bob uses a WebSocket.
    web: bool,
    pieces: Chunks,
    takes: Chunks,
}

impl Plan {
    fn take_from(data: &mut &[u8]) -> Option<Self> {
        let (&flags, rest) = data.split_first()?;
        *data = rest;
        let [together, end_at_once, reset, budgets, web] =
            [1, 2, 4, 8, 16].map(|bit| flags & bit != 0);
        Some(Self {
            // With budgets, the input of one turn may be carried out over several turns, in any order.
            together: together && !budgets,
            // Delayed input is lost if the stranger vanishes.
            end_at_once: end_at_once && !(reset && budgets),
            reset,
            budgets,
            web,
            pieces: Chunks::take_from(data),
            takes: Chunks::take_from(data),
        })
    }
}

/// The server, and the reference for what it should do.
struct Scene {
    server: MemoryPeers,
    /// The framing of each peer's output.
    framings: [Framing; 3],
    /// Bytes that Bob received before the first message, if he uses a WebSocket.
    head: usize,
    reference: Reference,
    /// The number of chats that each witness has sent.
    spoken: usize,
}

impl Scene {
    fn new(plan: &Plan) -> Self {
        let mut server = MemoryPeers::new(plan.budgets);
        for _ in [ANN, BOB] {
            server.connect(iter::empty());
        }
        server.connect(plan.takes.clone().lens().take(SHORT_WRITES));
        let mut framings = [Framing::Length; 3];
        let mut head = 0;
        if plan.web {
            framings[BOB] = Framing::WebSocket;
            server.send(BOB, UPGRADE.as_bytes());
            server.settle();
            let answer = server.received(BOB);
            assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", answer.escape_ascii());
            head = answer.len();
        }
        let reference = Reference::new(framings);
        let mut scene = Self { server, framings, head, reference, spoken: 0 };
        let title = Title::new("witnesses").expect("a title");
        scene.witness(ANN, &Command::Create(title), true);
        scene.witness(BOB, &Command::Join(chat_proto::RoomId::FIRST), true);
        scene
    }

    fn witness(&mut self, who: usize, command: &Command, settle: bool) {
        let mut frame = Vec::new();
        command.write(&mut frame).expect("it fits a frame");
        self.reference.receive(who, &frame);
        if self.framings[who] == Framing::WebSocket {
            let payload = frame.split_off(HEADER_LEN);
            frame.clear();
            websocket::write_masked(&mut frame, Opcode::Text, *b"mask", &payload);
        }
        self.server.send(who, &frame);
        if settle {
            self.server.settle();
        }
    }

    /// The messages that a peer has received.
    fn received(&self, who: usize) -> Vec<u8> {
        let mut received = self.server.received(who);
        if who == BOB {
            received.drain(..self.head);
        }
        received
    }

    fn says(&self, who: usize) -> Command {
        let text = Event::text(who, self.spoken as u64, 0);
        Command::Chat(Text::new(&text).expect("a text"))
    }

    /// Sends a piece from the stranger, and perhaps the end of its stream; one witness sends before and one after it,
    /// or both before.
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

    /// Checks that the stranger received what it should, or a prefix of that if it is gone.
    fn check_stranger(&self, gone: bool) {
        let expected = &self.reference.expected[STRANGER];
        let received = self.server.received(STRANGER);
        if self.reference.is_http(STRANGER) {
            let is_answer = received.is_empty() || received.starts_with(b"HTTP/1.1 ");
            return assert!(is_answer, "{}", received.escape_ascii());
        }
        let is_right = if gone { expected.starts_with(&received) } else { received == *expected };
        assert!(is_right, "{}", difference(&received, expected));
        let has_left = self.server.left(STRANGER) != Left::Open;
        assert_eq!(has_left, self.reference.has_ended(STRANGER), "it ends when it should");
    }

    /// Ends all peers, and checks what the witnesses received.
    fn close(mut self) {
        self.server.end(STRANGER, true);
        self.server.settle();
        assert_eq!(self.server.connections(), 2, "nothing is kept of a connection that is gone");
        self.check_witnesses().unwrap_or_else(|found| panic!("{found}"));
        for who in [ANN, BOB] {
            let (received, expected) = (self.received(who), &self.reference.expected[who]);
            assert!(received == *expected, "{}", difference(&received, expected));
            self.server.end(who, false);
            self.reference.disconnect(who);
            self.server.settle();
        }
        assert_eq!(self.server.connections(), 0);
        messages::read_all(Framing::Length, &self.reference.expected[STRANGER]);
    }

    /// Checks that the witnesses received everything in their room, except for their own chats.
    fn check_witnesses(&self) -> Result<(), Violation> {
        let mut checker = Checker::default();
        for who in [ANN, BOB] {
            checker.connect(who);
            for message in messages::read_all(self.framings[who], &self.received(who)) {
                let Some((room, seq)) = message.room_id.zip(message.seq) else { continue };
                match message.code.as_deref() {
                    Some("room-created" | "room-entered") => {
                        checker.enter(who, room, seq)?;
                        (0..self.spoken).for_each(|number| checker.send(who, number as u64));
                    }
                    None if !["user1", "user2"].contains(&message.member.as_str()) => {
                        let event = Event::notice(&message.member, &message.text);
                        checker.receive(who, room, seq, event)?;
                    }
                    _ => checker.receive(who, room, seq, Event::read(&message)?)?,
                }
            }
        }
        checker.finish()
    }
}

/// Describes where the received bytes differ from the expected ones.
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
