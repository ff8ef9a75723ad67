//! HTTP on the server's port: the page, refusals, and the rules that requests share with frames.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use chat_server::CloseReason;

use crate::support::{
    Client, DEADLINE, Program, RunningServer, Scene, UPGRADE, frame, in_own_process, start,
    wait_until,
};

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).expect("the server listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
    stream
}

/// A connection from this address.
fn connect_from(ip: Ipv4Addr, address: SocketAddr) -> TcpStream {
    let socket = Client::prepare(address);
    socket.bind(&SocketAddr::from((ip, 0)).into()).expect("a loopback address");
    socket.connect_timeout(&address.into(), DEADLINE).expect("the server listens");
    socket.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
    socket.into()
}

/// Everything that arrives until the end of the stream.
fn bytes_to_end(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("a clean end");
    bytes
}

/// Like [`bytes_to_end`], as text.
fn rest(stream: &TcpStream) -> String {
    String::from_utf8_lossy(&bytes_to_end(stream)).into_owned()
}

/// The response to a request, until the end of the stream.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).expect("it is read");
    rest(&stream)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

#[test]
fn the_page_is_served_on_the_port_of_the_frames() {
    in_own_process(|| {
        let scene = Scene::with(|_| {});
        for path in ["/", "/style.css", "/app.js", "/icon.svg"] {
            let answer = ask(scene.address(), &get(path));
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
            assert!(answer.contains("\r\nConnection: close\r\n"), "{path}: {answer}");
        }
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::Http), 4);
    });
}

/// Cut anywhere, even within the first three bytes, and immediately followed by the end of the stream.
#[test]
fn a_request_may_come_in_any_pieces() {
    let server = start();
    for piece in [1, 2, 3, 7, 30, 1_000] {
        let stream = connect(server.address());
        for bytes in get("/").as_bytes().chunks(piece) {
            (&stream).write_all(bytes).expect("it is read");
        }
        stream.shutdown(std::net::Shutdown::Write).expect("it is open");
        assert!(rest(&stream).starts_with("HTTP/1.1 200 OK\r\n"), "in pieces of {piece}");
    }
}

/// Frames inside or after a request are not carried out, wherever they begin.
#[test]
fn p8_nothing_behind_a_request_is_carried_out() {
    let server = start();
    let mut watcher = server.client();
    let create = frame(r#"{"type":"CSCreateRoom","title":"smuggled"}"#).repeat(1_000);
    let create = String::from_utf8(create).expect("short lengths are ASCII");
    let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n";
    for (request, status) in [
        (get("/"), "200"),
        (get("/nothing"), "404"),
        (post.to_owned(), "405"),
        (UPGRADE.to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\n{}", "x".repeat(9_000)), "431"),
    ] {
        let answer = ask(server.address(), &format!("{request}{create}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
        assert_eq!(watcher.rooms(), [], "{status}");
    }
    // The length that `GE` would mean in the header of a frame ends here.
    let long = format!("{:x<1$}", get("/nothing"), 2 + usize::from(u16::from_be_bytes(*b"GE")));
    assert!(ask(server.address(), &format!("{long}{create}")).starts_with("HTTP/1.1 404 "));
    assert_eq!(watcher.rooms(), []);
}

/// A request has as much time as a frame.
#[test]
fn p6_a_request_that_does_not_end_is_answered_in_time() {
    in_own_process(|| {
        let scene = Scene::with(|config| config.limits.frame_timeout = Duration::from_millis(300));
        for request in ["GET", "GET / HTTP/1.1\r\nHost: loc", "GET / HTTP/1.1\r\nHost: a\r\n\r"] {
            let answer = ask(scene.address(), request);
            assert!(answer.starts_with("HTTP/1.1 408 "), "{request:?}: {answer}");
        }
        let (_, stats) = scene.finish();
        assert_eq!(stats.closed.count(CloseReason::FrameTimeout), 3);
    });
}

/// A frame may have the length that the first bytes of a request would mean, if its third byte begins JSON.
#[test]
fn a_frame_whose_length_looks_like_a_request_is_a_frame() {
    let server = start();
    for header in [*b"GE", *b"PO", *b"PU", *b"HE", *b"OP"] {
        let len = usize::from(u16::from_be_bytes(header));
        let payload = format!("{:<len$}", r#"{"type":"CSRooms"}"#);
        let mut client = Client::connect(server.address());
        client.send_raw(&[&header[..], payload.as_bytes()].concat());
        assert_eq!(client.expect_rooms(), []);
    }
}

#[test]
fn a_server_without_browsers_answers_them_as_strangers() {
    for flag in ["--no-web", "--web=off"] {
        let (program, address) = Program::listening(&[flag]);
        for request in [&*get("/"), UPGRADE] {
            let mut client = Client::connect(address);
            client.send_raw(request.as_bytes());
            client.expect_code("bad-request");
            client.expect_end();
        }
        program.stop();
    }
}

#[test]
fn the_program_says_what_to_open_and_knows_the_names_it_is_told() {
    let (program, address) = Program::listening(&["--web-host=chat.example.org,other.example"]);
    assert_eq!(program.next_line(), format!("open http://{address}/"));
    for (host, status) in
        [("chat.example.org", 200), ("other.example", 200), ("third.example", 421)]
    {
        let answer = ask(address, &format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
    program.stop();
}

/// A proxy's header precedes a request, as it does frames.
#[test]
fn a11_a_proxy_may_connect_for_a_browser() {
    let server = RunningServer::with(|config| {
        config.proxy_from = vec!["127.0.0.9".parse().expect("a network")];
    });
    let stream = connect_from(Ipv4Addr::new(127, 0, 0, 9), server.address());
    let request = format!("PROXY TCP4 203.0.113.9 192.0.2.1 7 80\r\n{}", get("/"));
    (&stream).write_all(request.as_bytes()).expect("it is read");
    assert!(rest(&stream).starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a11_a_browser_is_refused_by_http_behind_a_proxy_too() {
    let server = RunningServer::with(|config| {
        config.proxy_from = vec!["127.0.0.9".parse().expect("a network")];
        config.limits.connections = 1;
    });
    let mut only = server.client();
    let stream = connect_from(Ipv4Addr::new(127, 0, 0, 9), server.address());
    let request = format!("PROXY TCP4 203.0.113.9 192.0.2.1 7 80\r\n{}", get("/"));
    (&stream).write_all(request.as_bytes()).expect("it is read");
    let answer = rest(&stream);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    only.expect_nothing();
}

#[test]
fn a_browser_in_the_middle_of_a_request_is_told_that_the_server_stops() {
    let server = start();
    let asking = connect(server.address());
    (&asking).write_all(b"GET / HTTP/1.1\r\n").expect("it is read");
    // When this is answered, the request has been read.
    server.client().expect_nothing();
    server.stop();
    assert!(rest(&asking).starts_with("HTTP/1.1 503 "));
}

/// Its first bytes tell it from a plain client, which waits for the server to speak.
#[test]
fn a_refused_browser_is_told_so_by_http() {
    in_own_process(|| {
        for (limit, status, reason) in [
            ("connections", 503, CloseReason::ServerFull),
            ("connections_per_address", 429, CloseReason::TooManyFromAddress),
        ] {
            let server = RunningServer::with(|config| match limit {
                "connections" => config.limits.connections = 1,
                _ => config.limits.connections_per_address = 1,
            });
            let mut only = server.client();
            for request in [&*get("/"), UPGRADE, "GET / HTTP/1.1\r\nHo"] {
                let answer = ask(server.address(), request);
                assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
                assert!(answer.contains("as many connections as it may have"), "{answer}");
            }
            let code = if status == 503 { "server-full" } else { "too-many-from-address" };
            for said in [&b""[..], b"\0", &frame(r#"{"type":"CSRooms"}"#)] {
                let mut client = Client::connect(server.address());
                client.send_raw(said);
                client.expect_code(code);
                client.expect_end();
            }
            // It says nothing before it ends its stream.
            let silent = connect(server.address());
            silent.shutdown(std::net::Shutdown::Write).expect("it is open");
            assert!(rest(&silent).contains(code));
            wait_until("all are counted", || server.stats().closed.count(reason) == 7);
            only.expect_nothing();
        }
    });
}
