//! Answers that are unasked for, wrong, or too late.

use super::*;

const ENTERED: &str =
    r#"{"type":"SCSystemMessage","text":"","code":"room-entered","roomId":1,"seq":4,"title":"a"}"#;
const REFUSED: &str = r#"{"type":"SCSystemMessage","text":"","code":"not-in-room"}"#;
const LEFT: &str = r#"{"type":"SCSystemMessage","text":"","code":"room-left","roomId":1,"seq":7}"#;
const STOPPING: &str = r#"{"type":"SCSystemMessage","text":"","code":"server-stopping"}"#;

fn chat(seq: u64) -> String {
    format!(r#"{{"type":"SCChat","member":"b","text":"9:{seq} x","roomId":1,"seq":{seq}}}"#)
}

struct Peer {
    checker: Checker,
    conversation: Conversation,
}

impl Peer {
    fn new() -> Self {
        let mut checker = Checker::default();
        checker.connect(0);
        checker.connect(9);
        Self { checker, conversation: Conversation::new(0, Some("a".to_owned())) }
    }

    fn in_room() -> Self {
        let mut peer = Self::new();
        peer.send(Request::Join(1));
        assert_eq!(peer.receive(ENTERED), Ok(Received::Answer));
        peer
    }

    fn send(&mut self, request: Request) {
        self.conversation.send(&mut self.checker, request);
    }

    fn receive(&mut self, payload: &str) -> Result<Received, &'static str> {
        let message = Incoming::parse(payload.as_bytes()).expect("it is JSON");
        let received = self.conversation.receive(&mut self.checker, &message);
        received.map_err(|found| found.invariant)
    }
}

#[test]
fn i11_answers_come_in_the_order_of_the_requests() {
    assert_eq!(Peer::new().receive(REFUSED), Err("I11"), "nobody asked");
    let mut peer = Peer::in_room();
    peer.send(Request::Leave);
    assert_eq!(peer.receive(REFUSED), Err("I11"), "it is in a room");
    let mut peer = Peer::new();
    peer.send(Request::Leave);
    assert!(!peer.conversation.is_answered());
    assert_eq!(peer.receive(REFUSED), Ok(Received::Answer));
    assert!(peer.conversation.is_answered());
    let mut peer = Peer::new();
    peer.conversation.send_for(Request::Join(1), "no-such-room");
    assert_eq!(peer.receive(ENTERED), Err("I11"), "the room should not be there");
}

#[test]
fn i5_only_own_chats_leave_a_gap() {
    assert_eq!(Peer::in_room().receive(&chat(5)), Ok(Received::Chat(9)));
    assert_eq!(Peer::in_room().receive(&chat(6)), Err("I5"));
    let mut peer = Peer::new();
    // On its way before the answer to the join.
    peer.send(Request::Join(1));
    peer.send(Request::Chat { number: 1 });
    peer.send(Request::Leave);
    for (payload, received) in
        [(ENTERED, Received::Answer), (&chat(6), Received::Chat(9)), (LEFT, Received::Answer)]
    {
        assert_eq!(peer.receive(payload), Ok(received));
    }
    assert_eq!(peer.receive(&chat(8)), Err("I3"));
}

#[test]
fn i14_nothing_comes_after_the_last_message() {
    let mut peer = Peer::in_room();
    assert_eq!(peer.receive(STOPPING), Ok(Received::Farewell));
    assert_eq!(peer.conversation.farewell(), Some("server-stopping"));
    assert_eq!(peer.receive(&chat(5)), Err("I14"));
}

#[test]
fn a_rename_within_a_room_is_a_broadcast_and_an_answer() {
    let renamed = |from: &str, seq: u64| {
        format!(
            r#"{{"type":"SCSystemMessage","text":"","code":"renamed","roomId":1,"seq":{seq},"from":"{from}","to":"c"}}"#
        )
    };
    let mut peer = Peer::in_room();
    assert_eq!(peer.receive(&renamed("a", 5)), Err("I11"), "it asked for no name");
    let mut peer = Peer::in_room();
    peer.send(Request::Rename("c".to_owned()));
    assert_eq!(peer.receive(&renamed("d", 5)), Ok(Received::Notice));
    assert_eq!(peer.receive(&renamed("a", 6)), Ok(Received::Notice));
    assert_eq!((peer.conversation.name(), peer.conversation.answers()), (Some("c"), 2));
}
