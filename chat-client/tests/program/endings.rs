//! The ways in which a connection can end, and the client's reaction to each.

use std::fs::File;
use std::io::Read;
use std::net::TcpStream;
use std::process::Stdio;

use chat_proto::Command;

use crate::support::{Client, Listener, chat, frame, program, system};

/// Checks that the client ends with status 1 and this error.
#[track_caller]
fn assert_fails(client: Client, error: &str) {
    assert_eq!(client.exit().failed(1), error);
}

#[test]
fn a8_nobody_listens() {
    // The port of the other end of a connection is in use, but nobody listens there.
    let listener = Listener::bind();
    let taken = TcpStream::connect(listener.address()).expect("it listens");
    let address = taken.local_addr().expect("it is connected");
    assert_fails(
        Client::start(&[&format!("--port={}", address.port())]),
        &format!("cannot reach {address}: connection refused. Is the server running?"),
    );
}

#[test]
fn a_name_without_an_address_is_reported_in_both_languages() {
    // No name ends like this (RFC 6761, 6.4). The reason reported depends on the network.
    for (lang, start, end) in [
        ("en", "cannot find the address of nowhere.invalid: ", ". Is it spelled right?"),
        ("ko", "nowhere.invalid의 주소를 찾을 수 없어요: ", ". 이름을 맞게 썼나요?"),
    ] {
        let flags = ["--ip=nowhere.invalid", "--port=9", &format!("--lang={lang}")];
        let line = Client::start(&flags).exit().failed(1);
        assert!(line.starts_with(start) && line.ends_with(end), "{line}");
    }
}

#[test]
fn a8_the_server_closes_while_the_input_is_open() {
    let (client, mut peer) = Client::connected();
    peer.send(&chat("bob", "before"));
    drop(peer);
    assert_eq!(client.line(), "bob: before");
    assert_fails(client, "the server closed the connection");
}

#[test]
fn a8_the_server_closes_without_reading_everything() {
    let (mut client, mut peer) = Client::connected();
    client.write(b"one\ntwo\n");
    // Closing with unread bytes resets the connection.
    peer.0.read_exact(&mut [0]).expect("something was sent");
    peer.0.peek(&mut [0]).expect("there is more");
    drop(peer);
    let error = client.exit().failed(1);
    assert!(error.starts_with("lost the connection to the server: "), "{error}");
}

#[test]
fn shutdown_is_answered_by_goodbye() {
    for input in ["/shutdown\n", "/shutdown\n/rooms\n"] {
        let (client, mut peer) = Client::piped(input);
        assert_eq!(peer.command(), Some(Command::Shutdown));
        peer.send(&system("Goodbye.", "server-stopping"));
        peer.end();
        // The rest of its commands, if still unread, does not matter.
        peer.commands();
        client.exit().succeeded();
    }
}

#[test]
fn a_frame_is_cut_off() {
    for (kept, held) in [(1, 1), (2, 2), (20, 20)] {
        let (client, mut peer) = Client::connected();
        peer.send_raw(&frame(&chat("bob", "never whole"))[..kept]);
        drop(peer);
        assert_fails(
            client,
            &format!("the connection ended in the middle of a message, after {held} bytes of it"),
        );
    }
}

/// The client fails while the connection is open, instead of waiting for more.
#[test]
fn bytes_that_are_no_message_end_the_client() {
    for bytes in [
        frame(""),
        frame("hello"),
        frame("[]"),
        frame("{\"type\":\"SCChat\",\"text\":1}"),
        b"\0\x04\xff\xfe\x1b[".to_vec(),
        b"220 mail ESMTP\r\n".to_vec(),
        b"SSH-2.0-OpenSSH_9.6p1\r\n".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ] {
        let (client, mut peer) = Client::connected();
        peer.send_raw(&bytes);
        assert_fails(client, "the server does not speak the chat protocol. Is the port right?");
    }
}

#[test]
fn a8_o13_the_reader_of_the_output_is_gone() {
    let listener = Listener::bind();
    let mut process = program(&[&listener.port_flag()]);
    let mut client = Client::spawn(process.stdout(closed_pipe()));
    let mut peer = listener.accept();
    client.write(b"hello\n");
    peer.command();
    peer.send(&chat("bob", "to nobody"));
    client.exit().succeeded();
}

/// The writing end of a pipe that nobody reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
#[cfg(target_os = "linux")]
fn a8_the_output_takes_nothing() {
    let listener = Listener::bind();
    let full = File::options().write(true).open("/dev/full").expect("there is one");
    let client = Client::spawn(program(&[&listener.port_flag()]).stdout(full));
    let mut peer = listener.accept();
    peer.send(&chat("bob", "to nobody"));
    assert_fails(client, "cannot write the output: no space left on device");
}

#[test]
fn errors_that_cannot_be_reported_change_nothing() {
    let listener = Listener::bind();
    let flag = listener.port_flag();
    let mut client = Client::spawn(program(&[&flag]).stderr(closed_pipe()));
    let peer = listener.accept();
    client.write(b"/join x\n/rooms\n");
    client.end_input();
    peer.close_after(&[Command::Rooms]);
    client.exit().succeeded();
}

#[test]
#[cfg(unix)]
fn a8_the_input_cannot_be_read() {
    let listener = Listener::bind();
    let directory = File::open(env!("CARGO_MANIFEST_DIR")).expect("it is there");
    let client = Client::spawn(program(&[&listener.port_flag()]).stdin(directory));
    let _peer = listener.accept();
    assert_fails(client, "cannot read the input: is a directory");
}
