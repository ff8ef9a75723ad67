//! Compares the hub with a naive model: whatever people do, in whatever order, everybody receives what the model says,
//! and the getters of the hub agree with it.
//!
//! Runs 512 sequences of up to 100 inputs, different ones each time; `PROPTEST_CASES=20000` runs more. A
//! failure prints the shortest failing sequence it has found, and the seed:
//!
//! ```text
//! PROPTEST_RNG_SEED=8410844895348702139 cargo test -p chat-core --test hub model
//! ```
//!
//! runs the same sequences again, in the same order, with the same result.

mod reference;

use std::collections::BTreeSet;
use std::fmt;

use chat_core::{
    Command, HubLimits, Name, Notice, OperatorText, Role, RoomId, SessionId, Text, Title,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestError, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::support::{Chat, Received, config};
use reference::{MAX_ROOMS, Model, NAMES};

/// The number of people who do something. A crowd may be there as well.
const MAX_ACTIVE: usize = 8;

/// Text lengths, in bytes, around the longest that fits a frame; the limit depends on the sender's name.
const LONG_TEXT: std::ops::RangeInclusive<usize> = 65_450..=65_480;

/// One input of the hub. People are identified by their numbers.
#[derive(Clone)]
pub(crate) enum Step {
    Connect(Role),
    Disconnect(u64),
    Command(u64, Command),
    Announce(RoomId, OperatorText),
    AnnounceToAll(OperatorText),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(role) => write!(f, "connect {role:?}"),
            Self::Disconnect(who) => write!(f, "{who}: disconnect"),
            Self::Command(who, Command::Chat(text)) if text.as_str().len() > 100 => {
                write!(f, "{who}: Chat({} bytes)", text.as_str().len())
            }
            Self::Announce(room, text) => write!(f, "the operator, in room {room}: {text}"),
            Self::AnnounceToAll(text) => write!(f, "the operator, to all: {text}"),
            Self::Command(who, command) => write!(f, "{who}: {command:?}"),
        }
    }
}

impl Model {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Connect(role) => self.connect(*role),
            Step::Disconnect(who) => self.disconnect(*who),
            Step::Command(who, command) => self.command(*who, command),
            Step::Announce(room, text) => self.announce(*room, text),
            Step::AnnounceToAll(text) => self.announce_to_all(text),
        }
    }

    /// What one person receives because of the last input.
    fn inbox(&self, who: u64) -> Vec<&Received> {
        self.deliveries.iter().filter(|(to, _)| *to == who).map(|(_, message)| message).collect()
    }
}

/// The first steps of a sequence: none, or a crowd that enters one room.
fn opening(crowd: u64) -> Vec<Step> {
    let join = |who| Step::Command(who, Command::Join(RoomId::FIRST));
    let mut steps = vec![Step::Connect(Role::Guest); crowd as usize];
    if crowd > 0 {
        let title = Title::new("crowd").expect("a title");
        steps.push(Step::Command(1, Command::Create(title)));
        steps.extend((2..=crowd).map(join));
    }
    steps
}

/// A command that a person may send, mostly one that is possible at this moment.
fn command(who: u64, mut rooms: Vec<RoomId>, rooms_made: u64) -> BoxedStrategy<Command> {
    let name = |name: &str| Command::Rename(Name::new(name).expect("a name"));
    let text = |text: String| Command::Chat(Text::try_from(text).expect("a text"));
    let rename = (0..=NAMES.len()).prop_map(move |n| match NAMES.get(n) {
        Some((spelling, _)) => name(spelling),
        None => name(&format!("user{who}")),
    });
    let create = select(vec!["games", "books", "방 \"2\""])
        .prop_map(|title| Command::Create(Title::new(title).expect("a title")));
    let join_any =
        (1..=rooms_made + 1).prop_map(|room| Command::Join(RoomId::new(room).expect("above 0")));
    rooms.push(RoomId::FIRST);
    let join = select(rooms).prop_map(Command::Join);
    let short = select(vec!["hello", "안녕 😀", "\t\"\\\n"]).prop_map(str::to_owned);
    let long = LONG_TEXT.prop_map(|len| "x".repeat(len));
    prop_oneof![
        8 => short.prop_map(text),
        6 => rename,
        5 => join,
        4 => Just(Command::Rooms),
        3 => create,
        3 => Just(Command::Leave),
        1 => join_any,
        1 => long.prop_map(text),
        1 => Just(Command::Shutdown),
    ]
    .boxed()
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let crowd = prop_oneof![7 => Just(0), 1 => 48..=52u64];
        let after_opening = |crowd| {
            let mut model = Self::default();
            opening(crowd).iter().for_each(|step| model.step(step));
            model
        };
        crowd.prop_map(after_opening).boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Step> {
        let connect =
            select(vec![Role::Guest, Role::Guest, Role::Operator]).prop_map(Step::Connect);
        let everybody: Vec<_> = model.people.iter().map(|person| person.number).collect();
        let online = model.people.iter().filter(|person| person.online);
        // The last to arrive of a crowd.
        let mut active: Vec<_> = online.map(|person| person.number).collect();
        active.drain(..active.len().saturating_sub(MAX_ACTIVE));
        if active.is_empty() {
            return connect.boxed();
        }
        let announce = (0..=model.rooms_made + 1).prop_map(|room| {
            let text = OperatorText::new("공지 \"tea\"").expect("a text");
            match RoomId::new(room) {
                Ok(room) => Step::Announce(room, text),
                Err(_) => Step::AnnounceToAll(text),
            }
        });
        let may_connect = u32::from(active.len() < MAX_ACTIVE);
        let asks = |who: Vec<u64>| {
            let rooms: Vec<_> = model.rooms.iter().map(|room| room.id).collect();
            let made = model.rooms_made;
            select(who).prop_flat_map(move |who| {
                let command = command(who, rooms.clone(), made);
                command.prop_map(move |command| Step::Command(who, command))
            })
        };
        prop_oneof![
            32 => asks(active.clone()),
            1 => asks(everybody.clone()),
            1 => select(active).prop_map(Step::Disconnect),
            1 => select(everybody).prop_map(Step::Disconnect),
            1 => announce,
            3 * may_connect => connect,
        ]
        .boxed()
    }

    fn preconditions(model: &Self, step: &Step) -> bool {
        match step {
            Step::Connect(_) | Step::Announce(..) | Step::AnnounceToAll(_) => true,
            Step::Disconnect(who) | Step::Command(who, _) => *who <= model.people.len() as u64,
        }
    }

    fn apply(mut model: Self, step: &Step) -> Self {
        model.step(step);
        model
    }
}

/// The hub under test, and its sessions in the order they began.
struct Tested {
    chat: Chat,
    sessions: Vec<SessionId>,
}

impl Tested {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Connect(role) => self.sessions.push(self.chat.connect_as(*role)),
            Step::Disconnect(who) => self.chat.disconnect(self.session(*who)),
            Step::Command(who, command) => self.chat.send(self.session(*who), command.clone()),
            Step::Announce(room, text) => {
                self.chat.announce(*room, text.clone());
            }
            Step::AnnounceToAll(text) => self.chat.announce_to_all(text.clone()),
        }
    }

    fn session(&self, who: u64) -> SessionId {
        self.sessions[who as usize - 1]
    }

    fn compare_inboxes(&mut self, model: &Model) {
        for person in &model.people {
            let received = self.chat.take_inbox(self.session(person.number));
            assert_eq!(received.is_some(), person.online);
            let received = received.unwrap_or_default();
            assert!(
                received.iter().eq(model.inbox(person.number)),
                "{} must receive {:?} and not {received:?}",
                person.number,
                model.inbox(person.number),
            );
        }
        let shutdowns = self.chat.shutdowns().iter().map(|session| session.number());
        assert!(shutdowns.eq(model.shutdowns.iter().copied()), "of {:?}", model.shutdowns);
    }

    fn compare_getters(&self, model: &Model) {
        let hub = self.chat.hub();
        for person in &model.people {
            let session = self.session(person.number);
            assert_eq!(session.number(), person.number);
            assert_eq!(hub.name(session), person.online.then_some(&person.name));
            assert_eq!(hub.room_of(session), model.room_of(person.number).map(|room| room.id));
        }
        assert_eq!(hub.session_count(), model.people.iter().filter(|p| p.online).count());
        assert_eq!(hub.room_count(), model.rooms.len());
        for id in (1..=model.rooms_made + 1).filter_map(|id| RoomId::new(id).ok()) {
            let members: Vec<_> = hub.members(id).map(SessionId::number).collect();
            let expected = model.rooms.iter().find(|room| room.id == id);
            assert_eq!(members, expected.map_or(vec![], |room| room.members.clone()));
        }
    }
}

struct HubTest;

impl StateMachineTest for HubTest {
    type SystemUnderTest = Tested;
    type Reference = Model;

    fn init_test(model: &Model) -> Tested {
        let chat = Chat::with_limits(HubLimits::new().with_rooms(MAX_ROOMS));
        let mut tested = Tested { chat, sessions: Vec::new() };
        let mut so_far = Model::default();
        for step in opening(model.people.len() as u64) {
            so_far.step(&step);
            tested.step(&step);
            tested.compare_inboxes(&so_far);
        }
        tested
    }

    fn apply(mut tested: Tested, model: &Model, step: Step) -> Tested {
        tested.step(&step);
        tested.compare_inboxes(model);
        tested
    }

    fn check_invariants(tested: &Tested, model: &Model) {
        tested.compare_getters(model);
    }
}

#[test]
fn everybody_receives_what_the_model_says() {
    let config = config(512);
    let mut runner = TestRunner::new(config.clone());
    let result = runner.run(&Model::sequential_strategy(1..=100), |(model, steps, seen)| {
        HubTest::test_sequential(config.clone(), model, steps, seen);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Abort(reason)) => panic!("no sequences: {reason}"),
        Err(TestError::Fail(reason, (model, steps, _))) => {
            let steps: String = steps.iter().map(|step| format!("\n    {step:?}")).collect();
            let seed = config.rng_seed;
            panic!("{reason}\nafter, in {model:?}:{steps}\nPROPTEST_RNG_SEED={seed} runs it again");
        }
    }
}

/// Tests the test: sequences that never reach a rule would prove nothing about it.
#[test]
fn the_sequences_reach_every_rule() {
    let strategy = Model::sequential_strategy(100..=100);
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..128 {
        let tree = strategy.new_tree(&mut runner).expect("a sequence");
        let (mut model, steps, _) = tree.current();
        for step in &steps {
            model.step(step);
            reached.extend(model.deliveries.iter().map(|(_, received)| match received {
                Received::Notice { notice: Notice::NameReserved, .. } => "name-reserved",
                Received::Notice { notice, .. } => notice.code(),
                Received::Chat { text, .. } if LONG_TEXT.contains(&text.as_str().len()) => "long",
                Received::Chat { .. } => "chat",
                Received::Rooms(rooms) if rooms.iter().any(|r| r.member_count > 50) => "crowd",
                Received::Rooms(_) => "rooms",
            }));
            reached.extend((!model.shutdowns.is_empty()).then_some("shutdown"));
        }
    }
    let all = BTreeSet::from([
        "already-in-room",
        "announcement",
        "chat",
        "crowd",
        "limit-reached",
        "long",
        "member-entered",
        "member-left",
        "name-reserved",
        "name-taken",
        "no-such-room",
        "not-in-room",
        "renamed",
        "room-created",
        "room-entered",
        "room-left",
        "rooms",
        "shutdown",
        "shutdown-refused",
        "text-too-long",
    ]);
    assert_eq!(reached, all);
}
