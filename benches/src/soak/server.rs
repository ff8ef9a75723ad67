//! The server under test, started here.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Error;
use crate::measure::child::{AnnouncedLines, KilledOnDrop};
use crate::measure::process::Process;

/// The server under test.
#[derive(Debug)]
pub(super) struct Server {
    child: KilledOnDrop,
    pub(super) addr: SocketAddr,
    /// The address of its metrics.
    pub(super) metrics: SocketAddr,
    pub(super) process: Process,
}

impl Server {
    /// Starts `program` with `args` before those for its ports.
    pub(super) fn start(program: &Path, args: &[String]) -> Result<Self, Error> {
        let child = Command::new(program)
            .args(args)
            .args(["--port=0", "--metrics=127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Error::Config(format!("{}: {error}", program.display())))?;
        let mut child = KilledOnDrop(child);
        let lines = AnnouncedLines::of(&mut child.0);
        let not_said =
            |line| Error::Server(format!("it did not say where it listens, but {line:?}"));
        let addr = lines.address("listening on ").map_err(not_said)?;
        let metrics = lines.address("metrics on ").map_err(not_said)?;
        Ok(Self { process: Process::new(child.0.id())?, child, addr, metrics })
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.0.try_wait().ok()?
    }

    /// Sends SIGTERM.
    pub(super) fn terminate(&self) -> io::Result<()> {
        kill_process(Pid::from_child(&self.child.0), Signal::TERM).map_err(Into::into)
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
