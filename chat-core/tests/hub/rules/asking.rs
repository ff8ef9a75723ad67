//! Clients that said hello: ids, acknowledgements, members, history, pings, resumption.

use chat_core::{
    Command, Hub, HubLimits, Input, MAX_UNACKNOWLEDGED, Notice, Output, Role, RoomEvent,
};
use chat_core::{Resumption, RoomId, SessionId, Welcomed};
use chat_proto::extended::{
    Ask, Feature, Features, Request, RequestId, Resume, ResumeToken, Since,
};
use chat_proto::{Name, Rejection, Text, Title};

use crate::support::connect;

const ROOM: RoomId = RoomId::FIRST;

/// The secret of the session that asks.
const TOKEN: ResumeToken = ResumeToken::new([7; 16]);

/// A hub with two sessions in a room; all is granted to the second.
fn room() -> (Hub, SessionId, SessionId) {
    room_granting(Features::all())
}

fn room_granting(features: Features) -> (Hub, SessionId, SessionId) {
    let mut hub = Hub::new(HubLimits::new());
    let (plain, asking) = (connect(&mut hub, Role::Guest), connect(&mut hub, Role::Guest));
    let mut outputs = Vec::new();
    greet(&mut hub, asking, features, TOKEN, None, &mut outputs);
    hub.apply(
        0,
        Input::Command {
            session: plain,
            command: Command::Create(Title::new("room").expect("a title")),
        },
        &mut outputs,
    );
    hub.apply(0, Input::Command { session: asking, command: Command::Join(ROOM) }, &mut outputs);
    (hub, plain, asking)
}

fn greet(
    hub: &mut Hub,
    session: SessionId,
    features: Features,
    token: ResumeToken,
    resume: Option<Resume>,
    outputs: &mut Vec<Output>,
) {
    let token = Some(token);
    hub.apply(0, Input::Greet { session, features, token, resume }, outputs);
}

fn id(id: &str) -> RequestId {
    RequestId::new(id).expect("an id")
}

fn chat(text: &str) -> Ask {
    Ask::Command(Command::Chat(Text::new(text).expect("a text")))
}

fn request(hub: &mut Hub, from: SessionId, re: Option<&str>, ask: Ask) -> Vec<Output> {
    let mut outputs = Vec::new();
    let request = Box::new(Request { id: re.map(id), ask: Ok(ask) });
    hub.apply(77, Input::Request { session: from, request }, &mut outputs);
    hub.check_invariants();
    outputs
}

fn answering(to: SessionId, re: &str) -> Output {
    Output::Answering { to, re: id(re) }
}

#[test]
fn a_chat_is_acknowledged_and_said_once() {
    let (mut hub, _, asking) = room();
    let ack = |re, seq| Output::Acknowledged { to: asking, re: id(re), room: ROOM, seq, at: 77 };
    let outputs = request(&mut hub, asking, Some("a"), chat("hi"));
    let [Output::Broadcast { seq: 2, except, .. }, last] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert_eq!((except, last), (&Some(asking), &ack("a", 2)));
    // Whatever it says then, and wherever: it is the same chat.
    assert_eq!(request(&mut hub, asking, Some("a"), chat("other")), [ack("a", 2)]);
    request(&mut hub, asking, None, Ask::Command(Command::Leave));
    assert_eq!(request(&mut hub, asking, Some("a"), chat("hi")), [ack("a", 2)]);
    // A chat that was refused may be said later.
    let refused = request(&mut hub, asking, Some("b"), chat("hi"));
    let reply = Output::Reply { to: asking, notice: Notice::NotInRoom, room: None };
    assert_eq!(refused, [answering(asking, "b"), reply]);
    request(&mut hub, asking, None, Ask::Command(Command::Join(ROOM)));
    let outputs = request(&mut hub, asking, Some("b"), chat("hi"));
    assert_eq!(outputs.last(), Some(&ack("b", 5)));
}

#[test]
fn as_many_chats_are_remembered_as_promised() {
    let (mut hub, _, asking) = room();
    for n in 0..=MAX_UNACKNOWLEDGED {
        request(&mut hub, asking, Some(&n.to_string()), chat("hi"));
    }
    assert_eq!(request(&mut hub, asking, Some("1"), chat("hi")).len(), 1, "it was said");
    assert_eq!(request(&mut hub, asking, Some("0"), chat("hi")).len(), 2, "it is forgotten");
}

#[test]
fn the_answer_to_each_command_is_marked_and_the_rest_is_as_for_anyone() {
    let (mut hub, plain, asking) = room();
    let (mut other, _, same) = room();
    assert_eq!(asking, same);
    let title = Title::new("new").expect("a title");
    let name = |name| Command::Rename(Name::new(name).expect("a name"));
    for command in [
        Command::Rooms,
        Command::Leave,
        name("Ann"),
        name("user9"),
        Command::Join(ROOM),
        Command::Join(ROOM),
        Command::Leave,
        Command::Create(title),
        Command::Shutdown,
    ] {
        let mut marked = request(&mut hub, asking, Some("x"), Ask::Command(command.clone()));
        let mark = marked.iter().position(|output| *output == answering(asking, "x"));
        let mark = mark.unwrap_or_else(|| panic!("{command:?}: {marked:?}"));
        let is_answer = matches!(&marked[mark + 1],
            Output::Reply { to, .. } | Output::Rooms { to } if *to == asking);
        assert!(is_answer, "{command:?}: {marked:?}");
        marked.remove(mark);
        let mut outputs = Vec::new();
        other.apply(77, Input::Command { session: asking, command }, &mut outputs);
        assert_eq!(marked, outputs);
    }
    // Nobody is told twice: the others by the broadcast, the client itself by its answer.
    request(&mut hub, asking, None, Ask::Command(Command::Leave));
    request(&mut hub, asking, None, Ask::Command(Command::Join(ROOM)));
    let outputs = request(&mut hub, asking, Some("n"), Ask::Command(name("Bea")));
    let [
        Output::Broadcast {
            room, seq, except: Some(except), event: RoomEvent::Notice(told), ..
        },
        mark,
        Output::Reply { to, notice, room: at },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((except, to, mark), (&asking, &asking, &answering(asking, "n")));
    assert_eq!((told, Some((*room, *seq))), (notice, *at));
    assert!(hub.members(ROOM).eq([plain, asking]));
}

#[test]
fn a_join_is_followed_by_history_if_it_asks_and_is_granted_that() {
    let (mut hub, plain, asking) = room();
    let since = Since::Last(20);
    let join = || Ask::Join { room: ROOM, since };
    let refused = request(&mut hub, asking, Some("j"), join());
    assert!(matches!(refused[..], [Output::Answering { .. }, Output::Reply { .. }]));
    request(&mut hub, asking, None, Ask::Command(Command::Leave));
    let outputs = request(&mut hub, asking, Some("j"), join());
    let [
        Output::Entered { .. },
        mark,
        Output::Reply { .. },
        Output::History { to, room: ROOM, since: Since::Last(20), .. },
        Output::Broadcast { .. },
    ] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!((to, mark), (&asking, &answering(asking, "j")));
    let newcomer = connect(&mut hub, Role::Guest);
    assert_eq!(request(&mut hub, newcomer, None, join()).len(), 3, "a plain join");
    let history = Ask::History { room: ROOM, since, limit: 7 };
    let outputs = request(&mut hub, asking, Some("h"), history.clone());
    let history_output = Output::History { to: asking, room: ROOM, since, limit: 7 };
    assert_eq!(outputs, [answering(asking, "h"), history_output]);
    request(&mut hub, asking, None, Ask::Command(Command::Leave));
    let outputs = request(&mut hub, asking, None, history);
    let refusal = Output::Reply { to: asking, notice: Notice::NotInRoom, room: None };
    assert_eq!(outputs, [refusal], "only of a room that it is in");
    assert!(hub.members(ROOM).eq([plain, newcomer]));
}

#[test]
fn members_and_pings_are_answered_in_a_room_and_outside() {
    let (mut hub, plain, asking) = room();
    for room in [None, Some(ROOM)] {
        let outputs = request(&mut hub, asking, Some("m"), Ask::Members(room));
        let members = Output::Members { to: asking, room: ROOM };
        assert_eq!(outputs, [answering(asking, "m"), members]);
    }
    let pong = request(&mut hub, asking, None, Ask::Ping);
    assert_eq!(pong, [Output::Pong { to: asking, room: Some((ROOM, 1)) }]);
    request(&mut hub, asking, None, Ask::Command(Command::Leave));
    let pong = request(&mut hub, asking, Some("p"), Ask::Ping);
    assert_eq!(pong, [answering(asking, "p"), Output::Pong { to: asking, room: None }]);
    let refused = request(&mut hub, asking, None, Ask::Members(None));
    let refusal = |notice| Output::Reply { to: asking, notice, room: None };
    assert_eq!(refused, [refusal(Notice::NotInRoom)]);
    let missing = RoomId::new(9).expect("above 0");
    let refused = request(&mut hub, asking, None, Ask::Members(Some(missing)));
    assert_eq!(refused, [refusal(Notice::NoSuchRoom { room: missing })]);

    let third = connect(&mut hub, Role::Guest);
    request(&mut hub, third, None, Ask::Command(Command::Join(ROOM)));
    assert_eq!(hub.member_count(ROOM), 2);
    let listed: Vec<_> = hub.members_from(ROOM, 0).collect();
    let names = [plain, third].map(|session| hub.name(session).expect("it is there"));
    assert_eq!(listed, [(0, names[0]), (3, names[1])]);
    assert!(hub.members_from(ROOM, 1).eq([(3, names[1])]));
    assert_eq!(hub.members_from(ROOM, 4).count(), 0);
    assert_eq!((hub.seq(ROOM), hub.seq(missing)), (Some(3), None));
}

#[test]
fn what_is_not_granted_is_unknown() {
    let (mut hub, plain, asking) = room_granting(Features::NONE.with(Feature::Ping));
    let unknown = Notice::Rejected(Rejection::UnknownType);
    let history = Ask::History { room: ROOM, since: Since::Last(1), limit: 1 };
    for (who, ask) in [
        (asking, Ask::Members(None)),
        (asking, history.clone()),
        (plain, Ask::Ping),
        (plain, history),
    ] {
        let outputs = request(&mut hub, who, None, ask);
        let refusal = Output::Reply { to: who, notice: unknown.clone(), room: None };
        assert_eq!(outputs, [refusal]);
    }
    let outputs = request(&mut hub, asking, Some("c"), chat("hi"));
    assert!(matches!(outputs[..], [Output::Broadcast { .. }]), "it is not acknowledged");
    // A session that has ended is asked nothing, and remembered not.
    hub.apply(0, Input::Disconnect { session: asking }, &mut Vec::new());
    greet(&mut hub, asking, Features::all(), TOKEN, None, &mut Vec::new());
    hub.check_invariants();
    for ask in [Ask::Command(Command::Rooms), Ask::Ping, Ask::Members(Some(ROOM)), chat("hi")] {
        assert_eq!(request(&mut hub, asking, Some("x"), ask), []);
    }
}

/// Begins a session that wants to go on with the one of this token, and returns its welcome.
fn resume(hub: &mut Hub, token: ResumeToken, next: [u8; 16]) -> Welcomed {
    let new = connect(hub, Role::Guest);
    resume_on(hub, new, token, next, None)
}

/// The same on this session, for a client that has the first broadcast of a room.
fn resume_on(
    hub: &mut Hub,
    new: SessionId,
    token: ResumeToken,
    next: [u8; 16],
    room: Option<RoomId>,
) -> Welcomed {
    let (mut outputs, resume) = (Vec::new(), Resume { token: Some(token), after: Some(1), room });
    greet(hub, new, Features::all(), ResumeToken::new(next), Some(resume), &mut outputs);
    hub.check_invariants();
    match <[Output; 1]>::try_from(outputs) {
        Ok([Output::Welcomed(welcomed)]) if welcomed.session == new => *welcomed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_is_taken_over_with_name_room_and_acknowledged_chats() {
    let (mut hub, plain, asking) = room();
    let name = Name::new("Bea").expect("a name");
    request(&mut hub, asking, None, Ask::Command(Command::Rename(name.clone())));
    let said = request(&mut hub, asking, Some("c"), chat("hi"));
    let Welcomed { session, number, name: told, token, resumption, .. } =
        resume(&mut hub, TOKEN, [8; 16]);
    let resumed = Resumption::Resumed { from: asking, room: Some((ROOM, 1)), after: Some(1) };
    assert_eq!((number, &told, resumption), (asking.number(), &name, Some(resumed)));
    assert!(hub.members(ROOM).eq([plain, session]), "its place is its own");
    assert_eq!(hub.name(asking), None, "the old session has ended");
    // What it said is not said again.
    let again = request(&mut hub, session, Some("c"), chat("hi"));
    let Some(Output::Acknowledged { seq, at, .. }) = said.last() else { panic!("{said:?}") };
    assert_eq!(
        again,
        [Output::Acknowledged { to: session, re: id("c"), room: ROOM, seq: *seq, at: *at }]
    );
    // What the old connection still sends, or its end, changes nothing.
    assert_eq!(request(&mut hub, asking, Some("d"), chat("late")), []);
    hub.apply(0, Input::Disconnect { session: asking }, &mut Vec::new());
    assert!(hub.members(ROOM).eq([plain, session]));
    // A token is used once; the new one is for the next time.
    assert_eq!(resume(&mut hub, TOKEN, [9; 16]).resumption, Some(Resumption::Refused));
    let next = resume(&mut hub, token.expect("it was granted"), [10; 16]);
    assert_eq!((next.number, next.name), (asking.number(), name));
    // The name is its own, and free again once it ends.
    let ended = next.session;
    request(&mut hub, ended, None, Ask::Quit);
    hub.check_invariants();
    assert!(hub.members(ROOM).eq([plain]));
    request(&mut hub, plain, None, Ask::Command(Command::Rename(Name::new("Bea").expect("one"))));
    assert_eq!(hub.name(plain).map(Name::as_str), Some("Bea"));
}

#[test]
fn a_session_taken_over_keeps_its_default_name_and_may_have_it_again() {
    let (mut hub, _, asking) = room();
    let session = resume(&mut hub, TOKEN, [8; 16]).session;
    let default = Name::default_for(asking.number());
    assert_eq!(hub.name(session), Some(&default));
    for name in ["Bea", default.as_str()] {
        let name = Name::new(name).expect("a name");
        request(&mut hub, session, None, Ask::Command(Command::Rename(name.clone())));
        assert_eq!(hub.name(session), Some(&name));
    }
    // The one of the session of its connection is nobody's.
    let other = Name::default_for(session.number());
    let outputs = request(&mut hub, session, None, Ask::Command(Command::Rename(other)));
    let refusal = Output::Reply { to: session, notice: Notice::NameTaken, room: None };
    assert_eq!(outputs, [refusal]);
}

#[test]
fn a_session_that_was_not_granted_it_cannot_be_taken_over() {
    let (mut hub, _, asking) = room_granting(Features::NONE.with(Feature::Ack));
    assert_eq!(resume(&mut hub, TOKEN, [8; 16]).resumption, Some(Resumption::Refused));
    assert!(hub.name(asking).is_some());
    // Nor one that has ended.
    let ended = resume(&mut hub, TOKEN, [11; 16]);
    hub.apply(0, Input::Disconnect { session: ended.session }, &mut Vec::new());
    let token = ended.token.expect("it was granted");
    assert_eq!(resume(&mut hub, token, [12; 16]).resumption, Some(Resumption::Refused));
}

/// A client that was not told of its last move counts in a room that it has left.
#[test]
fn a_number_counts_in_the_room_that_it_is_of() {
    let other = ROOM.next();
    for (named, after) in [(Some(ROOM), 3), (Some(other), 1), (None, 1)] {
        let (mut hub, plain, asking) = room();
        let title = Title::new("other").expect("a title");
        request(&mut hub, plain, None, Ask::Command(Command::Leave));
        request(&mut hub, plain, None, Ask::Command(Command::Create(title)));
        request(&mut hub, plain, None, chat("one"));
        request(&mut hub, plain, None, chat("two"));
        request(&mut hub, asking, None, Ask::Command(Command::Leave));
        request(&mut hub, asking, None, Ask::Command(Command::Join(other)));
        let new = connect(&mut hub, Role::Guest);
        let welcomed = resume_on(&mut hub, new, TOKEN, [8; 16], named);
        let (room, after) = (Some((other, 3)), Some(after));
        let resumed = Resumption::Resumed { from: asking, room, after };
        assert_eq!(welcomed.resumption, Some(resumed), "{named:?}");
    }
}

/// The welcome with the next token may be lost.
#[test]
fn a_token_is_valid_until_its_client_is_known_to_have_the_next_one() {
    let is_resumed = |welcomed: &Welcomed| welcomed.resumption != Some(Resumption::Refused);
    let next = ResumeToken::new;
    let (mut hub, plain, _) = room();
    for lost in 8..12 {
        let welcomed = resume(&mut hub, TOKEN, [lost; 16]);
        assert!(is_resumed(&welcomed) && hub.members(ROOM).eq([plain, welcomed.session]));
    }
    // Only one of the lost ones: the last.
    assert!(!is_resumed(&resume(&mut hub, next([10; 16]), [20; 16])));
    // By coming back with the next one, it proves that it has it.
    assert!(is_resumed(&resume(&mut hub, next([11; 16]), [12; 16])));
    assert!(!is_resumed(&resume(&mut hub, TOKEN, [21; 16])));
    // Or by asking for something, be it refused.
    let welcomed = resume(&mut hub, next([12; 16]), [13; 16]);
    request(&mut hub, welcomed.session, None, Ask::Command(Command::Join(ROOM)));
    assert!(!is_resumed(&resume(&mut hub, next([12; 16]), [22; 16])));
    // Without a new one, there is nothing to come back with.
    let (mut outputs, new) = (Vec::new(), connect(&mut hub, Role::Guest));
    let resume_13 = Resume { token: Some(next([13; 16])), after: None, room: None };
    greet(&mut hub, new, Features::NONE, next([14; 16]), Some(resume_13), &mut outputs);
    hub.check_invariants();
    assert!(hub.members(ROOM).eq([plain, new]) && !hub.is_resumable(new));
    assert!(!is_resumed(&resume(&mut hub, next([13; 16]), [23; 16])));
}

/// A client gives a connection up, comes back by the next one, and only then its hello on the first one arrives.
#[test]
fn a_hello_that_comes_late_takes_nothing_over() {
    let (mut hub, plain, _) = room();
    let given_up = connect(&mut hub, Role::Guest);
    let welcomed = resume(&mut hub, TOKEN, [8; 16]);
    let late = resume_on(&mut hub, given_up, TOKEN, [9; 16], None);
    assert_eq!(late.resumption, Some(Resumption::Refused));
    assert!(hub.members(ROOM).eq([plain, welcomed.session]));
}
