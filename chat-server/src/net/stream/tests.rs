//! Streams over a scripted kernel: their first bytes decide what they are, and nothing is lost, doubled or stuck,
//! however little goes through at a time.

mod parties;

use std::collections::VecDeque;

use proptest::prelude::*;

use self::parties::{Client, Server, settle, shaken, trust};
use super::*;
use crate::net::TlsConfig;

fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (seed..seed + len).map(|i| (i % 251) as u8).collect()
}

#[derive(Debug, Clone)]
enum Step {
    /// This many bytes from the client arrive.
    Arrive(usize),
    /// This many bytes from the server reach the client.
    Reach(usize),
    /// The kernel takes this many more bytes.
    Room(usize),
    ClientSays(usize),
    ServerSays(usize),
    /// Both sides change their keys (TLS 1.3).
    Rekey,
    /// All pending output of the server is dropped except for a partly written frame, and this is added.
    Truncate,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let few = || prop_oneof![1..4_usize, 1..300_usize, 1..40_000_usize];
    let step = prop_oneof![
        6 => few().prop_map(Step::Arrive),
        6 => few().prop_map(Step::Reach),
        6 => few().prop_map(Step::Room),
        2 => few().prop_map(Step::ClientSays),
        3 => few().prop_map(Step::ServerSays),
        1 => Just(Step::Rekey),
        1 => Just(Step::Truncate),
    ];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// However little goes through at a time, both sides receive what the other has said, the server's bytes have left
    /// once all of them count as written, and the stream ends with `close_notify`.
    #[test]
    fn nothing_is_lost_doubled_or_stuck(
        steps in steps(),
        version in 0..2_usize,
        buffer in prop_oneof![1..10_usize, Just(65_536)],
        is_nervous: bool,
    ) {
        let mut client = Client::new(version);
        let mut server = Server::new(Some(&trust().acceptor), buffer);
        server.kernel().room = 0;
        server.kernel().is_nervous = is_nervous;
        let (mut to_server, mut to_client) = (VecDeque::new(), VecDeque::new());
        let (mut by_client, mut by_server) = (Vec::new(), Vec::new());
        let last = [Step::Room(usize::MAX >> 1), Step::Arrive(usize::MAX), Step::Reach(usize::MAX)];
        for step in steps.into_iter().chain(last.iter().cycle().take(15).cloned()) {
            match step {
                Step::Arrive(n) => {
                    let n = n.min(to_server.len());
                    server.arrive(&to_server.drain(..n).collect::<Vec<_>>());
                }
                Step::Reach(n) => {
                    let n = n.min(to_client.len());
                    client.receive(&to_client.drain(..n).collect::<Vec<_>>());
                }
                Step::Room(n) => {
                    server.kernel().room = n;
                    server.writable();
                }
                // Before the handshake is over, rustls would keep only part of it.
                Step::ClientSays(n) if !client.tls.is_handshaking() => {
                    let said = bytes(n, by_client.len());
                    by_client.extend_from_slice(&said);
                    for part in said.chunks(10_000) {
                        client.say(part);
                        to_server.extend(client.sent());
                    }
                }
                Step::ServerSays(n) => {
                    let said = bytes(n, by_server.len());
                    by_server.extend_from_slice(&said);
                    server.say(&said);
                }
                Step::Rekey if version == 1 && !client.tls.is_handshaking() => {
                    client.tls.refresh_traffic_keys().expect("the handshake is over");
                }
                Step::Truncate => {
                    let withheld = server.stream.withheld();
                    prop_assert!(withheld <= server.pending.len());
                    by_server.truncate(by_server.len() - server.pending.len() + withheld);
                    server.pending.truncate(withheld);
                }
                Step::ClientSays(_) | Step::Rekey => {}
            }
            to_server.extend(client.sent());
            to_client.extend(std::mem::take(&mut server.kernel().taken));
            prop_assert!(server.end.is_none());
            prop_assert!(server.stream.memory() <= 80_000, "{}", server.stream.memory());
        }
        prop_assert_eq!(server.pending.len(), 0, "a stalled write");
        prop_assert!(server.read == by_client, "{} of {} bytes", server.read.len(), by_client.len());
        prop_assert!(client.read == by_server, "{} of {} bytes", client.read.len(), by_server.len());
        prop_assert_eq!(server.stream.memory(), 0, "it is idle");
        server.stream.shutdown_write().expect("the kernel is there");
        settle(&mut client, &mut server);
        prop_assert!(client.has_ended && server.kernel().ended);
    }

    /// The first bytes decide, however they arrive, and plain text passes without loss.
    #[test]
    fn plain_text_passes_unchanged(
        first in prop::collection::vec(prop_oneof![Just(0x16), Just(3), Just(b'{'), any::<u8>()], 0..5),
        rest in 0..5_000_usize,
        cuts in prop::collection::vec(1..6_usize, 0..6),
        buffer in prop_oneof![1..5_usize, Just(65_536)],
        is_nervous: bool,
    ) {
        let said = [first, bytes(rest, 0)].concat();
        prop_assume!(begins_tls(&said) != Some(true));
        let mut server = Server::new(Some(&trust().acceptor), buffer);
        server.kernel().is_nervous = is_nervous;
        let mut at = 0;
        for cut in cuts {
            let next = said.len().min(at + cut);
            server.arrive(&said[at..next]);
            at = next;
        }
        server.arrive(&said[at..]);
        server.kernel().peer_ended = true;
        server.readable();
        prop_assert_eq!(&server.read, &said);
        prop_assert_eq!(server.end, Some(Ok(())));
        prop_assert!(said.is_empty() || server.stream.layer.is_none());
    }

    #[test]
    fn arbitrary_records_are_refused_with_an_alert(
        garbage in prop::collection::vec(any::<u8>(), 0..600),
        third in any::<u8>().prop_filter("not JSON", |byte| !b"{ \t\r\n".contains(byte)),
    ) {
        let mut server = Server::new(Some(&trust().acceptor), 65_536);
        server.arrive(&[&[0x16, 3, third], &*garbage].concat());
        server.kernel().peer_ended = true;
        server.readable();
        prop_assert!(server.end.is_some());
        prop_assert!(server.read.is_empty());
        if let Some(Err(kind)) = server.end {
            prop_assert_eq!(kind, ErrorKind::InvalidData);
            prop_assert!(server.kernel().taken.first().is_none_or(|first| *first == 0x15), "an alert");
        }
    }
}

#[test]
fn without_a_certificate_tls_is_plain_text() {
    let mut server = Server::new(None, 65_536);
    let hello = Client::new(1).sent();
    server.arrive(&hello);
    assert_eq!(server.read, hello);
    assert!(server.stream.layer.is_none());
}

#[test]
fn a_handshake_may_arrive_byte_by_byte() {
    for version in [0, 1] {
        let mut client = Client::new(version);
        let mut server = Server::new(Some(&trust().acceptor), 65_536);
        assert_eq!(server.stream.state(), StreamState::Fresh);
        while client.tls.is_handshaking() {
            for byte in client.sent() {
                server.arrive(&[byte]);
                assert!(server.stream.state().is_incomplete() || server.stream.state().is_open());
            }
            client.receive(&std::mem::take(&mut server.kernel().taken));
        }
        client.say(b"hi");
        for byte in client.sent() {
            server.arrive(&[byte]);
        }
        assert_eq!(server.read, b"hi");
        assert_eq!(server.stream.state(), StreamState::Encrypted);
    }
}

#[test]
fn plain_text_is_refused_where_tls_is_required() {
    let mut server = Server::new(Some(&trust().strict), 65_536);
    server.arrive(b"\x00");
    assert_eq!(server.stream.state(), StreamState::Refused);
    server.say(b"use TLS");
    assert_eq!(server.kernel().taken, b"use TLS");
    let (mut client, mut server) = (Client::new(1), Server::new(Some(&trust().strict), 65_536));
    settle(&mut client, &mut server);
    assert!(!client.tls.is_handshaking());
}

#[test]
fn a_silent_peer_is_answered_in_plain_text_after_a_while() {
    let mut server = Server::new(Some(&trust().acceptor), 65_536);
    server.say(b"goodbye");
    assert!(server.is_blocked, "a handshake may be on its way");
    let Some(Layer::Fresh(fresh)) = server.stream.layer.as_deref_mut() else {
        panic!("it is fresh")
    };
    fresh.since = Instant::now().checked_sub(SILENCE).expect("the machine has run for a while");
    server.writable();
    assert_eq!(server.kernel().taken, b"goodbye");
    assert_eq!(server.stream.state(), StreamState::Fresh);
}

#[test]
fn what_was_to_be_said_before_the_handshake_comes_after_it() {
    let (mut client, mut server) = (Client::new(1), Server::new(Some(&trust().acceptor), 65_536));
    server.say(b"the server is full");
    settle(&mut client, &mut server);
    assert_eq!(client.read, b"the server is full");
}

#[test]
fn an_end_in_the_same_segment_as_the_last_words_is_found() {
    for version in [0, 1] {
        let (mut client, mut server) = shaken(version);
        client.say(b"bye");
        client.tls.send_close_notify();
        let sent = client.sent();
        // No separate event announces the end.
        server.arrive(&sent);
        assert_eq!(server.read, b"bye");
        assert_eq!(server.end, Some(Ok(())));
    }
}

#[test]
fn an_end_without_close_notify_is_an_end() {
    let (mut client, mut server) = shaken(1);
    client.say(b"bye");
    server.kernel().peer_ended = true;
    server.arrive(&client.sent());
    assert_eq!((&*server.read, server.end), (&b"bye"[..], Some(Ok(()))));
}

#[test]
fn a_record_that_was_tampered_with_ends_the_stream_after_what_was_good() {
    let (mut client, mut server) = shaken(1);
    client.say(b"good");
    let mut sent = client.sent();
    client.say(b"bad");
    sent.extend(client.sent());
    *sent.last_mut().expect("there is some") ^= 1;
    server.arrive(&sent);
    assert_eq!(server.read, b"good");
    assert_eq!(server.end, Some(Err(ErrorKind::InvalidData)));
    assert!(!server.kernel().taken.is_empty(), "an alert");
}

#[test]
fn the_end_waits_for_a_full_kernel() {
    let (mut client, mut server) = shaken(1);
    server.kernel().room = 0;
    server.stream.shutdown_write().expect("the rest is for later");
    assert!(!server.kernel().ended);
    assert_eq!(server.stream.state(), StreamState::Partial);
    server.kernel().room = 10;
    server.writable();
    assert!(!server.kernel().ended);
    server.kernel().room = 100;
    server.writable();
    assert!(server.kernel().ended);
    settle(&mut client, &mut server);
    assert!(client.has_ended);
}

#[test]
fn certificates_are_replaced_for_new_streams_alone() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let first = TlsConfig::from_pem(certificate.as_bytes(), key.as_bytes()).expect("a pair");
    let acceptor = Arc::new(Acceptor::new(&trust().tls));
    let begun = || {
        let (mut client, mut server) = (Client::new(1), Server::new(Some(&acceptor), 65_536));
        server.arrive(&client.sent());
        (client, server)
    };
    let (mut client, mut server) = begun();
    settle(&mut client, &mut server);
    acceptor.replace(&first);
    let (mut other, mut new) = begun();
    other.tls.read_tls(&mut &*new.kernel().taken).expect("there is room");
    assert!(other.tls.process_new_packets().is_err(), "nobody trusts this one");
    acceptor.replace(&trust().tls);
    let (mut other, mut new) = begun();
    settle(&mut other, &mut new);
    for (client, server) in [(&mut client, &mut server), (&mut other, &mut new)] {
        server.say(b"hi");
        settle(client, server);
        assert_eq!(client.read, b"hi");
    }
}
