//! Servers that send without end, or read nothing, while the keyboard must still be obeyed.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;

use chat_proto::{Command, Text};

use crate::pty::Terminal;
use crate::support::{Client, Listener, Peer, chat, frame, system};

/// Frames to be repeated, of each kind that is expensive for a client.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let said = |text: &str| frame(&chat("eve", text));
    let room = |id: usize| format!(r#"{{"roomId":{id},"title":"x{id}","members":["a","b"]}}"#);
    let rooms: Vec<String> = (0..1_300).map(room).collect();
    vec![
        ("letters with marks", said(&"e\u{300}".repeat(21_000))),
        ("precomposed letters", said(&"è".repeat(32_000))),
        ("one letter with many marks", said(&format!("e{}", "\u{300}".repeat(32_000)))),
        ("a long word", said(&"x".repeat(65_000))),
        ("wide letters", said(&"한".repeat(21_000))),
        ("nothing visible", said(&"\u{200b}".repeat(21_000))),
        ("from right to left", said(&"אב ".repeat(13_000))),
        ("emoji", said(&"👩\u{200d}".repeat(9_000))),
        ("rows", said(&"\\n".repeat(32_000))),
        ("tiny frames", frame(r#"{"type":"SCChat","member":"e","text":"x"}"#).repeat(500)),
        ("unknown frames", frame(r#"{"type":"x"}"#).repeat(500)),
        ("notices", frame(&system("news", "new")).repeat(500)),
        (
            "rooms",
            frame(&format!(
                r#"{{"type":"SCRoomsResult","more":true,"rooms":[{}]}}"#,
                rooms.join(",")
            )),
        ),
        ("members", {
            let names: Vec<String> = (0..6_000).map(|n| format!("\"n{n}\"")).collect();
            let room = format!(r#"{{"roomId":1,"title":"t","members":[{}]}}"#, names.join(","));
            frame(&format!(r#"{{"type":"SCRoomsResult","rooms":[{room}]}}"#))
        }),
    ]
}

/// Sends frames until the client is gone.
fn flood(peer: &Peer, frames: Vec<u8>) -> thread::JoinHandle<()> {
    let mut stream: TcpStream = peer.0.try_clone().expect("a descriptor");
    thread::spawn(move || while stream.write_all(&frames).is_ok() {})
}

fn connected() -> (Terminal, Peer) {
    let listener = Listener::bind();
    let terminal = Terminal::start(&[&listener.port_flag()]);
    let peer = listener.accept();
    terminal.shows(&[">"]);
    (terminal, peer)
}

#[test]
fn v6_keys_are_obeyed_whatever_a_server_floods() {
    for (kind, frames) in floods() {
        let (mut terminal, mut peer) = connected();
        let flooding = flood(&peer, frames);
        terminal.press("typed");
        terminal.wait(kind, |rows| rows.last().is_some_and(|row| row == "> typed"));
        terminal.press("\r");
        let said = Command::Chat(Text::new("typed").expect("a text"));
        assert_eq!(peer.command(), Some(said), "{kind}");
        assert_small(&terminal, kind);
        // Each paint ends with the line being typed, and is small.
        let longest = terminal.bytes().split("\u{1b}[?7l").map(str::len).max();
        assert!(longest.is_some_and(|len| len < 20 * 1024), "{kind}: {longest:?} bytes at once");
        terminal.press("/quit\r");
        assert_eq!(terminal.exit(), (1, true), "{kind}: the server did not close the connection");
        drop(peer);
        flooding.join().expect("no panic");
    }
}

/// Checks that the flood does not make the client large.
fn assert_small(terminal: &Terminal, kind: &str) {
    let status = format!("/proc/{}/status", terminal.process_id());
    let Ok(status) = std::fs::read_to_string(status) else { return };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("on Linux");
    let kib: usize = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 48 * 1024, "{kind}: {kib} KiB");
}

#[test]
fn v6_keys_are_obeyed_at_a_terminal_that_nobody_reads() {
    for keys in ["/quit\r", "\u{3}", "\u{4}"] {
        let (mut terminal, peer) = connected();
        terminal.pause();
        let flooding = flood(&peer, frame(&chat("eve", &"x".repeat(9_000))));
        terminal.press("never said\u{15}");
        terminal.press(keys);
        assert_eq!(terminal.exit_unread(), 1);
        drop(peer);
        flooding.join().expect("no panic");
    }
}

#[test]
fn v6_lines_are_obeyed_at_a_plain_terminal() {
    let listener = Listener::bind();
    let mut terminal = Terminal::start(&[&listener.port_flag(), "--plain"]);
    let mut peer = listener.accept();
    let flooding = flood(&peer, frame(&chat("eve", &"x".repeat(9_000))));
    terminal.press("typed\r");
    assert_eq!(peer.command(), Some(Command::Chat(Text::new("typed").expect("a text"))));
    terminal.press("/quit\r");
    assert_eq!(terminal.exit_unread(), 1);
    drop(peer);
    flooding.join().expect("no panic");
}

/// A text pasted without marks, as many lines, to a server that reads nothing.
#[test]
fn v6_a_server_that_reads_nothing_does_not_make_the_client_large() {
    let (mut terminal, peer) = connected();
    let line = format!("{}\r", "x".repeat(999));
    for _ in 0..12_000 {
        terminal.press(&line);
    }
    terminal.press("end");
    terminal.wait("waiting for the end", |rows| rows.last().is_some_and(|row| row == "> end"));
    assert_small(&terminal, "unread lines");
    terminal.press("\u{3}\u{3}\u{3}");
    assert_eq!(terminal.exit(), (1, true));
    drop(peer);
}

/// Output for programs is always complete, however slowly it is read.
#[test]
fn v6_lines_for_programs_are_complete() {
    const LINES: usize = 3_000;
    let (client, mut peer) = Client::piped("");
    let sending = thread::spawn(move || {
        for n in 0..LINES {
            peer.send(&chat("eve", &format!("{n} {}", "e\u{300}".repeat(3_000))));
        }
        peer.close_after(&[]);
    });
    sending.join().expect("no panic");
    let output = client.exit().succeeded();
    assert_eq!(output.len(), LINES);
    for (n, line) in output.iter().enumerate() {
        assert!(line.starts_with(&format!("eve: {n} e")), "{n}");
    }
}
