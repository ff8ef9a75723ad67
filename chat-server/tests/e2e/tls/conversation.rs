//! Conversations over TLS: with plain-text clients, in bulk, with slow readers, and to the end.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use chat_server::CloseReason;
use rustls::version::{TLS12, TLS13};
use socket2::{Domain, Socket, Type};

use crate::support::{
    Certificate, Client, RunningServer, TlsStream, UPGRADE, chats, frame, wait_until,
};

fn server(certificate: &Certificate) -> RunningServer {
    RunningServer::with(|config| config.tls = Some(certificate.config()))
}

#[test]
fn plain_and_encrypted_clients_are_in_one_room() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let mut plain = server.client();
    let mut clients: Vec<_> = [&TLS12, &TLS13]
        .map(|version| Client::over(certificate.connect_by(server.address(), &[version])))
        .into();
    let room = plain.enter_new("room");
    for entering in 0..clients.len() {
        clients[entering].enter(room);
        plain.expect_code("member-entered");
        for member in &mut clients[..entering] {
            member.expect_code("member-entered");
        }
    }
    plain.chat("plain");
    for client in &mut clients {
        client.expect_chat("user1", "plain");
    }
    clients[0].chat("encrypted");
    plain.expect_chat("user2", "encrypted");
    clients[1].expect_chat("user2", "encrypted");
}

#[test]
fn much_at_once_goes_through_both_ways() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let mut client = certificate.client_of(server.address());
    let mut plain = server.client();
    let room = plain.enter_new("room");
    client.enter(room);
    plain.expect_code("member-entered");
    let long = "x".repeat(60_000);
    client.chat(&long);
    plain.expect_chat("user1", &long);
    plain.chat(&long);
    client.expect_chat("user2", &long);
    // More than a record, and many frames in it.
    client.send_raw(&chats(0..2_000));
    for n in 0..2_000 {
        plain.expect_chat("user1", &n.to_string());
    }
    plain.send_raw(&chats(0..2_000));
    for n in 0..2_000 {
        client.expect_chat("user2", &n.to_string());
    }
}

/// A client with little room for what it does not read.
fn slow(certificate: &Certificate, server: &RunningServer) -> TlsStream {
    let address = server.address();
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None);
    let socket = socket.expect("a descriptor");
    socket.set_recv_buffer_size(4096).expect("Linux takes any size");
    socket.connect(&address.into()).expect("the server listens");
    certificate.begin(TcpStream::from(socket), rustls::ALL_VERSIONS)
}

#[test]
fn a_slow_reader_gets_everything_in_order() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let ([mut talker, mut witness], room) = server.members();
    let mut slow = Client::over(slow(&certificate, &server));
    slow.enter(room);
    talker.expect_code("member-entered");
    witness.expect_code("member-entered");
    let text = |n: usize| format!("{n} {}", "긴 말 ".repeat(120));
    for n in 0..600 {
        talker.chat(&text(n));
        witness.expect_chat("user1", &text(n));
    }
    for n in 0..600 {
        slow.expect_chat("user1", &text(n));
    }
    slow.expect_nothing();
}

#[test]
fn an_evicted_reader_gets_whole_frames_and_the_reason() {
    let certificate = Certificate::make();
    let server = RunningServer::with(|config| {
        config.tls = Some(certificate.config());
        config.limits.lift_rates();
        config.limits.backlog = 300 << 10;
        config.limits.room_pace.per_second = 0;
    });
    for round in 0..3 {
        let ([mut talker, mut witness], room) = server.members();
        let mut slow = Client::over(slow(&certificate, &server));
        slow.enter(room);
        talker.expect_code("member-entered");
        witness.expect_code("member-entered");
        let mut said = 0;
        // Sizes such that frames end anywhere in a record.
        let text = |n: usize| format!("{n} {}", "x".repeat(1_000 + n * 7 % 3_001));
        loop {
            talker.chat(&text(said));
            said += 1;
            if witness.receive().text != text(said - 1) {
                break;
            }
            assert!(said < 3_000, "it is never evicted");
        }
        assert_eq!(server.stats().closed.count(CloseReason::Backlog), round);
        let mut n = 0;
        loop {
            let message = slow.receive();
            if message.kind != "SCChat" {
                assert_eq!(message.code.as_deref(), Some("slow-consumer"));
                break;
            }
            assert_eq!(message.text, text(n));
            n += 1;
        }
        assert!(0 < n && n < said);
        slow.expect_end();
        drop(slow);
        wait_until("it is counted", || {
            server.stats().closed.count(CloseReason::Backlog) == round + 1
        });
    }
}

#[test]
fn the_stop_says_goodbye_and_ends_with_close_notify() {
    let certificate = Certificate::make();
    let mut server = server(&certificate);
    let mut clients =
        [&TLS12, &TLS13].map(|version| certificate.connect_by(server.address(), &[version]));
    for client in &mut clients {
        client.write_all(&frame(r#"{"type":"CSRooms"}"#)).expect("the server reads");
        client.read_exact(&mut [0; 37]).expect("an answer");
    }
    server.stop();
    for mut client in clients {
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).expect("an end with close_notify");
        assert!(String::from_utf8_lossy(&rest).contains("server-stopping"));
    }
    server.join();
}

#[test]
fn a_client_may_end_with_or_without_close_notify() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let ([mut witness], room) = server.members();
    for version in [&TLS12, &TLS13] {
        for with_a_word in [true, false] {
            let mut stream = certificate.connect_by(server.address(), &[version]);
            let join = frame(format!(r#"{{"type":"CSJoinRoom","roomId":{room}}}"#));
            stream.write_all(&join).expect("the server reads");
            witness.expect_code("member-entered");
            stream.write_all(&chats(["bye"])).expect("the server reads");
            if with_a_word {
                // TCP stays open; only the records say that the stream has ended.
                stream.0.conn.send_close_notify();
                stream.flush().expect("the server reads");
            } else {
                stream.0.sock.shutdown(std::net::Shutdown::Write).expect("it is connected");
            }
            assert_eq!(witness.receive().text, "bye");
            witness.expect_code("member-left");
            // The server answers with a `close_notify` of its own.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).expect("an end with close_notify");
        }
    }
    wait_until("they have gone", || server.stats().closed.count(CloseReason::PeerEnded) == 4);
}

#[test]
fn a_reset_is_a_loss() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let mut witness = server.client();
    certificate.client_of(server.address()).reset();
    wait_until("it is noticed", || server.stats().closed.count(CloseReason::Lost) == 1);
    witness.expect_nothing();
}

#[test]
fn a_tampered_record_ends_the_connection_alone() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let mut witness = certificate.client_of(server.address());
    let mut stream = certificate.connect(server.address());
    stream.write_all(&frame(r#"{"type":"CSRooms"}"#)).expect("the server reads");
    stream.read_exact(&mut [0; 37]).expect("an answer");
    // A record that neither side has encrypted.
    stream.0.sock.write_all(b"\x17\x03\x03\x00\x20").expect("the server reads");
    stream.0.sock.write_all(&[7; 32]).expect("the server reads");
    let error = stream.read(&mut [0]).expect_err("an alert");
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    wait_until("it is counted", || server.stats().closed.count(CloseReason::TlsFailed) == 1);
    witness.expect_nothing();
}

#[test]
fn a_browser_is_served_with_tls() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let ask = |request: &str| {
        let mut stream = certificate.connect(server.address());
        stream.write_all(request.as_bytes()).expect("the server reads");
        stream
    };
    let mut page = Vec::new();
    let get = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
    ask(&get).read_to_end(&mut page).expect("an end with close_notify");
    assert!(page.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&page));
    let mut socket = ask(UPGRADE);
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("an answer");
        answer.push(byte[0]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    // A text that its mask leaves unchanged.
    let payload = br#"{"type":"CSRooms"}"#;
    let frame = [&[0x81, 0x80 | payload.len() as u8, 0, 0, 0, 0], &payload[..]].concat();
    socket.write_all(&frame).expect("the server reads");
    let mut rooms = [0; 37];
    socket.read_exact(&mut rooms).expect("a list");
    assert_eq!(&rooms[2..], br#"{"type":"SCRoomsResult","rooms":[]}"#);
}
