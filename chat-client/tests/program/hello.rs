//! The hello, and what a client does with each feature that a scripted peer grants.

use chat_proto::extended::{Ask, Feature, Features, Since};
use chat_proto::{Command, Name, RoomId};

use crate::support::{Client, Listener, Peer, chat, said, system};

/// The answer to a hello, with `rest` after its features.
fn welcome(features: &str, rest: &str) -> String {
    format!(
        r#"{{"type":"SCWelcome","server":"s/1","epoch":"e1","session":1,"name":"user1","features":[{features}],"limits":{{"unacknowledged":256}},"time":1{rest}}}"#
    )
}

/// A client with these flags, whose hello was answered with `welcome`.
fn welcomed(flags: &[&str], welcome: &str) -> (Client, Listener, Peer) {
    let listener = Listener::bind();
    let port = listener.port_flag();
    let flags: Vec<&str> = flags.iter().copied().chain([port.as_str()]).collect();
    let client = Client::start(&flags);
    let mut peer = listener.accept_hello();
    peer.hello();
    peer.send(welcome);
    (client, listener, peer)
}

fn entered(room: u64, seq: u64) -> String {
    format!(
        r#"{{"type":"SCSystemMessage","text":"x","code":"room-entered","roomId":{room},"seq":{seq},"title":"tea"}}"#
    )
}

fn acknowledged(re: &str, seq: u64) -> String {
    format!(r#"{{"type":"SCAck","re":"{re}","roomId":3,"seq":{seq},"at":1}}"#)
}

fn room() -> RoomId {
    RoomId::new(3).expect("above 0")
}

#[test]
fn the_first_frame_is_a_hello_and_a_script_wants_no_session_that_outlives_it() {
    for (flags, outlives) in [(&[][..], false), (&["--reconnect"], true)] {
        let listener = Listener::bind();
        let port = listener.port_flag();
        let flags: Vec<&str> = flags.iter().copied().chain([port.as_str()]).collect();
        let _client = Client::start(&flags);
        let hello = listener.accept_hello().hello();
        assert_eq!(&*hello.client, concat!("chat-client/", env!("CARGO_PKG_VERSION")));
        assert_eq!(hello.features.has(Feature::Resume), outlives);
        assert_eq!(hello.features.with(Feature::Resume), Features::all());
        assert_eq!(hello.resume, None);
    }
}

#[test]
fn a_server_that_takes_no_clients_is_not_asked_twice() {
    let listener = Listener::bind();
    let client = Client::start(&[&listener.port_flag()]);
    let mut peer = listener.accept_hello();
    peer.hello();
    peer.send(&system("x", "server-full"));
    drop(peer);
    assert_eq!(client.line(), "* x");
    assert_eq!(client.exit().failed(1), "the server accepts no more connections");
}

#[test]
fn a_server_that_says_nothing_to_a_hello_does_not_know_any() {
    let listener = Listener::bind();
    let mut client = Client::start(&[&listener.port_flag()]);
    client.write(b"hello\n/quit\n");
    let mut silent = listener.accept_hello();
    silent.hello();
    let mut peer = listener.accept_hello();
    assert_eq!(peer.commands(), [said("hello")]);
    drop(peer);
    client.exit().succeeded();
}

#[test]
fn without_a_feature_everything_is_as_without_a_hello() {
    let (mut client, _listener, mut peer) = welcomed(&[], &welcome("\"telepathy\"", ""));
    client.write(b"/join 3\nhello\n/who\n/quit\n");
    assert_eq!(peer.commands(), [Command::Join(room()), said("hello"), Command::Rooms]);
    peer.send(&entered(3, 1));
    assert_eq!(client.line(), "* You are in room 3, \"tea\", now.");
    peer.send(r#"{"type":"SCRoomsResult","rooms":[{"roomId":3,"title":"tea","members":["a"]}]}"#);
    assert_eq!(client.line(), "  3  tea (1): a");
    drop(peer);
    client.exit().succeeded();
}

#[test]
fn who_is_there_is_told_when_asked() {
    let (mut client, _listener, mut peer) = welcomed(&[], &welcome("\"members\"", ""));
    client.write(b"/who\n/who\n");
    for _ in 0..2 {
        let (Some(id), Ask::Members(None)) = peer.request() else {
            panic!("members are asked for")
        };
        peer.send(&format!(
            r#"{{"type":"SCMembers","re":"{id}","roomId":3,"memberCount":3,"members":["a"],"more":true}}"#
        ));
        peer.send(&format!(
            r#"{{"type":"SCMembers","re":"{id}","roomId":3,"memberCount":3,"members":["b","c: d"]}}"#
        ));
        assert_eq!(client.line(), "- here now (3): a, b, \"c: d\"");
    }
}

#[test]
fn a_refused_chat_is_known_by_its_id() {
    let (mut client, _listener, mut peer) = welcomed(&[], &welcome("\"ack\"", ""));
    client.write(b"one\ntwo\nthree\n");
    client.end_input();
    let ids: Vec<Option<String>> = (0..3).map(|_| peer.request().0).collect();
    let [Some(first), Some(second), Some(third)] = ids.as_slice() else { panic!("{ids:?}") };
    peer.send(&acknowledged(first, 1));
    peer.send(&format!(
        r#"{{"type":"SCSystemMessage","text":"x","code":"bad-text","re":"{second}"}}"#
    ));
    peer.send(&acknowledged(third, 2));
    drop(peer);
    let exit = client.exit();
    assert_eq!(
        (exit.status, exit.errors),
        (Some(0), vec!["chat-client: not sent: two".to_owned()])
    );
}

#[test]
fn a_script_does_not_have_more_under_way_than_the_server_allows() {
    let welcome = welcome("\"ack\"", "").replace("256", "2");
    let (mut client, _listener, mut peer) = welcomed(&[], &welcome);
    client.write(b"1\n2\n3\n/leave\n4\n/quit\n");
    let mut asked = Vec::new();
    for n in 1..=4 {
        let (id, ask) = peer.request();
        asked.push(ask);
        if let Some(id) = id {
            peer.send(&acknowledged(&id, n));
        }
    }
    let (_, last) = peer.request();
    let chats = ["1", "2", "3"].map(|text| Ask::Command(said(text)));
    assert_eq!(asked[..3], chats);
    assert_eq!((&asked[3], last), (&Ask::Command(Command::Leave), Ask::Command(said("4"))));
}

const RESUMABLE: &str = r#""ack","history","members","resume""#;

fn token(token: &str) -> String {
    format!(r#","resume":"{token}","resumeTime":60"#)
}

#[test]
fn a_session_is_resumed_and_what_was_missed_is_told() {
    let (first, second) = ("ab".repeat(16), "cd".repeat(16));
    let welcome_first = welcome(RESUMABLE, &token(&first));
    let (mut client, listener, mut peer) = welcomed(&["--reconnect", "--name=bob"], &welcome_first);
    let name = Name::new("bob").expect("a name");
    assert_eq!(peer.request().1, Ask::Command(Command::Rename(name)));
    peer.send(
        r#"{"type":"SCSystemMessage","text":"x","code":"renamed","from":"user1","to":"bob"}"#,
    );
    assert_eq!(client.line(), "* user1 is now called bob.");
    client.write(b"/join 3\n");
    assert_eq!(peer.request().1, Ask::Command(Command::Join(room())));
    peer.send(&entered(3, 5));
    assert_eq!(client.line(), "* You are in room 3, \"tea\", now.");
    client.write("acknowledged\n하나\n둘\n".as_bytes());
    let [kept, lost, unsaid] = [(); 3].map(|()| peer.request().0.expect("it has an id"));
    peer.send(&acknowledged(&kept, 6));
    peer.send(&chat("ann", "live").replace(r#""roomId":1,"seq":1"#, r#""roomId":3,"seq":7"#));
    assert_eq!(client.line(), "ann: live");
    drop(peer);
    assert_eq!(client.line(), "- the server closed the connection");
    assert_eq!(client.line(), "- trying to connect again; /quit leaves.");
    assert_eq!(
        [client.line(), client.line()],
        ["하나", "둘"].map(|text| format!("- not yet sent: {text}"))
    );

    let mut peer = listener.accept_hello();
    let resume = peer.hello().resume.expect("the session is wanted back");
    let has = (resume.token.is_some(), resume.room.map(RoomId::number), resume.after);
    assert_eq!(has, (true, Some(3), Some(7)));
    let rest = format!(r#"{},"resumed":true,"roomId":3"#, token(&second));
    peer.send(&welcome(RESUMABLE, &rest).replace("user1", "bob"));
    peer.send(
        r#"{"type":"SCHistory","roomId":3,"gap":false,"events":[{"type":"SCChat","member":"bob","text":"하나","roomId":3,"seq":8,"at":1},{"type":"SCChat","member":"ann","text":"missed","roomId":3,"seq":9,"at":2}],"from":8,"to":9,"more":false}"#,
    );
    let line = client.line();
    assert!(line.ends_with(" s; messages and notices missed: 1"), "{line}");
    assert_eq!(client.line(), "ann: missed");
    // The same ids again.
    assert_eq!(peer.request(), (Some(lost.clone()), Ask::Command(said("하나"))));
    assert_eq!(peer.request(), (Some(unsaid.clone()), Ask::Command(said("둘"))));
    peer.send(&acknowledged(&lost, 8));
    peer.send(&acknowledged(&unsaid, 10));
    assert_eq!(
        [client.line(), client.line()],
        ["하나", "둘"].map(|text| format!("- sent now: {text}"))
    );
    client.end_input();
    assert!(peer.quits());
    assert_eq!(peer.commands(), []);
    drop(peer);
    client.exit().succeeded();
}

#[test]
fn a_session_that_is_gone_begins_again_with_the_history_of_its_room() {
    let welcome_first = welcome(RESUMABLE, &token(&"ab".repeat(16)));
    let (mut client, listener, mut peer) = welcomed(&["--reconnect"], &welcome_first);
    client.write(b"/join 3\n");
    peer.request();
    peer.send(&entered(3, 5));
    assert_eq!(client.line(), "* You are in room 3, \"tea\", now.");
    client.write(b"lost?\n");
    peer.request();
    drop(peer);
    for start in ["- the server closed", "- trying to connect", "- not yet sent: lost?"] {
        let line = client.line();
        assert!(line.starts_with(start), "{line}");
    }
    let mut peer = listener.accept_hello();
    assert!(peer.hello().resume.is_some());
    let rest = format!(r#"{},"resumed":false"#, token(&"cd".repeat(16)));
    peer.send(&welcome(RESUMABLE, &rest));
    let line = client.line();
    assert!(line.starts_with("- connected again after ") && line.ends_with(" s."), "{line}");
    assert_eq!(peer.request().1, Ask::Command(Command::Rooms));
    peer.send(r#"{"type":"SCRoomsResult","rooms":[{"roomId":3,"title":"tea","members":["a"]}]}"#);
    let since = Since::After(5);
    assert_eq!(peer.request().1, Ask::Join { room: room(), since });
    peer.send(&entered(3, 8));
    peer.send(
        r#"{"type":"SCHistory","roomId":3,"gap":true,"events":[{"type":"SCChat","member":"ann","text":"missed","roomId":3,"seq":7,"at":2}],"from":7,"to":7,"more":false}"#,
    );
    assert_eq!(client.line(), "* You are in room 3, \"tea\", now.");
    assert_eq!(
        client.line(),
        "- some of what was said is missing here; the server no longer has it"
    );
    assert_eq!(client.line(), "ann: missed");
    client.end_input();
    assert!(peer.quits());
    drop(peer);
    let exit = client.exit();
    let lost = "chat-client: perhaps not sent: lost?".to_owned();
    assert_eq!((exit.status, exit.errors), (Some(0), vec![lost]));
}

#[test]
fn a_session_that_goes_on_elsewhere_is_not_taken_back() {
    let welcome = welcome(RESUMABLE, &token(&"ab".repeat(16)));
    let (client, _listener, mut peer) = welcomed(&["--reconnect"], &welcome);
    peer.send(&system("x", "resumed-elsewhere"));
    drop(peer);
    assert!(client.line().starts_with("* "));
    assert_eq!(client.exit().failed(1), "your session goes on over another connection");
}

#[cfg(unix)]
mod at_a_terminal {
    use super::*;
    use crate::pty::Terminal;

    fn welcomed(flags: &[&str], welcome: &str) -> (Terminal, Listener, Peer) {
        let listener = Listener::bind();
        let port = listener.port_flag();
        let flags: Vec<&str> = flags.iter().copied().chain([port.as_str()]).collect();
        let terminal = Terminal::start(&flags);
        let mut peer = listener.accept_hello();
        peer.hello();
        peer.send(welcome);
        terminal.wait("waiting for the prompt", |rows| rows.last().is_some_and(|row| row == ">"));
        (terminal, listener, peer)
    }

    #[test]
    fn whoever_enters_a_room_sees_what_was_said_before_and_who_is_there() {
        let (mut terminal, _listener, mut peer) = welcomed(&[], &welcome(RESUMABLE, ""));
        terminal.press("/join 3\r");
        let since = Since::Last(20);
        assert_eq!(peer.request().1, Ask::Join { room: room(), since });
        peer.send(&entered(3, 9));
        peer.send(
            r#"{"type":"SCHistory","roomId":3,"gap":false,"events":[{"type":"SCSystemMessage","text":"x","code":"member-entered","member":"bob","roomId":3,"seq":7,"at":1},{"type":"SCChat","member":"ann","text":"어제","roomId":3,"seq":8,"at":1},{"type":"SCSystemMessage","text":"x","code":"member-entered","member":"user1","roomId":3,"seq":9,"at":2}],"from":7,"to":9,"more":false}"#,
        );
        let (Some(id), Ask::Members(None)) = peer.request() else {
            panic!("members are asked for")
        };
        peer.send(&format!(
            r#"{{"type":"SCMembers","re":"{id}","roomId":3,"memberCount":3,"members":["ann","bob","user1"]}}"#
        ));
        peer.send(&chat("ann", "지금"));
        terminal.wait("waiting for the list", |rows| {
            let [.., entered, head, bob, ann, tail, here, now, prompt] = rows else { return false };
            entered == "HH:MM * You are in room 3, \"tea\", now."
                && head == "- said before you came:"
                && bob.ends_with(" * bob came in.")
                && ann.ends_with(" ann: 어제")
                && ann.starts_with("01-0") | ann.starts_with("12-31")
                && tail == "- said from now on:"
                && here == "- here now (3): ann, bob, user1"
                && now == "HH:MM ann: 지금"
                && prompt == "3 tea>"
        });
    }

    #[test]
    fn a_line_that_is_not_acknowledged_is_told_and_a_late_acknowledgement_as_well() {
        let (mut terminal, _listener, mut peer) = welcomed(&["--lang=ko"], &welcome("\"ack\"", ""));
        terminal.press("들려요?\r");
        let id = peer.request().0.expect("it has an id");
        terminal.shows(&["HH:MM > 들려요?", "- 아직 보내지 못함: 들려요?", ">"]);
        peer.send(&acknowledged(&id, 1));
        terminal.shows(&["- 이제 보냄: 들려요?", ">"]);
    }

    #[test]
    fn whoever_quits_ends_the_session() {
        for keys in ["/quit\r", "\u{4}", "\u{3}"] {
            let welcome = welcome(RESUMABLE, &token(&"ab".repeat(16)));
            let (mut terminal, _listener, mut peer) = welcomed(&[], &welcome);
            terminal.press(keys);
            assert!(peer.quits());
            drop(peer);
            assert_eq!(terminal.exit(), (0, true));
        }
    }
}
