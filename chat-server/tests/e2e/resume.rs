//! Sessions that outlive their connections, and what is said meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_testing::Rng;
use serde_json::{Value, json};

use crate::support::{
    Client, Pair, RunningServer, hello, lasting, numbers, receive, send_hello, start, wait_until,
    welcome,
};

/// A client that comes back, and its welcome.
fn back(server: &RunningServer, token: &Value, after: Option<u64>) -> (Client, Value) {
    let mut client = Client::connect(server.address());
    let welcome = hello(&mut client, Some((token, after)));
    (client, welcome)
}

#[test]
fn a_client_comes_back_to_its_name_its_room_and_what_it_missed() {
    let server = start();
    let Pair { ann, token, mut bob, room } = Pair::enter(&server);
    drop(ann);
    for text in ["one", "two"] {
        bob.chat(text);
    }
    assert_eq!(bob.rooms()[0].member_count, 2, "she keeps her seat");
    let mut other = server.client();
    other.name("Ann");
    other.expect_code("name-taken");

    let (mut ann, welcome) = back(&server, &token, Some(1));
    assert_eq!((&welcome["resumed"], &welcome["name"]), (&true.into(), &"Ann".into()));
    assert_eq!((&welcome["roomId"], &welcome["session"]), (&room.into(), &1.into()));
    assert_ne!(welcome["resume"], token, "a token is used once");
    let missed = receive(&mut ann);
    assert_eq!(numbers(&missed), (vec![2, 3], false, false));
    let event = &missed["events"][1];
    assert_eq!((&event["member"], &event["text"]), (&"user2".into(), &"two".into()));
    assert!(event["at"].as_u64().is_some_and(|at| at > 1_700_000_000_000));
    bob.chat("three");
    assert_eq!(ann.expect_chat("user2", "three").seq, Some(4));
    ann.chat("four");
    bob.expect_chat("Ann", "four");
    // Nobody was told of any of it.
    bob.expect_nothing();
    let (_, again) = back(&server, &token, None);
    assert_eq!(again["resumed"], false);
    assert_eq!(again["name"], format!("user{}", again["session"]), "it is a new session");
}

/// Without a number from the client, what its kernel had confirmed before a clean end was received.
#[test]
fn a_client_that_counts_nothing_gets_exactly_what_it_missed() {
    let server = start();
    let Pair { mut ann, token, mut bob, .. } = Pair::enter(&server);
    bob.chat("one");
    ann.expect_chat("user2", "one");
    ann.end_sending();
    ann.expect_end();
    bob.chat("two");
    assert_eq!(bob.rooms().len(), 1);
    let (mut ann, _) = back(&server, &token, None);
    let (seqs, more, gap) = numbers(&receive(&mut ann));
    assert!(seqs.ends_with(&[3]) && !more && !gap, "{seqs:?}");
    if cfg!(target_os = "linux") {
        assert_eq!(seqs, [3]);
    }
}

/// What it has is counted in the room that it has left.
#[test]
fn a_client_that_was_not_told_of_its_move_misses_nothing_of_the_new_room() {
    let server = start();
    let (mut ann, token) = lasting(&server);
    let tea = ann.enter_new("tea");
    let mut bob = server.client();
    bob.enter(tea);
    ann.expect_code("member-entered");
    for n in 1..=9 {
        bob.chat(&format!("{n}"));
        ann.expect_chat("user2", &format!("{n}"));
    }
    bob.leave();
    bob.expect_code("room-left");
    let coffee = bob.enter_new("coffee");
    bob.chat("before her");
    ann.leave();
    ann.join(coffee);
    bob.expect_code("member-entered");
    ann.reset();
    bob.chat("after her");
    assert_eq!(bob.rooms().len(), 1);
    let mut ann = Client::connect(server.address());
    send_hello(&mut ann, json!({ "resume": token, "roomId": tea, "after": 10 }));
    let welcome = welcome(&mut ann);
    assert_eq!((&welcome["resumed"], &welcome["roomId"]), (&true.into(), &coffee.into()));
    let missed = receive(&mut ann);
    assert_eq!(numbers(&missed), (vec![3], false, false), "what was said since she entered");
    assert_eq!(
        (&missed["roomId"], &missed["events"][0]["text"]),
        (&coffee.into(), &"after her".into())
    );
}

/// The token for it still works, until she has shown that she has the next one.
#[test]
fn a_welcome_that_is_lost_does_not_cost_the_session() {
    let server = start();
    let (mut ann, token) = lasting(&server);
    ann.be("Ann");
    let room = ann.enter_new("tea");
    let mut bob = server.client();
    bob.enter(room);
    ann.expect_code("member-entered");
    ann.reset();
    bob.chat("one");
    let back_in_vain = || {
        let mut ann = Client::connect(server.address());
        send_hello(&mut ann, json!({ "resume": token, "roomId": room, "after": 1 }));
        ann
    };
    for lost in 1..=3 {
        let ann = back_in_vain();
        wait_until("the session is taken over", || server.stats().resumed == lost);
        ann.reset();
    }
    // Whether the server reads the hello before the reset or not.
    for _ in 0..3 {
        back_in_vain().reset();
    }
    let (mut ann, welcome) = back(&server, &token, Some(1));
    assert_eq!((&welcome["resumed"], &welcome["name"]), (&true.into(), &"Ann".into()));
    assert_eq!((&welcome["roomId"], &welcome["session"]), (&room.into(), &1.into()));
    assert_eq!(numbers(&receive(&mut ann)), (vec![2], false, false));
    ann.chat("two");
    bob.expect_chat("Ann", "two");
    let (_, late) = back(&server, &token, None);
    assert_eq!(late["resumed"], false, "she has the next one");
    bob.chat("three");
    ann.expect_chat("user2", "three");
    // Nobody was told of any of it.
    bob.expect_nothing();
}

/// The end of its stream is read together with the hello, before the session has been greeted.
#[test]
fn a_client_that_ends_its_side_right_after_its_hello_can_come_back() {
    let server = start();
    let mut ann = Client::connect(server.address());
    ann.send(r#"{"type":"CSHello","client":"test/1","features":["resume"]}"#);
    ann.end_sending();
    let welcome = receive(&mut ann);
    ann.expect_end();
    let (_, welcome) = back(&server, &welcome["resume"], None);
    assert_eq!((&welcome["resumed"], &welcome["session"]), (&true.into(), &1.into()));
}

#[test]
fn a_connection_that_still_hangs_is_told_and_closed() {
    let server = start();
    let Pair { mut ann, token, mut bob, room } = Pair::enter(&server);
    let (mut new, welcome) = back(&server, &token, Some(1));
    assert_eq!((&welcome["resumed"], &welcome["roomId"]), (&true.into(), &room.into()));
    assert_eq!(numbers(&receive(&mut new)), (vec![], false, false));
    ann.expect_code("resumed-elsewhere");
    ann.expect_end();
    bob.chat("hi");
    new.expect_chat("user2", "hi");
    // The session is that of the new connection: it does not end with the old one.
    assert_eq!(bob.rooms()[0].member_count, 2);
}

#[test]
fn what_was_acknowledged_is_not_said_again_after_a_return() {
    let server = start();
    let Pair { mut ann, token, mut bob, .. } = Pair::enter(&server);
    let said = r#"{"type":"CSChat","text":"hi","id":"one"}"#;
    ann.send(said);
    let ack = receive(&mut ann);
    bob.expect_chat("Ann", "hi");
    ann.reset();
    let (mut ann, _) = back(&server, &token, Some(1));
    let missed = receive(&mut ann);
    assert_eq!(numbers(&missed).0, [2], "one's own, too");
    assert_eq!(missed["events"][0]["at"], ack["at"]);
    ann.send(said);
    assert_eq!(receive(&mut ann), ack);
    bob.expect_nothing();
}

#[test]
fn a_session_ends_when_nobody_comes_back_and_at_once_for_who_quits() {
    let server = RunningServer::with(|config| {
        config.limits.resume_time = Duration::from_millis(200);
    });
    let mut bob = server.client();
    let room = bob.enter_new("tea");
    let enter = |quits: bool| {
        let mut client = Client::connect(server.address());
        let token = hello(&mut client, None)["resume"].clone();
        client.enter(room);
        if quits {
            client.send(r#"{"type":"CSQuit"}"#);
            client.expect_end();
        }
        token
    };
    let late = enter(false);
    bob.expect_code("member-entered");
    bob.expect_code("member-left");
    let (_, welcome) = back(&server, &late, None);
    assert_eq!(welcome["resumed"], false);
    let quit = enter(true);
    bob.expect_code("member-entered");
    bob.expect_code("member-left");
    let (_, welcome) = back(&server, &quit, None);
    assert_eq!(welcome["resumed"], false);
}

/// Clients that say hello ask for history instead.
#[test]
fn newcomers_without_a_hello_are_shown_what_was_said() {
    let server = RunningServer::with(|config| config.replay = 3);
    let mut ann = server.client();
    let room = ann.enter_new("tea");
    for n in 1..=9 {
        ann.chat(&format!("{n}"));
    }
    ann.be("Ann");
    ann.expect_nothing();
    let mut bob = server.client();
    bob.join(room);
    assert_eq!(receive(&mut bob)["code"], "room-entered");
    for seq in [7, 8, 9] {
        let past = receive(&mut bob);
        assert_eq!((&past["text"], &past["seq"]), (&seq.to_string().into(), &seq.into()));
        assert_eq!((&past["member"], &past["past"]), (&"user1".into(), &true.into()));
    }
    let (mut asking, _) = lasting(&server);
    asking.join(room);
    assert_eq!(receive(&mut asking)["code"], "room-entered");
    bob.expect_code("member-entered");
    bob.chat("live");
    assert_eq!(receive(&mut asking)["text"], "live");
    assert_eq!(asking.rooms()[0].member_count, 3);
}

#[test]
fn a_newcomer_reads_what_was_said_and_asks_for_more() {
    let server = start();
    let mut bob = server.client();
    let room = bob.enter_new("tea");
    for n in 1..=30 {
        bob.chat(&format!("{n}"));
    }
    let (mut ann, _) = lasting(&server);
    ann.send(format!(r#"{{"type":"CSJoinRoom","roomId":{room},"history":10,"id":"j"}}"#));
    assert_eq!(receive(&mut ann)["re"], "j");
    assert_eq!(numbers(&receive(&mut ann)), ((21..=30).collect(), true, false));
    bob.expect_code("member-entered");
    let mut ask = |fields: &str| {
        ann.send(format!(r#"{{"type":"CSHistory","roomId":{room},"id":"h",{fields}}}"#));
        let history = receive(&mut ann);
        assert_eq!(history["re"], "h");
        numbers(&history)
    };
    assert_eq!(ask(r#""before":21,"limit":15"#), ((6..=20).collect(), true, false));
    assert_eq!(ask(r#""before":6"#), ((1..=5).collect(), false, false));
    assert_eq!(ask(r#""after":28"#), ((29..=31).collect(), false, false));
    assert_eq!(ask(r#""after":99"#), (vec![], false, false));
    // Only of the room that one is in.
    ann.send(format!(r#"{{"type":"CSHistory","roomId":{},"id":"x"}}"#, room + 1));
    assert_eq!(receive(&mut ann)["code"], "not-in-room");
}

#[test]
fn without_history_nothing_is_kept_and_nobody_comes_back() {
    let server = RunningServer::with(|config| config.limits.history = 0);
    let mut ann = Client::connect(server.address());
    let welcome = hello(&mut ann, None);
    assert_eq!(welcome["features"], json!(["ack", "members", "ping"]));
    assert_eq!(welcome.get("resume"), None);
}

/// A member that drops and comes back at random, with what it knows.
struct Member {
    client: Client,
    token: Value,
    /// The last number of the room.
    last: u64,
    /// What it has of the room, by number; an empty text for notices.
    log: BTreeMap<u64, String>,
    /// Chats that it has sent and that are not acknowledged yet, with their ids.
    unacknowledged: BTreeMap<usize, String>,
}

impl Member {
    fn take(&mut self, event: &Value) {
        let seq = event["seq"].as_u64().expect("a broadcast has a number");
        let text = event["text"].as_str().filter(|_| event["type"] == "SCChat").unwrap_or("");
        let before = self.log.insert(seq, text.to_owned());
        assert!(before.is_none_or(|before| before == text), "{seq} is said twice: {event}");
        self.last = self.last.max(seq);
    }

    /// Reads until the answer to a ping.
    fn catch_up(&mut self) {
        self.client.send(r#"{"type":"CSPing","id":"p"}"#);
        loop {
            let message = receive(&mut self.client);
            match message["type"].as_str() {
                Some("SCPong") => return assert_eq!(message["seq"], self.last),
                Some("SCAck") => {
                    let id: usize = message["re"].as_str().expect("an id").parse().expect("ours");
                    let text = self.unacknowledged.remove(&id).unwrap_or_default();
                    let seq = &message["seq"];
                    self.take(&json!({ "type": "SCChat", "seq": seq, "text": text }));
                }
                Some("SCHistory") => {
                    assert_eq!((&message["gap"], &message["more"]), (&false.into(), &false.into()));
                    message["events"].as_array().expect("a list").iter().for_each(|e| self.take(e));
                }
                _ => self.take(&message),
            }
        }
    }

    fn say(&mut self, id: usize, text: &str) {
        self.unacknowledged.insert(id, text.to_owned());
        self.client.send(format!(r#"{{"type":"CSChat","text":"{text}","id":"{id}"}}"#));
    }

    fn come_back(&mut self, server: &RunningServer) {
        let (client, welcome) = back(server, &self.token, Some(self.last));
        assert_eq!(welcome["resumed"], true);
        (self.client, self.token) = (client, welcome["resume"].clone());
        for (id, text) in self.unacknowledged.clone() {
            self.say(id, &text);
        }
    }
}

/// Whatever is cut when: everybody has the whole log of the room in the end, every chat is there, and none is twice.
#[test]
fn nothing_is_lost_and_nothing_is_said_twice_whatever_is_cut() {
    for seed in 0..12 {
        let (server, rng) = (start(), &mut Rng::new(seed));
        let mut host = server.client();
        let room = host.enter_new("tea");
        let mut members: Vec<_> = (0..4)
            .map(|_| {
                let (mut client, token) = lasting(&server);
                client.join(room);
                let last = client.expect_code("room-entered").seq.expect("a number");
                let (log, unacknowledged) = (BTreeMap::new(), BTreeMap::new());
                Member { client, token, last, log, unacknowledged }
            })
            .collect();
        let mut said = Vec::new();
        for id in 0..150 {
            let member = &mut members[rng.below(4)];
            match rng.below(8) {
                0..=3 => {
                    said.push(format!("{id}"));
                    member.say(id, &said[said.len() - 1]);
                }
                4 => member.catch_up(),
                // The old connection still hangs.
                5 => member.come_back(&server),
                6 => {
                    member.client.end_sending();
                    member.come_back(&server);
                }
                _ => {
                    let client = std::mem::replace(&mut member.client, server.client());
                    client.reset();
                    member.come_back(&server);
                }
            }
        }
        // Twice, so that all has been said before the last reads.
        for _ in 0..2 {
            members.iter_mut().for_each(Member::catch_up);
        }
        let last = members[0].last;
        for member in &members {
            assert_eq!((member.last, member.unacknowledged.len()), (last, 0), "seed {seed}");
            let from = *member.log.keys().next().expect("something was said");
            assert!(member.log.keys().copied().eq(from..=last), "seed {seed}");
            let mut texts: Vec<_> = member.log.values().filter(|text| !text.is_empty()).collect();
            texts.sort();
            let mut all: Vec<_> = said.iter().collect();
            all.sort();
            assert_eq!(texts, all, "seed {seed}");
        }
    }
}
