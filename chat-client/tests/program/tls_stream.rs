//! Traffic over an encrypted connection, and how it ends: the same as over a plain one.

use std::io::Write as _;
use std::thread;

use chat_proto::Command;

use crate::support::{Client, chat, exchange_heavy_traffic, frame, said, system};
use crate::tls_peer::{Identity, TlsListener, TlsPeer};

/// A server, and the flag by which a client trusts it.
fn server() -> (TlsListener, String) {
    let identity = Identity::self_signed(&["127.0.0.1"]);
    let flag = identity.flag();
    (TlsListener::bind(identity), flag)
}

fn connected() -> (Client, TlsPeer) {
    let (server, flag) = server();
    server.connected(&[&flag])
}

#[test]
fn both_ends_say_that_they_end() {
    let (mut client, mut peer) = connected();
    client.write(b"hello\n/quit\nnever said\n");
    assert_eq!(peer.command(), Some(said("hello")));
    assert!(peer.sees_the_end());
    peer.send(&system("still shown", "x"));
    peer.close();
    assert_eq!(client.exit().succeeded(), ["* still shown"]);
}

#[test]
fn the_server_closes_while_the_input_is_open() {
    let (client, mut peer) = connected();
    peer.send(&chat("bob", "before"));
    peer.close();
    assert_eq!(client.line(), "bob: before");
    assert_eq!(client.exit().failed(1), "the server closed the connection");
}

#[test]
fn a_frame_is_cut_off() {
    for (kept, held) in [(1, 1), (2, 2), (20, 20)] {
        for with_word in [true, false] {
            let (client, mut peer) = connected();
            peer.send_raw(&frame(&chat("bob", "never whole"))[..kept]);
            if with_word {
                peer.close();
            } else {
                drop(peer);
            }
            let error = format!(
                "the connection ended in the middle of a message, after {held} bytes of it"
            );
            assert_eq!(client.exit().failed(1), error);
        }
    }
}

/// Somebody in between can end a connection, and thereby withhold messages.
#[test]
fn an_end_without_close_notify_is_not_a_success() {
    let (mut client, mut peer) = connected();
    client.end_input();
    assert_eq!(peer.commands(), []);
    peer.send(&chat("bob", "before"));
    drop(peer);
    assert_eq!(client.line(), "bob: before");
    assert_eq!(client.exit().failed(1), "the connection ended without the server's word for it");
    // The goodbye of the chat suffices.
    let (mut client, mut peer) = connected();
    client.write(b"/shutdown\n");
    assert_eq!(peer.command(), Some(Command::Shutdown));
    peer.send(&system("Goodbye.", "server-stopping"));
    drop(peer);
    client.exit().succeeded();
}

#[test]
fn what_came_before_a_forged_record_is_shown_and_nothing_after_it() {
    let (client, mut peer) = connected();
    peer.send(&chat("bob", "before"));
    let forged = [&[23, 3, 3, 0, 32][..], &[0; 32]].concat();
    peer.0.sock.write_all(&forged).expect("the client reads");
    assert_eq!(client.line(), "bob: before");
    let error = client.exit().failed(1);
    assert!(error.starts_with("lost the connection to the server: "), "{error}");
}

#[test]
fn bytes_that_are_no_message_end_the_client() {
    let (client, mut peer) = connected();
    peer.send_raw(b"220 mail ESMTP\r\n");
    let error = "the server does not speak the chat protocol. Is the port right?";
    assert_eq!(client.exit().failed(1), error);
}

/// In records of any size, down to one byte each.
#[test]
fn messages_come_out_however_they_are_cut_into_records() {
    let (client, mut peer) = connected();
    let long = "긴말".repeat(8_000);
    for byte in frame(&chat("bob", "한 글자씩")) {
        peer.send_raw(&[byte]);
    }
    peer.send_raw(&[frame(&chat("bob", &long)), frame(&chat("bob", "end"))].concat());
    peer.close();
    assert_eq!(client.line(), "bob: 한 글자씩");
    assert!(client.line() == format!("bob: {long}"), "all of it arrives");
    assert_eq!(client.line(), "bob: end");
}

#[test]
fn heavy_traffic_in_both_directions_is_no_deadlock() {
    let (client, peer) = connected();
    exchange_heavy_traffic(client, peer, TlsPeer::close);
}

#[test]
fn a_server_that_died_is_found_again() {
    let (server, flag) = server();
    let (mut client, mut peer) = server.connected(&[&flag, "--reconnect"]);
    peer.send(&chat("bob", "before"));
    assert_eq!(client.line(), "bob: before");
    drop(peer);
    assert_eq!(client.line(), "- the connection ended without the server's word for it");
    assert!(client.line().starts_with("- trying to connect again"));
    client.write(b"late\n");
    client.end_input();
    // An attempt that fails half way is followed by another.
    drop(server.listener.accept_hello());
    let mut peer = server.accept();
    assert_eq!(peer.commands(), [said("late")]);
    peer.close();
    assert!(client.line().starts_with("- connected again"));
    client.exit().succeeded();
}

#[test]
fn a_server_that_returns_with_another_certificate_is_reported_and_gets_nothing() {
    let identity = Identity::self_signed(&["127.0.0.1"]);
    let (flag, other) = (identity.flag(), Identity::self_signed(&["127.0.0.1"]));
    let (fingerprint, back) = (other.fingerprint(), identity.clone());
    let mut server = TlsListener::bind(identity);
    let (mut client, peer) = server.connected(&[&flag, "--reconnect"]);
    server.change(other);
    peer.close();
    assert_eq!(client.line(), "- the server closed the connection");
    assert!(client.line().starts_with("- trying to connect again"));
    client.write(b"secret\n");
    client.end_input();
    // It is reported once.
    server.refused();
    server.refused();
    let warning = client.line();
    assert!(warning.starts_with("- DANGER: ") && warning.ends_with(&fingerprint), "{warning}");
    server.change(back);
    let mut peer = server.accept();
    assert_eq!(peer.commands(), [said("secret")]);
    peer.close();
    assert!(client.line().starts_with("- connected again"));
    client.exit().succeeded();
}

#[cfg(unix)]
mod at_a_terminal {
    use super::*;
    use crate::pty::Terminal;

    fn connected(flags: &[&str]) -> (Terminal, TlsPeer, String) {
        let (server, trust) = server();
        let port = server.listener.port_flag();
        let flags: Vec<&str> = flags.iter().copied().chain([&*port, &*trust]).collect();
        let terminal = Terminal::start(&flags);
        let peer = server.accept();
        terminal.wait("waiting for the prompt", |rows| rows.last().is_some_and(|row| row == ">"));
        (terminal, peer, server.listener.address().to_string())
    }

    #[test]
    fn the_first_line_says_that_the_connection_is_encrypted() {
        for (lang, words) in [("en", "connected to {} with TLS."), ("ko", "{}에 TLS로 연결됐어요.")]
        {
            let (mut terminal, mut peer, address) = connected(&[&format!("--lang={lang}")]);
            let line = format!("- {}", words.replace("{}", &address));
            terminal.wait(&line, |rows| rows.first().is_some_and(|row| row.starts_with(&line)));
            terminal.press("안녕\r");
            assert_eq!(peer.command(), Some(said("안녕")));
            terminal.press("/quit\r");
            assert!(peer.sees_the_end());
            peer.close();
            assert_eq!(terminal.exit(), (0, true));
        }
    }

    #[test]
    fn keys_are_obeyed_whatever_a_server_floods() {
        let (mut terminal, mut peer, _) = connected(&[]);
        let frames = frame(&chat("eve", &"x".repeat(9_000)));
        let flooding = thread::spawn(move || while peer.0.write_all(&frames).is_ok() {});
        terminal.press("typed");
        terminal
            .wait("waiting for the line", |rows| rows.last().is_some_and(|row| row == "> typed"));
        terminal.press("\r/quit\r");
        assert_eq!(terminal.exit(), (1, true), "the server did not close the connection");
        flooding.join().expect("no panic");
    }

    #[test]
    fn a_server_that_reads_nothing_is_left_at_a_second_wish() {
        let (mut terminal, peer, _) = connected(&[]);
        let line = format!("{}\r", "x".repeat(999));
        for _ in 0..9_000 {
            terminal.press(&line);
        }
        terminal.press("end");
        terminal.wait("waiting for the end", |rows| rows.last().is_some_and(|row| row == "> end"));
        terminal.press("\u{3}\u{3}\u{3}");
        assert_eq!(terminal.exit(), (1, true));
        drop(peer);
    }
}
