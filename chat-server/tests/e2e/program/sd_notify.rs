//! What a service manager is told (sd_notify).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::support::{Client, DEADLINE, Program};

struct Manager(UnixDatagram);

impl Manager {
    fn at(address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).expect("nobody else has this address");
        socket.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
        Self(socket)
    }

    fn expect(&self, state: &str) {
        let mut datagram = [0; 256];
        let len = self.0.recv(&mut datagram).expect("it is told something");
        let text = String::from_utf8_lossy(&datagram[..len]);
        assert!(text.lines().any(|line| line == state), "{state} expected: {text:?}");
    }
}

/// A program that is to tell `socket` how it is.
fn start(socket: &str, args: &[&str]) -> Program {
    let before = format!("export NOTIFY_SOCKET='{socket}'; ");
    Program::start_by_shell(&before, &[&["--port=0"], args].concat(), "")
}

/// The program says when it listens and, once asked to stop, that it stops, before everything has been
/// delivered.
fn check_told(manager: &Manager, socket: &str, stop: impl Fn(&Program, &mut Client)) {
    let mut program = start(socket, &[]);
    manager.expect("READY=1");
    let address = program.address();
    // It does not close its side: the stop has to wait for it.
    let mut client = Client::of(address);
    stop(&program, &mut client);
    manager.expect("STOPPING=1");
    client.expect_code("server-stopping");
    drop(client);
    program.expect_success();
}

#[test]
fn a_manager_is_told_of_the_start_and_of_the_stop() {
    let path = std::env::temp_dir().join(format!("chat-notify-{}", std::process::id()));
    let manager = Manager::at(&SocketAddr::from_pathname(&path).expect("it is short enough"));
    check_told(&manager, &path.to_string_lossy(), |program, _| program.signal("TERM"));
    check_told(&manager, &path.to_string_lossy(), |_, client| client.shutdown());
    std::fs::remove_file(&path).expect("it is there");
}

#[test]
fn a_manager_without_a_file_is_told_too() {
    let name = format!("chat-notify-{}", std::process::id());
    let manager = Manager::at(&SocketAddr::from_abstract_name(&name).expect("it is short enough"));
    check_told(&manager, &format!("@{name}"), |program, _| program.signal("INT"));
}

#[test]
fn a_manager_that_is_not_there_is_warned_of_and_no_reason_not_to_serve() {
    for socket in ["/nonexistent/socket", "relative", &format!("@{}", "x".repeat(200))] {
        let mut program = start(socket, &["--log=warn"]);
        Client::of(program.address()).enter_new("room");
        program.signal("TERM");
        let (code, _, log) = program.wait();
        assert_eq!(code, Some(0), "{socket}: {log}");
        assert!(log.contains("NOTIFY_SOCKET"), "{socket}: {log}");
    }
}
