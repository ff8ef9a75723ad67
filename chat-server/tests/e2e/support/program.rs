//! The server as a program: its flags, its output, its exit status, and signals to it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use super::{Client, DEADLINE, Watchdog};

const PATH: &str = env!("CARGO_BIN_EXE_chat-server");

/// A running program, which is killed when it is dropped before it has ended.
#[derive(Debug)]
pub(crate) struct Program {
    pid: u32,
    ended: bool,
    lines: Receiver<String>,
    errors: Receiver<String>,
    exit: Receiver<ExitStatus>,
    _watchdog: Watchdog,
}

impl Program {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(PATH);
        command.args(args);
        Self::run(command)
    }

    /// A program that the shell starts, after `before`, with `after` behind its command line.
    pub(crate) fn start_by_shell(before: &str, args: &[&str], after: &str) -> Self {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{before}exec \"$0\" \"$@\"{after}")).arg(PATH).args(args);
        Self::run(command)
    }

    /// A program that another one starts, whose command line begins with `before`, and which takes
    /// care to be no parent of it.
    pub(crate) fn start_under(before: &[&str], args: &[&str]) -> Self {
        let mut command = Command::new(before[0]);
        command.args(&before[1..]).arg(PATH).args(args);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        // What is an error is seen all the same; --log asks for more.
        command.env("RUST_LOG", "error");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::spawn(command)
    }

    /// A program with these as its output and its errors, which are not looked at here.
    pub(crate) fn start_into(args: &[&str], output: Stdio, errors: Stdio) -> Self {
        let mut command = Command::new(PATH);
        command.args(args).stdin(Stdio::null()).stdout(output).stderr(errors);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program was built");
        let pid = child.id();
        // The command keeps what it gave to the child.
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
        Self { pid, ended: false, lines, errors, exit, _watchdog: Watchdog::start() }
    }

    /// A program with a free port, and where it listens.
    pub(crate) fn listening(args: &[&str]) -> (Self, SocketAddr) {
        let program = Self::start(&[&["--port=0"], args].concat());
        let address = program.address();
        (program, address)
    }

    /// Where it says that it listens, in the first line of its output.
    pub(crate) fn address(&self) -> SocketAddr {
        let line = self.next_line();
        let address = line.strip_prefix("listening on ").expect("the line says so");
        address.parse().expect("an address and a port")
    }

    /// The next line of its output.
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(DEADLINE).expect("it prints a line")
    }

    /// Waits until somebody listens at `address`, for a program that cannot say when it does.
    pub(crate) fn wait_until_it_listens(address: SocketAddr) {
        let deadline = Instant::now() + DEADLINE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "nobody listens at {address}");
            thread::yield_now();
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How many descriptors (`fd`) or threads (`task`) it has.
    pub(crate) fn count(&self, what: &str) -> usize {
        super::count(&self.pid.to_string(), what)
    }

    /// A line of its status that is about memory, in bytes.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.expect("the program runs");
        let line = status.lines().find_map(|l| l.strip_prefix(line)).expect("it has the line");
        let kib: u64 = line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().expect("a number");
        kib * 1024
    }

    /// User and system time so far, in ticks of the kernel's clock (proc(5)): hundredths of a second.
    pub(crate) fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid));
        let stat = stat.expect("the program runs");
        // The second field is a name in parentheses, which may hold anything.
        let (_, fields) = stat.rsplit_once(')').expect("the name is in parentheses");
        let fields = fields.split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.pid.to_string()]).status();
        assert!(kill.expect("there is a kill").success());
    }

    /// Waits for the end: the exit status, what was not read of the output, and the errors.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Vec<String>, String) {
        let status = self.exit.recv_timeout(DEADLINE).expect("the program ends");
        self.ended = true;
        let errors = self.errors.recv_timeout(DEADLINE).expect("the program has ended");
        (status.code(), self.lines.iter().collect(), errors)
    }

    /// It ends well, with nothing more to say.
    pub(crate) fn expect_success(&mut self) {
        assert_eq!(self.wait(), (Some(0), Vec::new(), String::new()));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.ended && self.exit.try_recv().is_err() {
            let _ = Command::new("kill").args(["-KILL", &self.pid.to_string()]).status();
        }
    }
}

/// A port that can be had on `ip`, an address that no other test uses.
pub(crate) fn free_port(ip: &str) -> String {
    let bound = TcpListener::bind((ip, 0)).and_then(|listener| listener.local_addr());
    bound.expect("there is a free port").port().to_string()
}

/// Runs the program until it ends by itself: its exit status, output and errors.
pub(crate) fn run_to_end(args: &[&str]) -> (Option<i32>, String, String) {
    let (code, lines, errors) = Program::start(args).wait();
    (code, lines.join("\n"), errors)
}

/// A new connection to a program. Its id is the next one.
impl Client {
    pub(crate) fn of(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        client.expect_nothing();
        client
    }
}
