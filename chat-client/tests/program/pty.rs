//! The client at a terminal: a real pseudo-terminal on its side, an emulator on ours.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

use crate::support::DEADLINE;

/// The state of the emulator.
struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    /// Whether to stop reading for good.
    closing: bool,
    /// Whether to stop reading for now.
    paused: bool,
}

/// A client at a terminal of its own. It is killed when dropped.
pub(crate) struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    /// Keeps the terminal after the end of the client, to inspect the state it was left in.
    slave: Option<Box<dyn SlavePty + Send>>,
    /// Opened by the first key pressed. Dropping it presses Ctrl-D.
    keyboard: Option<Box<dyn Write + Send>>,
    /// `None` after waiting for it.
    client: Option<Box<dyn Child + Send + Sync>>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// The modes before the client started.
    modes: String,
}

/// Bytes read from the terminal at once.
const CHUNK: usize = 4096;

const ROWS: NonZero<u16> = NonZero::new(24).expect("above 0");

fn columns(cols: u16) -> NonZero<u16> {
    NonZero::new(cols).expect("a terminal has columns")
}

fn size(cols: u16) -> PtySize {
    PtySize { rows: ROWS.get(), cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// A client with these flags at a terminal of 80 columns.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, 80, &[])
    }

    pub(crate) fn start_with(flags: &[&str], cols: u16, variables: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(size(cols)).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_chat-client"));
        command.args(flags);
        for name in ["LC_ALL", "LC_MESSAGES", "NO_COLOR"] {
            command.env_remove(name);
        }
        for (name, value) in [("LANG", "C"), ("TERM", "xterm-256color")].iter().chain(variables) {
            command.env(name, value);
        }
        let modes = modes_of(&*pair.master);
        let client = pair.slave.spawn_command(command).expect("the client starts");
        let seen = Seen {
            screen: vt100::Parser::new(ROWS, columns(cols), 100),
            bytes: Vec::new(),
            closing: false,
            paused: false,
        };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        watch(pair.master.try_clone_reader().expect("a reader"), Arc::clone(&seen));
        Self {
            keyboard: None,
            master: Some(pair.master),
            slave: Some(pair.slave),
            client: Some(client),
            seen,
            modes,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        let master = self.master.as_ref().expect("the terminal is there");
        let keyboard =
            self.keyboard.get_or_insert_with(|| master.take_writer().expect("there is none yet"));
        keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
        keyboard.flush().expect("the terminal takes keys");
    }

    /// Waits until the rows satisfy a condition.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&[String]) -> bool) {
        self.wait_until(what, |seen| is_so(&rows(&seen.screen)));
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) {
        let (seen, news) = &*self.seen;
        let seen = seen.lock().expect("no panic");
        let (seen, waited) =
            news.wait_timeout_while(seen, DEADLINE, |seen| !is_so(seen)).expect("no panic");
        let rows = rows(&seen.screen);
        drop(seen);
        assert!(!waited.timed_out(), "{what}; the terminal shows {rows:#?}");
    }

    /// Waits until the last rows are these.
    #[track_caller]
    pub(crate) fn shows(&self, last: &[&str]) {
        self.wait(&format!("waiting for {last:#?}"), |rows| {
            rows.ends_with(&last.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>())
        });
    }

    /// Waits until the cursor, which the client moves last, is in this column. Returns its row.
    #[track_caller]
    pub(crate) fn cursor_row(&self, column: u16) -> u16 {
        let position = |seen: &Seen| seen.screen.screen().cursor_position();
        self.wait_until("waiting for the cursor", |seen| position(seen).1 == column);
        position(&self.seen.0.lock().expect("no panic")).0
    }

    /// Everything that was written to the terminal so far.
    pub(crate) fn bytes(&self) -> String {
        let seen = self.seen.0.lock().expect("no panic");
        String::from_utf8_lossy(&seen.bytes).into_owned()
    }

    /// Stops reading: the client fills the terminal's buffers, and then writes in vain.
    pub(crate) fn pause(&self) {
        self.seen.0.lock().expect("no panic").paused = true;
    }

    /// Waits for the end of a client whose terminal nobody reads. Returns its status.
    pub(crate) fn exit_unread(mut self) -> u32 {
        let status = self.ended();
        self.seen.0.lock().expect("no panic").paused = false;
        self.seen.1.notify_all();
        status
    }

    pub(crate) fn resize(&self, cols: u16) {
        // The emulator first, since the client reacts at once.
        self.seen.0.lock().expect("no panic").screen.screen_mut().set_size(ROWS, columns(cols));
        let master = self.master.as_ref().expect("the terminal is there");
        master.resize(size(cols)).expect("the terminal is there");
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.client.as_ref().and_then(|client| client.process_id()).expect("it was started")
    }

    /// Waits for the end of the client. Returns its status, and whether the modes are as before.
    pub(crate) fn exit(mut self) -> (u32, bool) {
        let status = self.ended();
        let master = self.master.as_ref().expect("the terminal is there");
        let restored = modes_of(&**master) == self.modes;
        assert!(self.bytes().contains("\u{1b}[?2004h"), "the terminal was taken over");
        let unmarked = b"\x1b[?2004l";
        self.wait_until("waiting for the end of marks around pasted text", |seen| {
            // Searches what was read last only: the whole may be megabytes, searched again each time.
            let start = seen.bytes.len().saturating_sub(CHUNK + unmarked.len());
            seen.bytes[start..].windows(unmarked.len()).any(|bytes| bytes == unmarked)
        });
        (status, restored)
    }

    /// Removes the terminal as soon as `provoke` has made the client write something. No key may have been pressed
    /// before. Returns the status of the client.
    pub(crate) fn close(mut self, provoke: impl FnOnce()) -> u32 {
        assert!(self.keyboard.is_none());
        self.seen.0.lock().expect("no panic").closing = true;
        self.slave = None;
        self.master = None;
        provoke();
        self.ended()
    }

    fn ended(&mut self) -> u32 {
        let mut client = self.client.take().expect("it is waited for once");
        let mut killer = client.clone_killer();
        let (sender, status) = std::sync::mpsc::channel();
        thread::spawn(move || sender.send(client.wait().expect("it was started").exit_code()));
        status.recv_timeout(DEADLINE).unwrap_or_else(|_| {
            let _ = killer.kill();
            panic!("the client does not end, after {:#?}", self.bytes())
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(client) = &mut self.client {
            let _ = client.kill();
            let _ = client.wait();
        }
    }
}

fn watch(mut terminal: Box<dyn Read + Send>, seen: Arc<(Mutex<Seen>, Condvar)>) {
    thread::spawn(move || {
        let mut buffer = [0; CHUNK];
        // An error is the end of the terminal as well.
        while let Ok(len @ 1..) = terminal.read(&mut buffer) {
            let (seen, news) = &*seen;
            let seen = seen.lock().expect("no panic");
            let mut seen = news.wait_while(seen, |seen| seen.paused).expect("no panic");
            seen.screen.process(&buffer[..len]);
            seen.bytes.extend_from_slice(&buffer[..len]);
            news.notify_all();
            if seen.closing {
                return;
            }
        }
    });
}

/// The rows, without empty ones at the end, and with every time as `HH:MM`.
fn rows(screen: &vt100::Parser) -> Vec<String> {
    let screen = screen.screen();
    let mut rows: Vec<String> =
        screen.rows(0, screen.size().1.into()).map(|row| untimed(row.trim_end())).collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    rows
}

fn untimed(row: &str) -> String {
    let is_time = |start: &str| {
        start.bytes().zip(*b"00:00 ").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        })
    };
    match row.split_at_checked(6) {
        Some((start, rest)) if is_time(start) => format!("HH:MM {rest}"),
        _ => row.to_owned(),
    }
}

fn modes_of(master: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", master.get_termios().expect("the terminal is there"))
}
