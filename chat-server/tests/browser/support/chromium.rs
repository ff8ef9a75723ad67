//! A headless Chromium, driven over its debugging pipe: JSON messages, each terminated by a zero byte.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chat_testing::Watchdog;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use super::DEADLINE;

/// The names of Chromium on various systems.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

const FLAGS: &str = "--headless --no-sandbox --disable-gpu --disable-background-networking \
    --disable-component-update --disable-sync --disable-breakpad --no-first-run --lang=en-US \
    --disable-dev-shm-usage --disable-extensions --force-prefers-reduced-motion";

/// The answer to a command: its result, or what is wrong with it.
pub(crate) type Answer = Result<Value, String>;

/// The time a test may take: one browser has enough to do, and beside others it gets a fraction of the machine.
const WATCH: Duration = Duration::from_secs(300);

/// A running Chromium. Dropping it ends all of its processes, and removes what they wrote.
pub(crate) struct Chromium {
    process: Child,
    commands: RefCell<ChildStdin>,
    messages: Receiver<Value>,
    commands_sent: Cell<u64>,
    /// Console output, each line with its session.
    console: RefCell<Vec<(String, String)>>,
    profile: PathBuf,
    _watchdog: Watchdog,
    /// Only one Chromium runs at a time, since it uses all the cores it can get.
    _turn: MutexGuard<'static, ()>,
}

impl Chromium {
    /// Starts Chromium, if it is installed. Prints a line if it is not.
    pub(crate) fn start() -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let Some(program) = PROGRAMS.into_iter().find(|name| is_installed(name)) else {
            say("skipped: no Chromium here");
            return None;
        };
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let _watchdog = Watchdog::start_for(WATCH);
        let name = format!("chromium-{}", std::process::id());
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&profile).expect("the target folder takes files");
        // Chromium reads from descriptor 3 and writes to 4. It exits when the pipe closes, even if this process was
        // killed.
        let script = format!(
            "{program} {FLAGS} --user-data-dir=\"$0\" --remote-debugging-pipe about:blank \
             3<&0 4>&1 </dev/null >\"$0/log\" 2>&1; \
             until rm -rf \"$0\"; do sleep 0.1; done 2>/dev/null"
        );
        let mut process = Command::new("sh")
            .args(["-c", &script])
            .arg(&profile)
            .env("HOME", &profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let commands = RefCell::new(process.stdin.take().expect("it is piped"));
        let output = process.stdout.take().expect("it is piped");
        let (message, messages) = mpsc::channel();
        thread::spawn(move || {
            for bytes in BufReader::new(output).split(0).map_while(Result::ok) {
                let _ = message.send(serde_json::from_slice(&bytes).expect("it writes JSON"));
            }
        });
        Some(Self {
            process,
            commands,
            messages,
            commands_sent: Cell::new(0),
            console: RefCell::default(),
            profile,
            _watchdog,
            _turn,
        })
    }

    /// Sends a command to a session, or to the browser, and waits for the answer.
    pub(crate) fn command(&self, session: Option<&str>, method: &str, params: &Value) -> Answer {
        let id = self.commands_sent.get() + 1;
        self.commands_sent.set(id);
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let sent = self.commands.borrow_mut().write_all(format!("{command}\0").as_bytes());
        sent.map_err(|e| self.gone(&e.to_string()))?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left);
            let mut message = message.map_err(|e| self.gone(&format!("{method}: {e}")))?;
            if message["id"] == id {
                let error = &message["error"];
                return match error["message"].as_str() {
                    Some(text) => Err(format!("{method}: {} {text}", error["code"])),
                    None => Ok(message["result"].take()),
                };
            }
            self.note(&message);
        }
    }

    /// Sends a command to the browser, which must not fail.
    pub(crate) fn expect(&self, method: &str, params: &Value) -> Value {
        self.command(None, method, params).expect("Chromium obeys")
    }

    /// The console output of a session, line by line.
    pub(crate) fn console(&self, session: &str) -> Vec<String> {
        let console = self.console.borrow();
        console.iter().filter(|(of, _)| of == session).map(|(_, line)| line.clone()).collect()
    }

    /// Records what an event adds to a console.
    fn note(&self, event: &Value) {
        let params = &event["params"];
        let line = match event["method"].as_str() {
            Some("Runtime.consoleAPICalled") => format!("{}: {}", params["type"], params["args"]),
            Some("Runtime.exceptionThrown") => {
                let details = &params["exceptionDetails"];
                format!("exception: {} {}", details["text"], details["exception"]["description"])
            }
            Some("Log.entryAdded") => {
                let entry = &params["entry"];
                format!("{}: {} {}", entry["level"], entry["text"], entry["url"])
            }
            _ => return,
        };
        let session = event["sessionId"].as_str().unwrap_or_default();
        self.console.borrow_mut().push((session.to_owned(), line));
    }

    fn gone(&self, why: &str) -> String {
        let log = fs::read_to_string(self.profile.join("log")).unwrap_or_default();
        // It complains a lot about a bus that it does not need.
        let log: Vec<&str> = log.lines().filter(|line| !line.contains("/dbus/")).collect();
        format!("Chromium does not answer ({why}). It printed:\n{}", log.join("\n"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
        // Its other processes may go on writing for a moment.
        let deadline = Instant::now() + DEADLINE;
        while fs::remove_dir_all(&self.profile).is_err() && self.profile.exists() {
            if Instant::now() > deadline {
                return say("a profile of Chromium stays behind");
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Whether a program is in the search path.
pub(crate) fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// Prints a line that the harness shows even when the test passes.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
