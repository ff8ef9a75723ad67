//! Answers that are unsolicited, wrong, or out of order.

use super::*;

const ENTERED: &str =
    r#"{"type":"SCSystemMessage","text":"","code":"room-entered","roomId":1,"seq":4,"title":"a"}"#;
const REFUSED: &str = r#"{"type":"SCSystemMessage","text":"","code":"not-in-room"}"#;

struct Peer {
    checker: Checker,
    conversation: Conversation,
}

impl Peer {
    fn new() -> Self {
        let mut checker = Checker::default();
        checker.connect(0);
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
