//! Child processes that are killed in time, and announce where they listen.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::Child;
use std::sync::mpsc;
use std::time::Duration;

/// How long a server may take to listen.
pub const START_DEADLINE: Duration = Duration::from_secs(10);

/// A child process, killed when it is dropped.
#[derive(Debug)]
pub struct KilledOnDrop(pub Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // Nothing can be done if either fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines that a child process prints to its standard output, which is a pipe.
#[derive(Debug)]
pub struct AnnouncedLines(mpsc::Receiver<String>);

impl AnnouncedLines {
    /// Reads all lines on a thread, even those nobody asks for: a closed pipe would be an error for the child.
    pub fn of(child: &mut Child) -> Self {
        let (sender, receiver) = mpsc::channel();
        if let Some(out) = child.stdout.take() {
            std::thread::spawn(move || {
                BufReader::new(out).lines().map_while(Result::ok).for_each(|line| {
                    // Nobody may be listening any more.
                    let _ = sender.send(line);
                });
            });
        }
        Self(receiver)
    }

    /// Waits for the next line, which must begin with `prefix`, and parses the address after it.
    ///
    /// # Errors
    /// The line as it arrived; empty if none arrived within [`START_DEADLINE`].
    pub fn address(&self, prefix: &str) -> Result<SocketAddr, String> {
        let line = self.0.recv_timeout(START_DEADLINE).unwrap_or_default();
        line.strip_prefix(prefix).and_then(|addr| addr.parse().ok()).ok_or(line)
    }
}
