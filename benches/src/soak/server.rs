//! The server under test: a program started here, or one that is running.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Error;
use crate::measure::child::AnnouncedLines;
use crate::measure::process::Process;

/// The server to test.
#[derive(Debug, Clone)]
pub enum Target {
    /// Start this program, with these arguments before those for its ports, and stop it at the end.
    Start {
        /// The program.
        program: PathBuf,
        /// Its arguments.
        args: Vec<String>,
    },
    /// Use a server that is running, and leave it running.
    Running {
        /// Its address, which is a loopback address.
        addr: SocketAddr,
        /// Its process id.
        pid: u32,
    },
}

/// A server. Dropping it kills one that was started here.
#[derive(Debug)]
pub(super) struct Server {
    child: Option<Child>,
    pub(super) addr: SocketAddr,
    /// The address of its metrics, if it was started here.
    pub(super) metrics: Option<SocketAddr>,
    pub(super) process: Process,
}

impl Server {
    pub(super) fn new(target: &Target) -> Result<Self, Error> {
        match target {
            Target::Start { program, args } => Self::start(program, args),
            Target::Running { addr, .. } if !addr.ip().is_loopback() => {
                Err(Error::Config("the server must be at a loopback address".to_owned()))
            }
            &Target::Running { addr, pid } => {
                Ok(Self { child: None, addr, metrics: None, process: Process::new(pid)? })
            }
        }
    }

    fn start(program: &Path, args: &[String]) -> Result<Self, Error> {
        let mut child = Command::new(program)
            .args(args)
            .args(["--port=0", "--metrics=127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Error::Config(format!("{}: {error}", program.display())))?;
        let lines = AnnouncedLines::of(&mut child);
        let process = Process::new(child.id());
        // From here on dropping it kills the process, whatever goes wrong.
        let mut server = Self {
            child: Some(child),
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            metrics: None,
            process: process?,
        };
        let not_said =
            |line| Error::Server(format!("it did not say where it listens, but {line:?}"));
        server.addr = lines.address("listening on ").map_err(not_said)?;
        server.metrics = Some(lines.address("metrics on ").map_err(not_said)?);
        Ok(server)
    }

    /// How it ended, if it was started here and has ended.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok()?
    }

    /// Whether it was started here, and is to be stopped.
    pub(super) fn is_ours(&self) -> bool {
        self.child.is_some()
    }

    /// Sends SIGTERM.
    pub(super) fn terminate(&self) -> Result<(), Error> {
        let Some(pid) = self.child.as_ref().and_then(|child| Pid::from_raw(child.id() as i32))
        else {
            return Ok(());
        };
        kill_process(pid, Signal::TERM)
            .map_err(|error| Error::Io { doing: "stopping the server", source: error.into() })
    }

    /// Waits for its end.
    pub(super) fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + most;
        loop {
            let status = self.ended();
            if status.is_some() || Instant::now() > deadline {
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Nothing can be done about a failure of either.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
