//! The server as a program: its flags, output, exit status, and signals to it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::{DEADLINE, Watchdog, wait_until};

const PATH: &str = env!("CARGO_BIN_EXE_chat-server");

/// A running program. Dropping it kills it, unless it has ended.
#[derive(Debug)]
pub(crate) struct Program {
    pid: u32,
    ended: bool,
    lines: Receiver<String>,
    errors: Receiver<String>,
    exit: Receiver<ExitStatus>,
    status: Option<ExitStatus>,
    _watchdog: Watchdog,
}

impl Program {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(PATH);
        command.args(args);
        Self::run(command)
    }

    /// Starts the program from a shell: after the commands `before`, with the redirections `after`.
    pub(crate) fn start_by_shell(before: &str, args: &[&str], after: &str) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before}exec \"$0\" \"$@\"{after}")).arg(PATH).args(args);
        Self::run(command)
    }

    /// Starts the program through another command (`before`: its name and flags), which must replace itself with the
    /// program.
    pub(crate) fn start_under(before: &[&str], args: &[&str]) -> Self {
        let mut command = Command::new(before[0]);
        command.args(&before[1..]).arg(PATH).args(args);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        // Errors are always logged; --log asks for more.
        command.env("RUST_LOG", "error");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::spawn(command)
    }

    /// Starts the program with these streams as standard output and standard error.
    pub(crate) fn start_into(args: &[&str], output: Stdio, errors: Stdio) -> Self {
        let mut command = Command::new(PATH);
        command.args(args).stdin(Stdio::null()).stdout(output).stderr(errors);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program was built");
        let pid = child.id();
        // The command holds the descriptors that it passed to the child.
        drop(command);
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (line, lines) = mpsc::channel();
        let (error, errors) = mpsc::channel();
        let (status, exit) = mpsc::channel();
        thread::spawn(move || {
            for text in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
                let _ = line.send(text.expect("it prints UTF-8"));
            }
        });
        thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stderr) = stderr {
                stderr.read_to_string(&mut text).expect("it prints UTF-8");
            }
            let _ = error.send(text);
        });
        thread::spawn(move || status.send(child.wait().expect("it is our child")));
        Self { pid, ended: false, lines, errors, exit, status: None, _watchdog: Watchdog::start() }
    }

    /// Starts the program on a free port; returns it and its address.
    pub(crate) fn listening(args: &[&str]) -> (Self, SocketAddr) {
        let program = Self::start(&[&["--port=0"], args].concat());
        let address = program.address();
        (program, address)
    }

    /// Like [`Program::listening`], at [`own_ip`].
    pub(crate) fn listening_alone(args: &[&str]) -> (Self, SocketAddr) {
        Self::listening(&[&[&*format!("--ip={}", own_ip())], args].concat())
    }

    /// The address that the first line of its output gives.
    pub(crate) fn address(&self) -> SocketAddr {
        let line = self.next_line();
        let address = line.strip_prefix("listening on ").expect("the line gives the address");
        address.parse().expect("an address and a port")
    }

    /// The next line of its output.
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("it prints a line")
    }

    /// Waits until the program listens, if its output cannot tell.
    pub(crate) fn wait_until_it_listens(address: SocketAddr) {
        wait_until("the program listens", || TcpStream::connect(address).is_ok());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The number of its descriptors (`fd`) or threads (`task`).
    pub(crate) fn count(&self, what: &str) -> usize {
        super::count(&self.pid.to_string(), what)
    }

    /// The number of its threads whose names begin with `prefix`.
    pub(crate) fn threads(&self, prefix: &str) -> usize {
        super::threads(&self.pid.to_string(), prefix)
    }

    /// A memory figure from its status, in bytes.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.expect("the program runs");
        let line = status.lines().find_map(|l| l.strip_prefix(line)).expect("it has the line");
        let kib: u64 = line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().expect("a number");
        kib * 1024
    }

    /// User and system time so far, in clock ticks of a hundredth of a second (proc(5)).
    pub(crate) fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid));
        let stat = stat.expect("the program runs");
        // The second field, a name in parentheses, may contain anything.
        let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
        let fields = fields.split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// Sends a signal, named without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).status();
        assert!(kill.expect("there is a kill").success());
    }

    /// Sends a signal repeatedly until the program ends. Returns what [`Program::wait`] does.
    pub(crate) fn signal_until_it_ends(
        &mut self,
        name: &str,
    ) -> (Option<i32>, Vec<String>, String) {
        let deadline = Instant::now() + DEADLINE;
        while self.status.is_none() {
            assert!(Instant::now() < deadline, "SIG{name} does not end it");
            let _ =
                Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).output();
            self.status = self.exit.recv_timeout(Duration::from_millis(20)).ok();
        }
        self.wait()
    }

    /// Waits for the end; returns the exit status, the rest of the output, and the errors.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Vec<String>, String) {
        let status = self.status.take();
        let status =
            status.unwrap_or_else(|| self.exit.recv_timeout(DEADLINE).expect("the program ends"));
        self.ended = true;
        let errors = self.errors.recv_timeout(DEADLINE).expect("the program has ended");
        // The lines about the page are for people.
        let lines = self.lines.iter().filter(|line| !line.starts_with("open http"));
        (status.code(), lines.collect(), errors)
    }

    /// Waits for the end, with status 0 and without further output or errors.
    pub(crate) fn expect_success(&mut self) {
        assert_eq!(self.wait(), (Some(0), Vec::new(), String::new()));
    }

    /// Stops the program with SIGTERM. All its clients are gone or have half-closed.
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        self.expect_success();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.ended && self.exit.try_recv().is_err() {
            let _ = Command::new("kill").args(["-KILL", &self.pid.to_string()]).status();
        }
    }
}

/// A loopback address that no other test uses, not even in another run at the same time, so that nobody takes one of
/// its ports between two uses.
pub(crate) fn own_ip() -> Ipv4Addr {
    static LAST: AtomicU8 = AtomicU8::new(0);
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 128 | high, low, LAST.fetch_add(1, Ordering::Relaxed) + 1)
}

/// A free port at [`own_ip`].
pub(crate) fn free_address() -> SocketAddr {
    let bound = TcpListener::bind((own_ip(), 0)).and_then(|listener| listener.local_addr());
    bound.expect("a free port")
}

/// Runs the program until it ends by itself; returns its exit status, output and errors.
pub(crate) fn run_to_end(args: &[&str]) -> (Option<i32>, String, String) {
    let (code, lines, errors) = Program::start(args).wait();
    (code, lines.join("\n"), errors)
}
