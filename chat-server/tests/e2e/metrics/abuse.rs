//! Peers of the metrics port that are slow, bad or many. Meanwhile the chat goes on, and so do scrapes.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::scrape::{ask, connect, get, scrape};
use super::start;
use crate::support::{Client, run_to_end};

/// Chats from one to the other, and a scrape.
fn all_is_well(ann: &mut Client, bob: &mut Client, metrics: SocketAddr) {
    for n in 0..20 {
        ann.chat(&format!("{n}"));
        bob.expect_chat("ann", &format!("{n}"));
    }
    scrape(metrics);
}

/// The stream ends by itself, cleanly or not.
fn ends(mut stream: TcpStream) {
    let mut rest = Vec::new();
    if let Err(e) = stream.read_to_end(&mut rest) {
        assert_eq!(e.kind(), ErrorKind::ConnectionReset, "it ends within the deadline");
    }
}

#[test]
fn slow_and_bad_and_many_peers_do_no_harm() {
    let (mut program, address, metrics) = start(&[]);
    let [mut ann, mut bob] = [(); 2].map(|()| Client::of(address));
    ann.be("ann");
    let room = ann.enter_new("room");
    bob.enter(room);
    let descriptors = scrape(metrics).value("process_open_fds");

    let mut slow: Vec<_> = (0..40).map(|_| connect(metrics)).collect();
    for stream in &mut slow {
        // One that is not among the last has been let go of, which the kernel may tell here.
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
        // It may be answered, and closed, before all of it is sent.
        let _ = stream.write_all(&bad);
        ends(stream);
        all_is_well(&mut ann, &mut bob, metrics);
    }
    // The ones that were let go of have ended, and the last ones end because they take too long.
    slow.into_iter().for_each(ends);
    program.signal("TERM");
    drop((ann, bob));
    program.expect_success();
}

#[test]
fn a_peer_that_does_not_read_its_answer_does_not_hold_up_the_end() {
    let (mut program, _, metrics) = start(&[]);
    let mut streams: Vec<_> = (0..10).map(|_| connect(metrics)).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").expect("it is read");
    }
    program.signal("TERM");
    program.expect_success();
}

#[test]
fn answers_are_http_whatever_is_asked() {
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
    // A request that comes a byte at a time is one all the same.
    let mut stream = connect(metrics);
    for byte in b"GET /health HTTP/1.1\r\n\r\n" {
        stream.write_all(&[*byte]).expect("it is read");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer and a clean end");
    assert!(answer.ends_with("\r\n\r\nserving\n"), "{answer}");
    assert_eq!(get(metrics, "/metrics").0, "HTTP/1.1 200 OK");
}

/// The names of the threads of a process.
fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there");
    let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm")).ok();
    tasks.flatten().filter_map(name).map(|name| name.trim().to_owned()).collect()
}

#[test]
fn it_costs_one_thread_and_only_if_asked_for() {
    let (program, _, metrics) = start(&[]);
    scrape(metrics);
    assert_eq!(threads(program.pid()).iter().filter(|name| *name == "chat-metrics").count(), 1);
    let (mut program, address) = crate::support::Program::listening(&[]);
    drop(Client::of(address));
    assert!(!threads(program.pid()).contains(&"chat-metrics".to_owned()));
    program.signal("TERM");
    program.expect_success();
}

#[test]
fn an_address_that_cannot_be_had_is_an_error_that_says_so() {
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
