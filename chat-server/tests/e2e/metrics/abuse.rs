//! Slow, bad and many peers on the metrics port, while chat and scrapes continue.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::scrape::{ask, connect, get, scrape};
use super::start;
use crate::support::{Client, Program, run_to_end};

/// Checks that a chat from one member to the other works, and so does a scrape.
fn all_is_well(ann: &mut Client, bob: &mut Client, metrics: SocketAddr) {
    for n in 0..20 {
        ann.chat(&format!("{n}"));
        bob.expect_chat("ann", &format!("{n}"));
    }
    scrape(metrics);
}

/// Checks that the stream ends before the deadline, cleanly or not.
fn ends(mut stream: TcpStream) {
    let mut rest = Vec::new();
    if let Err(e) = stream.read_to_end(&mut rest) {
        assert_eq!(e.kind(), ErrorKind::ConnectionReset, "it ends within the deadline");
    }
}

#[test]
fn slow_bad_and_many_scrapers_do_no_harm() {
    let (mut program, address, metrics) = start(&[]);
    let [mut ann, mut bob] = [(); 2].map(|()| Client::of(address));
    ann.be("ann");
    let room = ann.enter_new("room");
    bob.enter(room);
    let descriptors = scrape(metrics).value("process_open_fds");

    let mut slow: Vec<_> = (0..40).map(|_| connect(metrics)).collect();
    for stream in &mut slow {
        // The server keeps only the latest connections; here, the kernel may report that one is gone.
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a");
        all_is_well(&mut ann, &mut bob, metrics);
    }
    let open = scrape(metrics).value("process_open_fds");
    assert!(open <= descriptors + 16.0, "{open} descriptors, {descriptors} before");

    for bad in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"GET /metrics\r\n\r\n".to_vec(),
        b"\0\x12{\"type\":\"CSRooms\"}".to_vec(),
        vec![b'\n'; 100_000],
        vec![b'x'; 100_000],
        [&b"GET /metrics HTTP/1.1\r\nX: "[..], &vec![b'x'; 8 * 1024]].concat(),
        [&b"GET /metrics HTTP/1.1\r\n"[..], &b"X: x\r\n".repeat(65)[..], b"\r\n"].concat(),
        [&b"POST /metrics HTTP/1.1\r\n\r\n"[..], &vec![0; 1 << 20]].concat(),
    ] {
        let mut stream = connect(metrics);
        // The server may answer and close before all of it is sent.
        let _ = stream.write_all(&bad);
        ends(stream);
        all_is_well(&mut ann, &mut bob, metrics);
    }
    // The dropped connections have ended, and the latest ones time out.
    slow.into_iter().for_each(ends);
    program.signal("TERM");
    drop((ann, bob));
    program.expect_success();
}

#[test]
fn a_scraper_that_never_reads_does_not_delay_the_stop() {
    let (program, _, metrics) = start(&[]);
    let mut streams: Vec<_> = (0..10).map(|_| connect(metrics)).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").expect("it is read");
    }
    program.stop();
}

#[test]
fn every_request_gets_an_http_response() {
    let (_program, _, metrics) = start(&[]);
    for (request, status) in [
        ("GET /metrics?format=x HTTP/1.0\r\n\r\n", "200 OK"),
        ("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK"),
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("DELETE /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        ("hello\r\n\r\n", "400 Bad Request"),
    ] {
        let answer = ask(metrics, request.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:?}: {answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert_eq!(answer.ends_with("\r\n\r\n"), request.starts_with("HEAD"), "{answer}");
    }
    // A request that arrives byte by byte is a request.
    let mut stream = connect(metrics);
    for byte in b"GET /health HTTP/1.1\r\n\r\n" {
        stream.write_all(&[*byte]).expect("it is read");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer and a clean end");
    assert!(answer.ends_with("\r\n\r\nserving\n"), "{answer}");
    assert_eq!(get(metrics, "/metrics").0, "HTTP/1.1 200 OK");
}

#[test]
fn metrics_cost_one_thread_and_only_if_enabled() {
    let (program, _, metrics) = start(&[]);
    scrape(metrics);
    assert_eq!(program.threads("chat-metrics"), 1);
    let (program, address) = Program::listening(&[]);
    drop(Client::of(address));
    assert_eq!(program.threads("chat-metrics"), 0);
    program.stop();
}

#[test]
fn a_metrics_address_that_is_taken_is_an_error() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("it is bound").to_string();
    let (code, output, errors) = run_to_end(&["--port=0", "--metrics", &taken]);
    assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
    assert!(errors.contains(&taken) && errors.contains("--metrics"), "{errors}");
    assert!(errors.contains("another program listens there"), "{errors}");
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
    for wrong in ["9464", "localhost:9464", "127.0.0.1", ""] {
        let (code, output, errors) = run_to_end(&["--port=0", &format!("--metrics={wrong}")]);
        assert_eq!((code, output.as_str()), (Some(2), ""), "{errors}");
        assert!(errors.contains("--metrics") && errors.contains("127.0.0.1:9464"), "{errors}");
    }
}
