//! A client process, and a peer that plays a server.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command as Process, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use chat_proto::extended::{Ask, Hello, Request};
use chat_proto::{Command, HEADER_LEN, Text, write_frame};

/// The time after which something has failed. Nothing here takes long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The client's program with these flags, speaking English.
pub(crate) fn program(flags: &[&str]) -> Process {
    let mut process = Process::new(env!("CARGO_BIN_EXE_chat-client"));
    process.env_remove("LC_ALL").env_remove("LC_MESSAGES").env("LANG", "C").args(flags);
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    process
}

/// A running client. It is killed when dropped.
pub(crate) struct Client {
    process: Child,
    input: Option<ChildStdin>,
    output: Receiver<String>,
    errors: Receiver<String>,
}

/// The end of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) status: Option<i32>,
    /// The lines that had not been read before.
    pub(crate) output: Vec<String>,
    pub(crate) errors: Vec<String>,
}

impl Exit {
    /// The output of a client that did what it was asked to do.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Vec<String> {
        assert_eq!((self.status, self.errors), (Some(0), vec![]), "after {:#?}", self.output);
        self.output
    }

    /// The only error of a client that ended with `status`, without its prefix.
    #[track_caller]
    pub(crate) fn failed(self, status: i32) -> String {
        let [error] = self.errors.as_slice() else { panic!("it is one line: {self:?}") };
        assert_eq!(self.status, Some(status), "{error}");
        error.strip_prefix("chat-client: ").expect("it has a prefix").to_owned()
    }
}

impl Client {
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::spawn(&mut program(flags))
    }

    pub(crate) fn spawn(process: &mut Process) -> Self {
        let mut process = process.spawn().expect("the client starts");
        Self {
            input: process.stdin.take(),
            output: lines_of(process.stdout.take()),
            errors: lines_of(process.stderr.take()),
            process,
        }
    }

    /// A client and the peer it is connected to.
    pub(crate) fn connected() -> (Self, Peer) {
        let listener = Listener::bind();
        let client = Self::start(&[&listener.port_flag()]);
        (client, listener.accept())
    }

    /// A client that gets all its input at once.
    pub(crate) fn piped(input: &str) -> (Self, Peer) {
        let (mut client, peer) = Self::connected();
        client.write(input.as_bytes());
        client.end_input();
        (client, peer)
    }

    pub(crate) fn write(&mut self, input: &[u8]) {
        let stdin = self.input.as_mut().expect("the input has not ended");
        stdin.write_all(input).expect("the client reads");
        stdin.flush().expect("the client reads");
    }

    /// Takes the input, to be written on another thread.
    pub(crate) fn take_input(&mut self) -> ChildStdin {
        self.input.take().expect("the input has not ended")
    }

    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// The next line of output.
    pub(crate) fn line(&self) -> String {
        self.output.recv_timeout(DEADLINE).expect("a line of output")
    }

    /// Waits until the client has ended by itself.
    pub(crate) fn exit(mut self) -> Exit {
        let output = rest_of(&self.output);
        let errors = rest_of(&self.errors);
        let status = self.process.wait().expect("it was started").code();
        Exit { status, output, errors }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lines_of(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, lines) = channel();
    if let Some(stream) = stream {
        thread::spawn(move || {
            for line in BufReader::new(stream).lines() {
                if sender.send(line.expect("the client writes UTF-8")).is_err() {
                    return;
                }
            }
        });
    }
    lines
}

fn rest_of(lines: &Receiver<String>) -> Vec<String> {
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(DEADLINE) {
            Ok(line) => rest.push(line),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("the client does not end, after {rest:?}"),
        }
    }
}

/// A port for a client to connect to.
pub(crate) struct Listener(TcpListener);

impl Listener {
    pub(crate) fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("it is bound")
    }

    pub(crate) fn port_flag(&self) -> String {
        format!("--port={}", self.address().port())
    }

    /// Accepts the next client as a server does that does not know hellos: it is the client's second connection.
    pub(crate) fn accept(&self) -> Peer {
        self.accept_hello().refuse_hello();
        self.accept_hello()
    }

    /// Accepts the next connection, on which a client says hello unless it was refused before.
    pub(crate) fn accept_hello(&self) -> Peer {
        let (sender, accepted) = channel();
        let listener = self.0.try_clone().expect("a descriptor");
        thread::spawn(move || sender.send(listener.accept()));
        let accepted = accepted.recv_timeout(DEADLINE).expect("the client connects");
        let (stream, _) = accepted.expect("the connection is accepted");
        stream.set_read_timeout(Some(DEADLINE)).expect("above 0");
        stream.set_write_timeout(Some(DEADLINE)).expect("above 0");
        Peer(stream)
    }
}

/// The server's end of a connection. Dropping it closes the connection.
pub(crate) struct Peer<S = TcpStream>(pub(crate) S);

impl<S: Read + Write> Peer<S> {
    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the client reads");
        self.0.flush().expect("the client reads");
    }

    /// Sends one frame.
    pub(crate) fn send(&mut self, json: &str) {
        let frame = frame(json);
        self.send_raw(&frame);
    }

    /// The next command of the client, or `None` at the end of its side.
    pub(crate) fn command(&mut self) -> Option<Command> {
        self.payload().map(|payload| Command::parse_str(&payload).expect("a command"))
    }

    /// The next request of a client that said hello, with its id.
    pub(crate) fn request(&mut self) -> (Option<String>, Ask) {
        let request = Request::parse(&self.payload().expect("a request"));
        (request.id.map(|id| id.to_string()), request.ask.expect("it makes sense"))
    }

    /// Whether the client ends its session next.
    pub(crate) fn quits(&mut self) -> bool {
        self.payload().is_some_and(|payload| payload == r#"{"type":"CSQuit"}"#)
    }

    /// The client's hello.
    pub(crate) fn hello(&mut self) -> Hello {
        let payload = self.payload().expect("a hello");
        Hello::parse(&payload).expect("a hello").expect("it makes sense")
    }

    /// Answers a hello as a server does that does not know any, and closes.
    pub(crate) fn refuse_hello(mut self) {
        self.hello();
        self.send(&system("Not understood: unknown type.", "unknown-type"));
    }

    /// The payload of the client's next frame, or `None` at the end of its side.
    fn payload(&mut self) -> Option<String> {
        let mut header = [0; HEADER_LEN];
        match self.0.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
            Err(error) => panic!("the client says nothing: {error}"),
        }
        let mut payload = vec![0; usize::from(u16::from_be_bytes(header))];
        self.0.read_exact(&mut payload).expect("a whole frame");
        Some(String::from_utf8(payload).expect("JSON"))
    }

    /// All commands of the client until the end of its side.
    pub(crate) fn commands(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.command()).collect()
    }

    /// Closes once the client has sent `commands` and ended its side.
    pub(crate) fn close_after(mut self, commands: &[Command]) {
        assert_eq!(self.commands(), commands);
    }
}

impl Peer {
    /// Ends this side.
    pub(crate) fn end(&mut self) {
        self.0.shutdown(Shutdown::Write).expect("it is connected");
    }
}

/// Sends more in both directions than the buffers in between hold, has the peer `close`, and checks that everything
/// arrived.
pub(crate) fn exchange_heavy_traffic<S: Read + Write>(
    mut client: Client,
    mut peer: Peer<S>,
    close: impl FnOnce(Peer<S>),
) {
    const LINES: usize = 60_000;
    let text = "x".repeat(80);
    let mut stdin = client.take_input();
    let input = format!("{text}\n").repeat(LINES);
    let writing = thread::spawn(move || stdin.write_all(input.as_bytes()));
    // All of it, before anything is read.
    let mut bytes = Vec::new();
    for n in 0..LINES {
        bytes.extend_from_slice(&frame(&chat("bob", &format!("{n} {text}"))));
    }
    peer.send_raw(&bytes);
    let commands = peer.commands();
    assert_eq!(commands.len(), LINES);
    assert!(commands.iter().all(|command| *command == said(&text)));
    close(peer);
    writing.join().expect("no panic").expect("the client reads all");
    let output = client.exit().succeeded();
    assert_eq!(output.len(), LINES);
    assert_eq!(output[LINES - 1], format!("bob: {} {text}", LINES - 1));
}

/// The command that says `text`.
pub(crate) fn said(text: &str) -> Command {
    Command::Chat(Text::new(text).expect("a text"))
}

pub(crate) fn frame(json: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, |out| out.extend_from_slice(json.as_bytes())).expect("short enough");
    out
}

/// An `SCSystemMessage`.
pub(crate) fn system(text: &str, code: &str) -> String {
    format!(r#"{{"type":"SCSystemMessage","text":"{text}","code":"{code}"}}"#)
}

/// An `SCChat`.
pub(crate) fn chat(member: &str, text: &str) -> String {
    format!(r#"{{"type":"SCChat","member":"{member}","text":"{text}","roomId":1,"seq":1}}"#)
}
