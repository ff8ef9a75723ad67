//! The server as a program, at an address that it keeps across restarts.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::process::{Pid, Signal, kill_process};

/// A browser on a busy machine may be slower than the slowest reader that a server keeps by default.
const PATIENCE: [&str; 2] = ["--limit=backlog=64MiB", "--limit=slow-backlog-time=24h"];

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    /// Starts a server without a limit on the rate of commands, which is patient with slow readers.
    pub(crate) fn start() -> Self {
        static LAST: AtomicU8 = AtomicU8::new(0);
        let [.., high, low] = std::process::id().to_be_bytes();
        // At this address, nobody else takes a port between two uses.
        let ip = Ipv4Addr::new(127, 128 | high, low, LAST.fetch_add(1, Ordering::Relaxed) + 1);
        Self::start_at((ip, 0).into())
    }

    fn start_at(address: SocketAddr) -> Self {
        let (ip, port) = (address.ip(), address.port());
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat-server"))
            .args([&format!("--ip={ip}"), &format!("--port={port}"), "--rate=0", "--log=error"])
            .args(PATIENCE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built");
        let mut first = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut first).expect("it prints a line");
        let address = first.trim_end().strip_prefix("listening on ").expect("the line says so");
        Self { child, address: address.parse().expect("an address and a port") }
    }

    /// The address to open in a browser.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the server in order, and waits for its end. Returns its address.
    pub(crate) fn stop(mut self) -> SocketAddr {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        let status = self.child.wait().expect("it is our child");
        assert!(status.success(), "{status}");
        self.address
    }

    /// Starts a server at the address of an earlier one.
    pub(crate) fn start_again(address: SocketAddr) -> Self {
        Self::start_at(address)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
