//! The Python client of the document chats with the program.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use crate::support::{Client, DEADLINE, Program};

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/client.py");

/// A running client. Dropping it kills it, unless it has ended.
struct Python {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Python {
    fn start(address: SocketAddr) -> Self {
        let mut command = Command::new("python3");
        let flags = [format!("--port={}", address.port()), format!("--ip={}", address.ip())];
        command.arg(CLIENT).args(flags);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("this test needs Python: install python3 (3.8 or later)"),
            _ => panic!("python3 cannot be started: {error}"),
        });
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut error_output = process.stderr.take().expect("it is piped");
        let (line, lines) = mpsc::channel();
        let (error, errors) = mpsc::channel();
        thread::spawn(move || {
            for text in output.lines() {
                let _ = line.send(text.expect("it prints UTF-8"));
            }
        });
        thread::spawn(move || {
            let mut text = String::new();
            error_output.read_to_string(&mut text).expect("it prints UTF-8");
            let _ = error.send(text);
        });
        let input = process.stdin.take();
        Self { process, input, lines, errors }
    }

    fn type_in(&mut self, lines: &str) {
        let input = self.input.as_mut().expect("its input has not ended");
        input.write_all(lines.as_bytes()).expect("it reads");
    }

    fn end_input(&mut self) {
        self.input = None;
    }

    fn expect_line(&self, line: &str) {
        assert_eq!(self.lines.recv_timeout(DEADLINE).as_deref(), Ok(line));
    }

    /// Waits for the end, with status 0 and without further output or errors.
    fn expect_success(mut self) {
        let errors = self.errors.recv_timeout(DEADLINE).expect("it ends");
        let more: Vec<_> = self.lines.iter().collect();
        let status = self.process.wait().expect("it is our child");
        assert_eq!((status.code(), more, errors), (Some(0), Vec::new(), String::new()));
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // Both fail if it has already ended and been waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_python_client_chats() {
    let (_program, address) = Program::listening(&[]);
    let mut bob = Client::of(address);
    bob.be("bob");
    bob.enter_new("차 한잔");

    let mut python = Python::start(address);
    python.expect_line("  1  차 한잔 (1): bob");
    python.type_in("/name 앨리스\n/join 1\n");
    python.expect_line("* user2 is now called 앨리스.");
    python.expect_line("* You are in room 1, \"차 한잔\", now.");
    bob.expect_code("member-entered");
    python.type_in("안녕, \"bob\"\n\n  two  spaces \n/jion 1\n");
    for text in ["안녕, \"bob\"", "  two  spaces ", "/jion 1"] {
        bob.expect_chat("앨리스", text);
    }
    bob.chat("two\nlines \u{202e}");
    python.expect_line(r"bob: two\nlines \u202e");
    python.type_in(&format!("{}\n/leave\n/leave\n/join x\n", "x".repeat(70_000)));
    python.expect_line("- That is too long for a frame.");
    python.expect_line("* You left room 1, \"차 한잔\".");
    python.expect_line("* You are in no room. /rooms lists them; /join or /create one first.");
    python.expect_line("* Not understood: the field \"roomId\" must be an integer greater than 0.");
    bob.expect_code("member-left");

    // Everything typed before the end of its input is answered.
    python.type_in("/create 글\n/rooms\n");
    python.end_input();
    python.expect_line("* You made room 2, \"글\", and are in it.");
    python.expect_line("  1  차 한잔 (1): bob");
    python.expect_line("  2  글 (1): 앨리스");
    python.expect_success();
    assert_eq!(bob.rooms().len(), 1, "it has left");
}

#[test]
fn the_python_client_ends_with_the_server() {
    let (mut program, address) = Program::listening(&[]);
    let mut member = Client::of(address);
    member.enter_new("room");
    let waiting = Python::start(address);
    let mut asking = Python::start(address);
    for python in [&waiting, &asking] {
        python.expect_line("  1  room (1): user1");
    }
    drop(member);
    asking.type_in("/shutdown\n");
    for python in [waiting, asking] {
        python.expect_line("* The server is stopping. Goodbye.");
        python.expect_success();
    }
    program.expect_success();
}
