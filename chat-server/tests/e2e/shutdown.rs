//! How the server stops, and who may stop it: everything accepted is delivered, the server says goodbye, and each
//! stream ends cleanly.

use std::iter;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::Duration;

use chat_server::{Config, Server, ShutdownFrom};

use crate::support::{Client, Program, RunningServer, chats, each_way, frame, own_ip, start};

const CHATS: usize = 300;

/// Checks that the client receives all chats, the goodbye and the end.
fn expect_all_and_goodbye(client: &mut Client, member: &str) {
    for n in 0..CHATS {
        client.expect_chat(member, &n.to_string());
    }
    client.expect_code("server-stopping");
    client.expect_end();
}

/// A talker in its room, with members that read nothing until the test says so.
fn talker_and_members(address: SocketAddr) -> (Client, Vec<Client>) {
    let mut talker = Client::of(address);
    let room = talker.enter_new("room");
    talker.be("talker");
    let mut members = Vec::<Client>::new();
    for _ in 0..5 {
        let mut entering = Client::of(address);
        entering.enter(room);
        for member in members.iter_mut().chain([&mut talker]) {
            member.expect_code("member-entered");
        }
        members.push(entering);
    }
    (talker, members)
}

#[test]
fn a4_a_signal_stops_the_program_after_delivery() {
    for (signal, worker) in [("TERM", "--worker=1"), ("INT", "--worker=8")] {
        let (mut program, address) = Program::listening_alone(&[worker]);
        let (mut talker, mut members) = talker_and_members(address);
        let mut outside = Client::of(address);
        talker.send_raw(&chats(0..CHATS));
        talker.expect_nothing(); // All of it has been accepted.
        program.signal(signal);
        for member in &mut members {
            expect_all_and_goodbye(member, "talker");
        }
        for client in [&mut talker, &mut outside] {
            client.expect_code("server-stopping");
            client.expect_end();
        }
        drop((talker, members, outside));
        program.expect_success();
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }
}

#[test]
fn a5_a_second_signal_ends_the_program_at_once() {
    for (first, second, status, lang, words) in [
        ("TERM", "TERM", 128 + 15, "en", "second signal, SIGTERM"),
        ("INT", "INT", 128 + 2, "en", "second signal, SIGINT"),
        ("INT", "TERM", 128 + 15, "ko", "시그널이 또 왔어요 (SIGTERM)"),
    ] {
        let (mut program, address) = Program::listening(&["--lang", lang]);
        // A client that neither reads nor closes: the stop has to wait for it.
        let holding = Client::of(address);
        let mut watcher = Client::of(address);
        program.signal(first);
        watcher.expect_code("server-stopping");
        let (code, output, errors) = program.signal_until_it_ends(second);
        assert_eq!((code, output), (Some(status), Vec::new()));
        assert!(errors.contains(words), "{errors}");
        drop(holding);
    }
}

#[test]
fn o14_signals_at_once_are_one_wish() {
    for signals in [&["TERM", "TERM"][..], &["TERM", "INT", "HUP", "TERM"], &["INT", "INT", "INT"]]
    {
        let (mut program, address) = Program::listening(&[]);
        // The stop has to wait for it, long enough for all the signals.
        let mut holding = Client::of(address);
        let pid = program.pid().to_string();
        // One command sends all of them as fast as possible.
        let kills = signals.iter().map(|signal| format!("kill -{signal} {pid}"));
        let kills = kills.collect::<Vec<_>>().join("; ");
        assert!(
            Command::new("sh").args(["-c", &kills]).status().expect("there is a shell").success()
        );
        holding.expect_code("server-stopping");
        holding.expect_end();
        drop(holding);
        program.expect_success();
    }
}

#[test]
fn a4_a_server_without_connections_stops() {
    let (program, _) = Program::listening(&[]);
    program.stop();

    let mut server = start();
    server.stop();
    server.join();

    let server = Server::bind(Config::default()).expect("a free port");
    server.controller().stop();
    RunningServer::of(server.spawn().expect("a thread")).join();
}

#[test]
fn the_configuration_says_who_may_stop_the_server() {
    for (who, may) in [
        (ShutdownFrom::Anyone, true),
        (ShutdownFrom::Loopback, true),
        (ShutdownFrom::Nobody, false),
    ] {
        let mut server = RunningServer::with(|config| config.shutdown_from = who);
        let [mut asking, mut other] = server.clients();
        other.enter_new("room");
        asking.shutdown();
        if may {
            asking.expect_code("server-stopping");
            asking.expect_end();
            other.expect_code("server-stopping");
            drop((asking, other));
            server.join();
        } else {
            asking.expect_code("shutdown-refused");
            assert_eq!(asking.rooms().len(), 1, "and life goes on");
            other.expect_nothing();
        }
    }
}

#[test]
fn stopping_from_many_threads_is_one_stop() {
    each_way(|server| {
        let (mut talker, mut members) = talker_and_members(server.address());
        talker.send_raw(&chats(0..CHATS));
        talker.expect_nothing();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    server.stop();
                    server.stop();
                });
            }
        });
        for member in &mut members {
            expect_all_and_goodbye(member, "talker");
        }
        talker.expect_code("server-stopping");
        talker.expect_end();
    });
}

/// The server reads what a talker sends in one write at once, if it fits a turn. So it accepts either all or nothing
/// of it before the stop, however much of it is still with the workers then.
#[test]
fn commands_read_before_the_stop_are_all_carried_out() {
    const EACH: usize = 60;
    for workers in [1, 2, 8] {
        let mut server = RunningServer::with(|config| {
            config.workers = workers;
            config.inline_requests = 0;
            // Nobody waits for this: half-closed clients do not delay the stop.
            config.limits.linger = Duration::from_secs(60);
        });
        let mut talkers: [Client; 40] = server.clients();
        let mut listeners: [Client; 40] = server.clients();
        let mut late: [Client; 4] = server.clients();
        for (talker, listener) in talkers.iter_mut().zip(&mut listeners) {
            listener.enter(talker.enter_new("room"));
        }
        let chats = chats(0..EACH);
        assert!(chats.len() < 8 * 1024, "one segment");
        for talker in &mut talkers {
            talker.send_raw(&chats);
        }
        assert_eq!(listeners[0].receive().text, "0");
        server.stop();
        for client in &mut late {
            client.send(r#"{"type":"CSLeaveRoom"}"#);
            client.end_sending();
        }
        for (index, listener) in listeners.iter_mut().enumerate() {
            let first = usize::from(index == 0);
            let messages: Vec<_> = iter::from_fn(|| listener.next_payload()).collect();
            let (_, chats) = messages.split_last().expect("there is at least the goodbye");
            assert!(chats.is_empty() || first + chats.len() == EACH, "{}", chats.len());
        }
        for mut client in late {
            // The server saw its command and its end either before or after the stop began.
            let codes: Vec<_> = client.whatever_came().into_iter().filter_map(|m| m.code).collect();
            let codes: Vec<_> = codes.iter().map(String::as_str).collect();
            let possible =
                [&["not-in-room"][..], &["not-in-room", "server-stopping"], &["server-stopping"]];
            assert!(possible.contains(&&codes[..]), "{codes:?}");
        }
        drop((talkers, listeners));
        server.join();
    }
}

#[test]
fn the_goodbye_reaches_a_client_that_floods() {
    let (mut program, address) = Program::listening(&[]);
    let mut client = Client::of(address);
    let mut watcher = Client::of(address);
    program.signal("TERM");
    watcher.expect_code("server-stopping");
    client.send_raw(&frame(r#"{"type":"CSRooms"}"#).repeat(100_000));
    client.expect_code("server-stopping");
    client.expect_end();
    drop((client, watcher));
    program.expect_success();
}

#[test]
fn a7_the_port_is_free_once_the_server_has_ended() {
    let mut server = RunningServer::with(|config| config.address = (own_ip(), 0).into());
    let address = server.address();
    for _ in 0..5 {
        let [mut a, b] = server.clients();
        a.enter_new("room");
        server.stop();
        a.expect_code("server-stopping");
        a.expect_end();
        drop((a, b));
        server.join();
        server = RunningServer::with(|config| config.address = address);
    }
    server.client().enter_new("room");

    // A server that never ran frees its port as well.
    let mut config = Config::default();
    config.address = (own_ip(), 0).into();
    let bound = Server::bind(config).expect("a free port");
    let address = bound.address();
    drop(bound);
    TcpListener::bind(address).expect("nobody listens there");
}

#[test]
fn a7_a_killed_program_restarts_at_once() {
    let (mut program, address) = Program::listening_alone(&[]);
    let mut clients: Vec<_> = (0..5).map(|_| Client::of(address)).collect();
    clients[0].enter_new("room");
    program.signal("KILL");
    assert_eq!(program.wait().0, None, "it was killed");
    let [ip, port] = [format!("--ip={}", address.ip()), format!("--port={}", address.port())];
    let again = Program::start(&[&ip, &port]);
    assert_eq!(again.address(), address);
    Client::of(address).enter_new("room");
    again.stop();
}

#[test]
fn a11_a_client_at_an_address_of_this_machine_may_stop_the_server() {
    // Finds this machine's address towards the rest of the world. No packet is sent.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
    let own = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    let Some(own) = own.ok().map(|own| own.ip()).filter(|own| !own.is_loopback()) else {
        println!("skipped: this machine has no address but loopback");
        return;
    };
    for ip in [own, Ipv4Addr::UNSPECIFIED.into()] {
        let mut server = RunningServer::with(|config| config.address.set_ip(ip));
        let mut client = Client::connect((own, server.address().port()).into());
        client.shutdown();
        client.expect_code("server-stopping");
        drop(client);
        server.join();
    }
}
