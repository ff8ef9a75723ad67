//! Panics of the hub and of the event loop, seen from outside, over the sockets of a whole server.

use std::net::TcpStream;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::Instant;

use chat_testing::{Client, DEADLINE};

use crate::config::Config;
use crate::server::Server;
use crate::testing::faults::Fault;

/// Two members of another room and one of the same room keep talking beside connections that make the hub panic.
fn talk_beside_panics(config: Config) {
    let server = Server::bind(config).expect("the address can be had").spawn().expect("a thread");
    let connect = || {
        let mut client = Client::connect(server.address());
        client.expect_nothing();
        client
    };
    let [mut near, mut left, mut right] = [(); 3].map(|()| connect());
    let room = near.enter_new("with panics");
    let other = left.enter_new("another");
    right.enter(other);
    left.expect_code("member-entered");

    for (round, fault) in
        [Fault::HubPanics, Fault::HubPanicsAgain, Fault::HubPanics].into_iter().enumerate()
    {
        let mut faulty = connect();
        faulty.enter(room);
        near.expect_code("member-entered");
        let name = format!("user{}", round + 4);

        faulty.chat("before");
        faulty.chat(fault.trigger());
        if fault == Fault::HubPanics {
            // It may arrive with the panic or after it; either way the session has ended.
            faulty.chat("lost");
        }
        right.chat("beside");
        near.expect_chat(&name, "before");
        left.expect_chat("user3", "beside");
        faulty.expect_code("internal");
        if fault == Fault::HubPanics {
            near.expect_code("member-left");
        }
        faulty.expect_end();

        right.chat("after");
        left.expect_chat("user3", "after");
        near.expect_nothing();
    }
    server.stop();
    for client in [&mut near, &mut left, &mut right] {
        client.expect_code("server-stopping");
        client.expect_end();
    }
    drop((near, left, right));
    server.join().expect("it has delivered everything");
}

#[test]
fn c4_a_panic_on_a_worker_is_felt_by_nobody_else() {
    talk_beside_panics(Config { inline_requests: 0, ..Config::default() });
}

#[test]
fn c4_a_panic_on_the_event_loop_is_felt_by_nobody_else() {
    talk_beside_panics(Config { inline_requests: usize::MAX, ..Config::default() });
}

/// Nobody is left waiting for a server without an event loop: its connections end, nothing listens any more, and
/// whoever joins the server panics as well, which ends a program.
#[test]
fn c5_a_panic_of_the_event_loop_is_the_end_of_the_server() {
    let server = Server::bind(Config::default()).expect("the address can be had");
    let server = server.spawn().expect("a thread");
    let address = server.address();
    let [mut witness, mut faulty] = [(); 2].map(|()| Client::connect(address));
    let room = witness.enter_new("room");
    faulty.enter(room);
    faulty.chat(Fault::ReactorPanics.trigger());
    for client in [&mut witness, &mut faulty] {
        client.whatever_came();
    }
    let deadline = Instant::now() + DEADLINE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "nobody is behind this port");
        thread::yield_now();
    }
    let ended = panic::catch_unwind(AssertUnwindSafe(|| server.join()));
    assert!(ended.is_err(), "{ended:?}");
}
