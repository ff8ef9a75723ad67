//! The client at a terminal: the display, and the state in which the terminal is left.

use chat_proto::{Command, MAX_PAYLOAD, Name, RoomId};

use crate::hostile::IMPOSTORS;
use crate::pty::Terminal;
use crate::support::{Listener, Peer, chat, said, system};

/// A client at a terminal that waits for input, and its peer.
fn connected(flags: &[&str]) -> (Terminal, Peer) {
    connected_with(flags, 80, &[])
}

fn connected_with(flags: &[&str], cols: u16, variables: &[(&str, &str)]) -> (Terminal, Peer) {
    let (terminal, peer) = started_with(flags, cols, variables);
    terminal.wait("waiting for the prompt", |rows| rows.last().is_some_and(|row| row == ">"));
    terminal.cursor_row(2);
    (terminal, peer)
}

/// A client that may show nothing yet, and its peer.
fn started_with(flags: &[&str], cols: u16, variables: &[(&str, &str)]) -> (Terminal, Peer) {
    let listener = Listener::bind();
    let port = listener.port_flag();
    let flags: Vec<&str> = flags.iter().copied().chain([port.as_str()]).collect();
    (Terminal::start_with(&flags, cols, variables), listener.accept())
}

fn entered(room: u64, title: &str, seq: u64) -> String {
    format!(
        r#"{{"type":"SCSystemMessage","text":"You are in room {room}, \"{title}\", now.","code":"room-entered","roomId":{room},"seq":{seq},"title":"{title}"}}"#
    )
}

#[test]
fn a_message_comes_above_the_line_being_typed() {
    let (mut terminal, mut peer) = connected(&[]);
    terminal.press("half a 줄");
    terminal.shows(&["> half a 줄"]);
    peer.send(&chat("bob", "안녕"));
    terminal.shows(&["HH:MM bob: 안녕", "> half a 줄"]);
    let row = terminal.cursor_row(11);
    terminal.press("\u{1b}[D\u{7f}\u{7f}X\r");
    terminal.shows(&["HH:MM bob: 안녕", "HH:MM > half X줄", ">"]);
    assert_eq!(peer.command(), Some(said("half X줄")));
    assert_eq!(terminal.cursor_row(2), row + 1);
}

#[test]
fn many_messages_leave_the_line_whole() {
    let (mut terminal, mut peer) = connected_with(&[], 19, &[]);
    // Three rows long; they are removed and repainted with every message.
    let rows = ["가나다라마바사아", "자차카타파하거너더", "러"];
    terminal.press(&rows.concat());
    terminal.shows(&[&format!("> {}", rows[0]), rows[1], rows[2]]);
    let mut expected = vec!["HH:MM bob: 0".to_owned()];
    for n in 0..5 {
        peer.send(&chat("bob", &n.to_string()));
        expected[n] = format!("HH:MM bob: {n}");
        let typed = [format!("> {}", rows[0]), rows[1].to_owned(), rows[2].to_owned()];
        let shown: Vec<&str> = expected.iter().chain(&typed).map(String::as_str).collect();
        terminal.shows(&shown);
        expected.push(String::new());
    }
}

#[test]
fn a_long_message_never_comes_to_the_margin() {
    let (terminal, mut peer) = connected_with(&[], 40, &[]);
    peer.send(&chat("eve", &format!("{}12:00 bob: I quit", "x ".repeat(14))));
    peer.send(&chat("eve", &"한".repeat(30)));
    terminal.shows(&[
        "HH:MM eve: x x x x x x x x x x x x x x",
        "        12:00 bob: I quit",
        &format!("HH:MM eve: {}", "한".repeat(14)),
        &format!("        {}", "한".repeat(16)),
        ">",
    ]);
}

#[test]
fn v1_no_name_passes_for_another_speaker_at_a_terminal() {
    for cols in [80, 24, 12] {
        let (terminal, mut peer) = connected_with(&[], cols, &[]);
        for (name, _) in IMPOSTORS {
            peer.send(&chat(name, r"\u0301hi\n12:00 alice: yes\n* alice left. 12:00 * bob left."));
        }
        peer.send(&chat("bob", "end"));
        terminal.wait("waiting for the end", |rows| {
            let [.., end, prompt] = rows else { return false };
            end.ends_with("end") && prompt == ">"
        });
        // The margin has only quoted names after the time, which may fill a row, and no text from others.
        terminal.wait("looking at the margin", |rows| {
            rows.iter().all(|row| {
                row.is_empty()
                    || row.starts_with([' ', '-', '>'])
                    || row.starts_with("HH:MM \"")
                    || row.starts_with("HH:MM bob:")
                    || row.len() == "12:00".len()
            })
        });
    }
}

#[test]
fn a8_the_line_and_messages_follow_the_width() {
    let (mut terminal, mut peer) = connected(&[]);
    terminal.press("0123456789");
    terminal.shows(&["> 0123456789"]);
    terminal.resize(12);
    terminal.press("x");
    terminal.shows(&["> 012345678", "9x"]);
    peer.send(&chat("bob", "abcdefg"));
    terminal.shows(&["HH:MM bob:", "      abcdef", "      g", "> 012345678", "9x"]);
    terminal.resize(80);
    terminal.shows(&["> 0123456789x"]);
    terminal.cursor_row(13);
}

#[test]
fn ctrl_d_quit_and_ctrl_c_in_an_empty_line_leave() {
    for keys in ["\u{4}", "/quit\r", "never said\u{3}\u{3}"] {
        let (mut terminal, peer) = connected(&[]);
        terminal.press(keys);
        peer.close_after(&[]);
        assert_eq!(terminal.exit(), (0, true));
    }
}

#[test]
fn a8_a_signal_leaves_the_terminal_as_it_was() {
    for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let (mut terminal, _peer) = connected(&[]);
        terminal.press("half");
        terminal.shows(&["> half"]);
        let kill = std::process::Command::new("kill")
            .args([format!("-{signal}"), terminal.process_id().to_string()])
            .status();
        assert!(kill.expect("there is a kill").success());
        assert_eq!(terminal.exit(), (128 + number, true));
    }
}

#[test]
fn a8_a_terminal_that_is_closed_ends_the_client() {
    let (terminal, mut peer) = connected(&[]);
    let status = terminal.close(|| peer.send(&chat("bob", "hi")));
    // SIGHUP and the failure to write race.
    assert!([128 + 1, 1].contains(&status), "{status}");
    assert_eq!(peer.commands(), []);
}

#[test]
fn a8_an_end_that_is_a_failure_leaves_the_terminal_as_it_was() {
    let (terminal, mut peer) = connected(&[]);
    peer.send("no message");
    terminal.wait("waiting for the error", |rows| {
        rows.last()
            .is_some_and(|row| row.starts_with("chat-client: the server does not speak the chat"))
    });
    assert_eq!(terminal.exit(), (1, true));
}

#[test]
fn colours_are_for_terminals_without_no_color() {
    let is_coloured = |variables: &[(&str, &str)]| {
        let (terminal, mut peer) = connected_with(&[], 80, variables);
        peer.send(&chat("alice", "hi"));
        peer.send(&chat("alice", "again"));
        terminal.shows(&["HH:MM alice: hi", "HH:MM alice: again", ">"]);
        let (bytes, name) = (terminal.bytes(), "\u{1b}[35malice\u{1b}[m");
        assert!([0, 2].contains(&bytes.matches(name).count()), "{bytes:?}");
        // All sequences that end with `m`.
        bytes.split("\u{1b}[").skip(1).any(|sequence| {
            sequence.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('m')
        })
    };
    assert!(is_coloured(&[]));
    assert!(is_coloured(&[("NO_COLOR", "")]));
    assert!(!is_coloured(&[("NO_COLOR", "1")]));
}

#[test]
fn plain_and_dumb_terminals_are_left_alone() {
    for (flags, variables) in [(&["--plain"][..], &[][..]), (&[], &[("TERM", "dumb")])] {
        let (mut terminal, mut peer) = started_with(flags, 80, variables);
        peer.send(&chat("alice", "hi"));
        terminal.wait("waiting for the chat", |rows| rows.ends_with(&["alice: hi".to_owned()]));
        // No text from others comes to the margin there, either.
        peer.send(&chat("eve", &format!("{}bob: I quit", "x ".repeat(37))));
        terminal.wait("waiting for the next", |rows| {
            rows.last().is_some_and(|row| row == "        bob: I quit")
        });
        // The terminal itself echoes and reads lines.
        terminal.press("hello\r");
        assert_eq!(peer.command(), Some(said("hello")));
        assert!(!terminal.bytes().contains('\u{1b}'), "{}", terminal.bytes());
    }
}

#[test]
fn commands_and_names_are_completed_and_lines_recalled() {
    let (mut terminal, mut peer) = connected(&[]);
    peer.send(&entered(7, "스터디", 1));
    peer.send(&chat("Guido van Rossum", "hi"));
    peer.send(&system("김철수 came in.", "member-entered"));
    terminal.shows(&["HH:MM * 김철수 came in.", "7 스터디>"]);
    terminal.press("gu\t뭐해요?\r");
    assert_eq!(peer.command(), Some(said("Guido van Rossum: 뭐해요?")));
    terminal.press("/le\t\r");
    assert_eq!(peer.command(), Some(Command::Leave));
    terminal.press("\u{1b}[A\u{1b}[A");
    terminal.shows(&["7 스터디> Guido van Rossum: 뭐해요?"]);
    terminal.press("\u{15}/\t");
    terminal.shows(&[
        "- /help  /name  /rooms  /create  /join  /who  /leave  /shutdown  /quit",
        "7 스터디> /",
    ]);
}

#[test]
fn a_pasted_text_is_one_message() {
    let (mut terminal, mut peer) = connected(&[]);
    terminal.press("\u{1b}[200~one\rtwo\u{1b}[201~");
    terminal.shows(&["> one⏎two"]);
    terminal.press("\r");
    assert_eq!(peer.command(), Some(said("one\ntwo")));
    terminal.shows(&["HH:MM > one", "        two", ">"]);
}

#[test]
fn a_text_too_long_to_be_sent_is_refused_whole() {
    const REFUSED: &str =
        "! a line may have at most 65535 bytes; that one was not sent. Send it in parts.";
    let long = "x".repeat(MAX_PAYLOAD + 1);
    let pasted = format!("\u{1b}[200~{long}\u{1b}[201~\r");
    // The second variant comes as from a terminal that does not mark pasted text.
    for (keys, typed_before) in [(pasted, true), (format!("{long}{long}\r"), false)] {
        let (mut terminal, mut peer) = connected(&[]);
        terminal.press("before ");
        terminal.press(&keys);
        terminal.shows(&[REFUSED, ">"]);
        if typed_before {
            terminal.press("\u{1b}[A");
            terminal.shows(&["> before"]);
            terminal.press("\u{3}");
        }
        terminal.press("after\r");
        assert_eq!(peer.command(), Some(said("after")), "nothing was sent before it");
    }
}

#[test]
fn a8_a_lost_connection_is_made_again_and_the_room_found() {
    let listener = Listener::bind();
    let flags = [listener.port_flag(), "--name=bob".into(), "--join=3".into()];
    let mut terminal = Terminal::start(&flags.each_ref().map(String::as_str));
    let mut peer = listener.accept();
    let join = Command::Join(RoomId::new(3).expect("above 0"));
    let name = Command::Rename(Name::new("bob").expect("a name"));
    assert_eq!([peer.command(), peer.command()], [Some(name.clone()), Some(join.clone())]);
    peer.send(&system("user1 is now called bob.", "renamed"));
    peer.send(&entered(3, "tea", 5));
    terminal.shows(&["3 tea>"]);

    drop(peer);
    terminal.wait("waiting for the word", |rows| {
        rows.contains(&"- the server closed the connection".to_owned())
            && rows.last().is_some_and(|row| row == "offline>")
    });
    terminal.press("lost?\r");
    terminal.shows(&[
        "> lost?",
        "! not connected; that was not sent. Up brings it back.",
        "offline>",
    ]);

    let mut peer = listener.accept();
    assert_eq!([peer.command(), peer.command()], [Some(name), Some(Command::Rooms)]);
    peer.send(&system("user2 is now called bob.", "renamed"));
    peer.send(r#"{"type":"SCRoomsResult","rooms":[{"roomId":3,"title":"tea","members":["a"]}]}"#);
    assert_eq!(peer.command(), Some(join));
    peer.send(&entered(3, "tea", 9));
    terminal.shows(&[
        "HH:MM * You are in room 3, \"tea\", now.",
        "- messages and notices missed in this room: at least 2",
        "3 tea>",
    ]);
    terminal.press("\u{1b}[A\r");
    assert_eq!(peer.command(), Some(said("lost?")));
}
