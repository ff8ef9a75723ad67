//! Handshakes: in pieces, incomplete, absent, failed; and clients that may do without.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use chat_server::{CloseReason, LimitKind};
use rustls::version::{TLS12, TLS13};

use crate::support::{
    Certificate, Client, DEADLINE, End, RunningServer, TlsStream, UPGRADE, wait_until,
};

fn server(certificate: &Certificate) -> RunningServer {
    RunningServer::with(|config| config.tls = Some(certificate.config()))
}

/// The first messages of a client's handshake.
fn hello(certificate: &Certificate, address: SocketAddr) -> Vec<u8> {
    let TlsStream(mut stream) = certificate.connect(address);
    let mut hello = Vec::new();
    stream.conn.write_tls(&mut hello).expect("memory takes it");
    hello
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
    stream.set_nodelay(true).expect("TCP has this option");
    stream
}

/// Everything that arrives until the stream ends, in whatever way.
fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Err(e) if e.kind() != ErrorKind::ConnectionReset => panic!("no end: {e}"),
        _ => rest,
    }
}

#[test]
fn a_handshake_may_come_byte_by_byte() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    for (handshakes, version) in [(1, &TLS12), (2, &TLS13)] {
        let TlsStream(mut stream) = certificate.begin(connect(server.address()), &[version]);
        while stream.conn.is_handshaking() {
            let mut bytes = Vec::new();
            while stream.conn.wants_write() {
                stream.conn.write_tls(&mut bytes).expect("memory takes it");
            }
            for byte in bytes {
                stream.sock.write_all(&[byte]).expect("the server reads");
            }
            if stream.conn.is_handshaking() {
                stream.conn.read_tls(&mut stream.sock).expect("the server answers");
                stream.conn.process_new_packets().expect("as it should");
            }
        }
        let mut client = Client::over(TlsStream(stream));
        client.expect_nothing();
        client.enter_new("room");
        assert_eq!(server.stats().tls_handshakes, handshakes);
    }
}

#[test]
fn half_a_handshake_has_the_time_of_a_frame() {
    let certificate = Certificate::make();
    let server = RunningServer::with(|config| {
        config.tls = Some(certificate.config());
        config.limits.frame_timeout = Duration::from_millis(50);
        config.limits.linger = Duration::from_millis(50);
    });
    let hello = hello(&certificate, server.address());
    for len in [1, 2, 3, 10, hello.len() - 1, hello.len()] {
        let mut stream = connect(server.address());
        stream.write_all(&hello[..len]).expect("the server reads");
        rest(stream);
    }
    assert_eq!(server.stats().closed.count(CloseReason::FrameTimeout), 6);
}

#[test]
fn what_only_begins_like_a_handshake_gets_an_alert() {
    let certificate = Certificate::make();
    let server = server(&certificate);
    let rubbish = [b'\x16', 3, 1, 0, 5].into_iter().chain(0..200).collect::<Vec<_>>();
    let mut stream = connect(server.address());
    stream.write_all(&rubbish).expect("the server reads");
    let alert = rest(stream);
    assert!(alert.is_empty() || alert.starts_with(&[0x15, 3]), "{alert:?}");
    wait_until("it is counted", || server.stats().closed.count(CloseReason::TlsFailed) == 1);
    server.client().expect_nothing();
}

#[test]
fn a_client_that_does_not_trust_the_certificate_is_counted() {
    let [certificate, other] = [Certificate::make(), Certificate::make()];
    let server = server(&certificate);
    let mut stream = other.connect(server.address());
    let error = stream.read(&mut [0]).expect_err("it does not trust the server");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    wait_until("it is counted", || server.stats().closed.count(CloseReason::TlsFailed) == 1);
}

#[test]
fn without_a_certificate_a_handshake_is_bad_input() {
    let certificate = Certificate::make();
    let server = RunningServer::with(|_| {});
    let mut client = Client::connect(server.address());
    client.send_raw(&hello(&certificate, server.address()));
    client.expect_code("bad-request");
    client.expect_end();
}

#[test]
fn plain_text_is_answered_with_tls_required_where_only_tls_is_allowed() {
    let certificate = Certificate::make();
    let server = RunningServer::with(|config| {
        config.tls = Some(certificate.config().with_plain_refused(true));
    });
    let mut witness = certificate.client_of(server.address());
    let frame: &[u8] = b"\x00\x12{\"type\":\"CSRooms\"}";
    for said in [frame, b"SSH-2.0-x\r\n", b"\x00", b"\x16\x04", b"GE{\"type\":"] {
        let mut client = Client::connect(server.address());
        client.send_raw(said);
        client.expect_code("tls-required");
        client.expect_end();
    }
    wait_until("they are counted", || server.stats().closed.count(CloseReason::TlsRequired) == 5);
    witness.expect_nothing();
}

#[test]
fn a_browser_is_sent_to_https_where_only_tls_is_allowed() {
    let certificate = Certificate::make();
    let server = RunningServer::with(|config| {
        config.tls = Some(certificate.config().with_plain_refused(true));
    });
    let address = server.address();
    let request = format!("GET /style.css HTTP/1.1\r\nHost: {address}\r\n\r\n");
    for piece in [1, 2, 3, request.len()] {
        let stream = connect(address);
        for bytes in request.as_bytes().chunks(piece) {
            (&stream).write_all(bytes).expect("it is read");
        }
        let answer = String::from_utf8(rest(stream)).expect("text");
        assert!(answer.starts_with("HTTP/1.1 307 "), "{answer}");
        assert!(
            answer.contains(&format!("\r\nLocation: https://{address}/style.css\r\n")),
            "{answer}"
        );
    }
    let stream = connect(address);
    (&stream).write_all(UPGRADE.as_bytes()).expect("it is read");
    let answer = String::from_utf8(rest(stream)).expect("text");
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("wss://"), "{answer}");
    wait_until("they are counted", || server.stats().closed.count(CloseReason::TlsRequired) == 5);
}

#[test]
fn a_refusal_waits_for_the_handshake() {
    let certificate = Certificate::make();
    let server = RunningServer::with(|config| {
        config.tls = Some(certificate.config());
        config.limits.connections = 1;
    });
    let _only = certificate.client_of(server.address());
    for version in [&TLS12, &TLS13] {
        let mut client = Client::over(certificate.connect_by(server.address(), &[version]));
        // The handshake begins with the first bytes.
        assert!(client.try_send(r#"{"type":"CSRooms"}"#));
        client.expect_code("server-full");
        client.expect_end();
    }
    let mut plain = Client::connect(server.address());
    plain.send_raw(b"\0");
    plain.expect_code("server-full");
    plain.expect_end();
    // A silent client, and one that has ended its stream, are told before the deadline for those that do not read.
    let mut silent = Client::connect(server.address());
    silent.expect_code("server-full");
    silent.expect_end();
    let mut ended = Client::connect(server.address());
    ended.end_sending();
    ended.expect_code("server-full");
    ended.expect_end();
    drop((plain, silent, ended));
    wait_until("they have gone", || server.stats().connections == 1);
    assert_eq!(server.stats().limits.count(LimitKind::Linger), 0);
}

#[test]
fn a_silent_peer_is_told_of_the_stop() {
    let certificate = Certificate::make();
    let mut server = RunningServer::with(|config| {
        config.tls = Some(certificate.config());
        config.limits.linger = Duration::from_millis(1_500);
    });
    let mut silent = Client::connect(server.address());
    let mut witness = certificate.client_of(server.address());
    server.stop();
    silent.expect_code("server-stopping");
    assert_eq!(silent.until_end().0.len(), 0);
    witness.expect_code("server-stopping");
    witness.expect_end();
    drop(witness);
    server.join();
}

#[test]
fn a_proxy_says_for_whom_it_speaks_before_the_handshake() {
    let certificate = Certificate::make();
    let server = RunningServer::with(|config| {
        config.tls = Some(certificate.config());
        config.proxy_from = vec!["127.0.0.1".parse().expect("a network")];
    });
    let mut tcp = connect(server.address());
    tcp.write_all(b"PROXY TCP4 192.0.2.7 192.0.2.8 40000 9000\r\n").expect("the server reads");
    let mut client = Client::over(certificate.begin(tcp, rustls::ALL_VERSIONS));
    client.expect_nothing();
    // From there, only the proxy itself may stop the server.
    client.shutdown();
    client.expect_code("shutdown-refused");
    client.end_sending();
    assert_eq!(client.until_end(), (Vec::new(), End::Clean));
}
