//! Connections through a proxy, with and without the PROXY header that names the client: A11.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chat_server::{CloseReason, Config, Event, Server, ShutdownFrom};

use crate::support::{
    Client, DEADLINE, Program, RunningServer, Scene, connect_when_let_in, frame, in_own_process,
    wait_until,
};

/// The address of the proxy. The witnesses are at 127.0.0.1.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

const HEADER: &[u8] = b"PROXY TCP4 203.0.113.9 192.0.2.1 7 80\r\n";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Trusts the proxy to name its clients.
fn trust(config: &mut Config) {
    config.proxy_from = vec!["127.0.0.9".parse().expect("a network")];
}

fn from_proxy(address: SocketAddr) -> Client {
    Client::connect_from(PROXY, address)
}

/// A header of version 2 for an IPv4 client, with a kilobyte of extensions.
fn v2(source: [u8; 4]) -> Vec<u8> {
    let rest = [&source[..], &[192, 0, 2, 1, 0, 7, 0, 80], &[4, 3, 253], &[0; 1021]].concat();
    let len = u16::try_from(rest.len()).expect("it is short");
    [SIGNATURE, &[0x21, 0x11], &len.to_be_bytes(), &rest].concat()
}

#[test]
fn a11_a_header_says_for_whom_a_proxy_connects_however_it_is_cut() {
    in_own_process(|| {
        let scene = Scene::with(trust);
        let local = [SIGNATURE, b"\x20\0\0\0"].concat();
        for header in [HEADER, &v2([203, 0, 113, 9]), b"PROXY UNKNOWN what ever\r\n", &local] {
            let create = frame(r#"{"type":"CSCreateRoom","title":"behind a proxy"}"#);
            let stream = [header, &create].concat();
            for piece in [1, 2, 13, header.len() - 1, header.len(), stream.len()] {
                let mut client = from_proxy(scene.address());
                for piece in stream.chunks(piece) {
                    client.send_raw(piece);
                }
                client.expect_code("room-created");
                client.leave();
                client.expect_code("room-left");
            }
            // A second header is not a frame.
            let mut client = from_proxy(scene.address());
            client.send_raw(&[header, HEADER].concat());
            assert!(!client.whatever_came().is_empty(), "the answer says why");
        }
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::BadInput), 4);
        assert_eq!(stats.closed.count(CloseReason::BadProxyHeader), 0);
    });
}

#[test]
fn a11_a_proxy_without_a_header_and_a_header_without_a_proxy_are_refused() {
    in_own_process(|| {
        let scene = Scene::with(trust);
        let create = frame(r#"{"type":"CSCreateRoom","title":"never"}"#);
        let bad = [b"PROXY TCP4 203.0.113.9 192.0.2.1 7 080\r\n", &create[..]].concat();
        for stream in [&create[..], &bad, b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n\0\r\nQUIT\n\x31"] {
            let mut client = from_proxy(scene.address());
            client.send_raw(stream);
            client.expect_code("proxy-header-expected");
            client.expect_end();
        }
        for header in [HEADER, &v2([203, 0, 113, 9])] {
            let mut client = Client::connect(scene.address());
            client.send_raw(&[header, &create].concat());
            assert!(
                client.whatever_came().iter().all(|message| message.code.is_some()),
                "an error"
            );
        }
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::BadProxyHeader), 4);
        assert_eq!(stats.closed.count(CloseReason::BadInput), 2);
    });
}

#[test]
fn a11_a_header_that_does_not_come_is_waited_for_as_long_as_a_frame() {
    in_own_process(|| {
        let scene = Scene::with(|config| {
            trust(config);
            config.limits.frame_timeout = Duration::from_millis(300);
        });
        let mut silent = from_proxy(scene.address());
        let mut drips = from_proxy(scene.address());
        // Bytes that keep dripping earn no more time.
        drips.send_raw(&[SIGNATURE, b"\x21\0\xff\xff"].concat());
        wait_until("the time is over", || {
            drips.try_send_raw(b"x");
            scene.stats().closed.count(CloseReason::FrameTimeout) == 2
        });
        silent.expect_code("frame-timeout");
        drop((silent, drips));
        // Health checks do this, and so do proxies whose client is gone.
        drop(from_proxy(scene.address()));
        let mut half = from_proxy(scene.address());
        half.send_raw(&HEADER[..20]);
        drop(half);
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::PeerEndedInFrame), 1);
        assert!(stats.closed.count(CloseReason::PeerEnded) >= 1);
    });
}

#[test]
fn a11_limits_and_events_go_by_the_address_in_the_header() {
    let mut config = Config::default();
    trust(&mut config);
    config.limits.connections_per_address = 1;
    let mut server = Server::bind(config).expect("a free port");
    let events = server.observe(100);
    let server = RunningServer::of(server.spawn().expect("a thread"));
    let connect = |last| {
        let mut client = from_proxy(server.address());
        client.send_raw(&v2([203, 0, 113, last]));
        client
    };
    let [mut first, mut other] = [connect(1), connect(2)];
    for (client, last) in [(&mut first, 1), (&mut other, 2)] {
        assert_eq!(client.rooms(), []);
        let connected = events.recv_timeout(DEADLINE).expect("an event");
        let Event::Connected { address, .. } = connected else { panic!("{connected:?}") };
        assert_eq!(address.ip(), IpAddr::from([203, 0, 113, last]));
    }
    connect(1).expect_code("too-many-from-address");
    drop(first);
    drop(connect_when_let_in(|| connect(1)));
    drop(other);
}

#[test]
fn a11_connections_that_wait_for_a_header_count_and_are_told_of_the_stop() {
    let mut server = RunningServer::with(|config| {
        trust(config);
        config.limits.connections = 3;
        // None waits for its header in order to be refused.
        config.limits.refused_connections = 1;
    });
    let mut waiting: Vec<_> = (0..3).map(|_| from_proxy(server.address())).collect();
    from_proxy(server.address()).expect_code("server-full");
    waiting.pop();
    let mut client = connect_when_let_in(|| {
        let mut client = from_proxy(server.address());
        client.send_raw(HEADER);
        client
    });
    server.stop();
    for client in waiting.iter_mut().chain([&mut client]) {
        client.expect_code("server-stopping");
        client.expect_end();
    }
    drop((waiting, client));
    server.join();
}

#[test]
fn a11_a_client_of_a_proxy_on_this_machine_may_not_stop_the_server() {
    let unknown = [SIGNATURE, b"\x21\0\0\0"].concat();
    let local = [SIGNATURE, b"\x20\0\0\0"].concat();
    let here = b"PROXY TCP4 127.0.0.1 127.0.0.1 7 80\r\n";
    for (header, may) in [
        (HEADER, false),
        (b"PROXY UNKNOWN\r\n", false),
        (&unknown, false),
        (&local, false),
        (&v2([203, 0, 113, 9]), false),
        // The address of this machine that the client connected to.
        (b"PROXY TCP4 192.0.2.1 192.0.2.1 7 80\r\n", true),
        (here, true),
    ] {
        let mut server = RunningServer::with(trust);
        let mut client = from_proxy(server.address());
        client.send_raw(header);
        client.shutdown();
        if may {
            client.expect_code("server-stopping");
            drop(client);
            server.join();
        } else {
            client.expect_code("shutdown-refused");
        }
    }
    let server = RunningServer::with(|config| {
        trust(config);
        config.shutdown_from = ShutdownFrom::Nobody;
    });
    let mut client = from_proxy(server.address());
    client.send_raw(here);
    client.shutdown();
    client.expect_code("shutdown-refused");
}

#[test]
fn a11_the_log_shows_the_address_in_the_header() {
    let args = ["--log=debug", "--proxy-from=192.0.2.0/24", "--proxy-from=127.0.0.9"];
    let (mut program, address) = Program::listening(&args);
    let mut client = from_proxy(address);
    client.send_raw(b"PROXY TCP6 ::ffff:203.0.113.9 ::1 7 80\r\n");
    assert_eq!(client.rooms(), []);
    drop(client);
    let mut wrong = from_proxy(address);
    wrong.send_raw(b"\0\x02{}");
    wrong.expect_code("proxy-header-expected");
    drop(wrong);
    program.signal("TERM");
    let (code, _, log) = program.wait();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches("peer=203.0.113.9:7").count(), 2, "accepted and closed: {log}");
    let warned = |line: &str| line.contains("WARN") && line.contains("peer=127.0.0.9:");
    assert!(log.lines().any(|line| warned(line) && line.contains("bad-proxy-header")), "{log}");
}
