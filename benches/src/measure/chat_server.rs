//! A chat server program, started with metrics.

use std::io;
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::child::{AnnouncedLines, KilledOnDrop};
use super::process::Process;
use crate::error::Error;

/// A running chat server. Dropping it kills it.
#[derive(Debug)]
pub struct ChatServer {
    child: KilledOnDrop,
    /// The address it listens on.
    pub addr: SocketAddr,
    /// The address of its metrics.
    pub metrics: SocketAddr,
    /// Its process.
    pub process: Process,
}

impl ChatServer {
    /// Starts the server given by `command`, on ports chosen by the kernel.
    ///
    /// # Errors
    /// If there is no such program, or it does not say where it listens.
    pub fn start(mut command: Command) -> Result<Self, Error> {
        let child = command
            .args(["--port=0", "--metrics=127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| {
                Error::Config(format!("{}: {error}", command.get_program().display()))
            })?;
        let mut child = KilledOnDrop(child);
        let lines = AnnouncedLines::of(&mut child.0);
        let not_said =
            |line| Error::Server(format!("it did not say where it listens, but {line:?}"));
        let addr = lines.address("listening on ").map_err(not_said)?;
        let metrics = lines.address("metrics on ").map_err(not_said)?;
        Ok(Self { process: Process::new(child.0.id())?, child, addr, metrics })
    }

    /// The server's exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.0.try_wait().ok()?
    }

    /// Sends SIGTERM.
    ///
    /// # Errors
    /// If it has ended.
    pub fn terminate(&self) -> io::Result<()> {
        kill_process(Pid::from_child(&self.child.0), Signal::TERM).map_err(Into::into)
    }

    /// Waits for its end, for at most `most`.
    pub fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
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
