//! Traffic in both directions while all is well.

use std::io::Write;
use std::thread;

use chat_proto::{Command, Name, RoomId, Title};

use crate::support::{Client, chat, exchange_heavy_traffic, said, system};

#[test]
fn every_command_of_a_script_is_sent_in_order_and_then_the_end() {
    let (client, mut peer) = Client::piped(
        "/name Guido van  Rossum\r\n/rooms\n/create tea  time\n\nhello\n//slash\n/join 3\n/leave\n\
         /shutdown\nlast line",
    );
    assert_eq!(
        peer.commands(),
        [
            Command::Rename(Name::new("Guido van Rossum").expect("a name")),
            Command::Rooms,
            Command::Create(Title::new("tea time").expect("a title")),
            said("hello"),
            said("/slash"),
            Command::Join(RoomId::new(3).expect("above 0")),
            Command::Leave,
            Command::Shutdown,
            said("last line"),
        ]
    );
    drop(peer);
    assert_eq!(client.exit().succeeded(), [""; 0]);
}

#[test]
fn answers_are_shown_until_the_server_closes_however_late_they_come() {
    let (client, mut peer) = Client::piped("/rooms\n");
    assert_eq!(peer.commands(), [Command::Rooms]);
    // The input has ended, and so has the client's side of the stream.
    peer.send(r#"{"type":"SCRoomsResult","rooms":[]}"#);
    assert_eq!(client.line(), "- no rooms yet; /create TITLE makes the first one");
    peer.send(&chat("bob", "still here"));
    assert_eq!(client.line(), "bob: still here");
    drop(peer);
    client.exit().succeeded();
}

#[test]
fn mistakes_are_reported_without_the_server_and_the_rest_is_sent() {
    let mut input =
        b"/join x\n/join 0\n/create\n/name\n/leave all\n/jion 3\n/frobnicate\n".to_vec();
    input.extend_from_slice(format!("/name {}\n", "x".repeat(33)).as_bytes());
    input.extend_from_slice(b"bell \x07\n\xff\xfe\n");
    input.extend_from_slice("x".repeat(65_500).as_bytes());
    input.push(b'\n');
    input.extend_from_slice("x".repeat(1_000_000).as_bytes());
    input.extend_from_slice(b"\n/\x1b[2J\n/rooms\n");

    let (mut client, peer) = Client::connected();
    let mut stdin = client.take_input();
    let writing = thread::spawn(move || stdin.write_all(&input));
    peer.close_after(&[Command::Rooms]);
    writing.join().expect("no panic").expect("the client reads all");
    let exit = client.exit();
    assert_eq!((exit.status, exit.output), (Some(0), vec![]));
    assert_eq!(
        exit.errors,
        [
            "chat-client: /join needs one room number after it, greater than 0: /join ID. /rooms lists the rooms.",
            "chat-client: /join needs one room number after it, greater than 0: /join ID. /rooms lists the rooms.",
            "chat-client: /create needs a title after it: /create TITLE",
            "chat-client: /name needs a name after it: /name NAME",
            "chat-client: /leave takes nothing after it",
            "chat-client: there is no command /jion. Did you mean /join? /help lists them all.",
            "chat-client: there is no command /frobnicate. /help lists them all. To say a text that begins with /, begin it with //.",
            "chat-client: a name may have at most 32 characters",
            "chat-client: a text may not hold the control character U+0007",
            "chat-client: that line is not UTF-8, and was not sent",
            "chat-client: that text is too long by 24 bytes. Send it in parts.",
            "chat-client: a line may have at most 65535 bytes; that one was not sent. Send it in parts.",
            "chat-client: there is no command /\\u{1b}[2J. /help lists them all. To say a text that begins with /, begin it with //.",
        ]
    );
}

#[test]
fn quit_ends_the_input() {
    let (mut client, mut peer) = Client::connected();
    client.write(b"hello\n/quit\nnever said\n");
    assert_eq!(peer.commands(), [said("hello")]);
    peer.send(&system("still shown", "x"));
    drop(peer);
    assert_eq!(client.exit().succeeded(), ["* still shown"]);
}

#[test]
fn heavy_traffic_in_both_directions_is_no_deadlock() {
    let (client, peer) = Client::connected();
    exchange_heavy_traffic(client, peer, drop);
}
