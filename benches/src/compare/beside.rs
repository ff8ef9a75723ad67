//! What goes on beside a measurement, on the same server.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Serialize;

use super::server::on_cores;
use crate::error::Error;

/// The longest time until it has begun: 10,000 members have to enter one room.
const BEGIN_DEADLINE: Duration = Duration::from_secs(120);

/// Longer than any measurement; it is ended with the one it is beside.
const SECONDS: u32 = 600;

/// A second load on the server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// One room of 10,000 members, to which one talks without pause.
    Crowd,
    /// 15,000 connections arrive, one after the other, and stay.
    Arrivals,
}

impl Beside {
    /// What the load generator is told.
    fn arguments(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Crowd => &["--rooms=1", "--members=10000", "--window=4", "--warmup=0"],
            Self::Arrivals => &["idle", "--connections=15000"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// In a few words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Crowd => "beside 1 × 10,000",
            Self::Arrivals => "while 15,000 connect",
        }
    }
}

/// A second load that runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Running(Child);

impl Running {
    /// Starts it; a crowd is complete, and hears the first message, before this returns.
    pub(super) fn start(
        beside: Beside,
        load: &str,
        target: &[String],
        cores: &str,
    ) -> Result<Self, Error> {
        let mut words = vec![load.to_owned()];
        words.extend(beside.arguments());
        words.extend(target.iter().cloned());
        words.push(format!("--seconds={SECONDS}"));
        let mut child = on_cores(cores, &words)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io("starting a second load generator"))?;
        let (sender, begun) = mpsc::channel();
        if let Some(errors) = child.stderr.take() {
            std::thread::spawn(move || {
                let mut errors = BufReader::new(errors);
                let mut line = String::new();
                // Both fail only when it has ended.
                let _ = errors.read_line(&mut line).map(|_| sender.send(line));
                let _ = io::copy(&mut errors, &mut io::sink());
            });
        }
        let running = Self(child);
        if beside == Beside::Crowd {
            let line = begun.recv_timeout(BEGIN_DEADLINE).unwrap_or_default();
            if !line.contains("delivered") {
                return Err(Error::Server(format!("the second load did not begin: {line:?}")));
            }
        }
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Neither can fail in a way that something could be done about.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
