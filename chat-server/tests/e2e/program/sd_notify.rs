//! Notifications to a service manager (sd_notify).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::support::{Client, DEADLINE, Program};

/// The socket of a service manager.
struct Manager(UnixDatagram);

impl Manager {
    fn at(address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).expect("an address of its own");
        socket.set_read_timeout(Some(DEADLINE)).expect("it is not zero");
        Self(socket)
    }

    fn expect(&self, state: &str) {
        let mut datagram = [0; 256];
        let len = self.0.recv(&mut datagram).expect("a datagram");
        let text = String::from_utf8_lossy(&datagram[..len]);
        assert!(text.lines().any(|line| line == state), "{state} expected: {text:?}");
    }
}

/// A program that reports to `socket`.
fn start(socket: &str, args: &[&str]) -> Program {
    let before = format!("export NOTIFY_SOCKET='{socket}'; ");
    Program::start_by_shell(&before, &[&["--port=0"], args].concat(), "")
}

/// Checks that the program reports that it listens and, on being stopped, that it is stopping, before all clients are
/// gone.
fn check_told(manager: &Manager, socket: &str, stop: impl Fn(&Program, &mut Client)) {
    let mut program = start(socket, &[]);
    manager.expect("READY=1");
    let address = program.address();
    // A client that does not close its side, so that the stop has to wait for it.
    let mut client = Client::of(address);
    stop(&program, &mut client);
    manager.expect("STOPPING=1");
    client.expect_code("server-stopping");
    drop(client);
    program.expect_success();
}

#[test]
fn a_service_manager_is_told_about_start_and_stop() {
    let path = std::env::temp_dir().join(format!("chat-notify-{}", std::process::id()));
    let manager = Manager::at(&SocketAddr::from_pathname(&path).expect("it is short enough"));
    check_told(&manager, &path.to_string_lossy(), |program, _| program.signal("TERM"));
    check_told(&manager, &path.to_string_lossy(), |_, client| client.shutdown());
    std::fs::remove_file(&path).expect("the socket is there");
}

#[test]
fn a_service_manager_at_an_abstract_socket_is_told() {
    let name = format!("chat-notify-{}", std::process::id());
    let manager = Manager::at(&SocketAddr::from_abstract_name(&name).expect("it is short enough"));
    check_told(&manager, &format!("@{name}"), |program, _| program.signal("INT"));
}

#[test]
fn a_missing_service_manager_is_logged_and_does_no_harm() {
    for socket in ["/nonexistent/socket", "relative", &format!("@{}", "x".repeat(200))] {
        let mut program = start(socket, &["--log=warn"]);
        Client::of(program.address()).enter_new("room");
        program.signal("TERM");
        let (code, _, log) = program.wait();
        assert_eq!(code, Some(0), "{socket}: {log}");
        assert!(log.contains("NOTIFY_SOCKET"), "{socket}: {log}");
    }
}
