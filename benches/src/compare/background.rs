//! A second load on the server under measurement.

use std::io::{self, BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde::Serialize;

use super::programs::on_cores;
use crate::error::Error;
use crate::measure::child::KilledOnDrop;

/// How long it may take to begin, since 10,000 members have to enter a room.
const BEGIN_DEADLINE: Duration = Duration::from_secs(120);

/// Longer than any measurement, since it is killed at the end of the measurement that it accompanies.
const SECONDS: u32 = 600;

/// The kind of the second load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Background {
    /// A room of 10,000 members, one of whom talks without a pause.
    Crowd,
    /// 15,000 connections that arrive one after the other, and stay.
    Arrivals,
}

impl Background {
    /// The arguments for the load generator.
    fn arguments(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Crowd => &["--rooms=1", "--members=10000", "--window=4", "--warmup=0"],
            Self::Arrivals => &["idle", "--connections=15000"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// A short description, for tables and charts.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Crowd => "beside 1 × 10,000",
            Self::Arrivals => "while 15,000 connect",
        }
    }
}

/// Starts a second load, which ends when the result is dropped. When this returns, a crowd is complete and has
/// received its first message.
pub(super) fn start(
    background: Background,
    load: &str,
    target: &[String],
    cores: &str,
) -> Result<KilledOnDrop, Error> {
    let mut words = vec![load.to_owned()];
    words.extend(background.arguments());
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
            // Both fail only once the generator has ended.
            let _ = errors.read_line(&mut line).map(|_| sender.send(line));
            let _ = io::copy(&mut errors, &mut io::sink());
        });
    }
    let running = KilledOnDrop(child);
    if background == Background::Crowd {
        let line = begun.recv_timeout(BEGIN_DEADLINE).unwrap_or_default();
        if !line.contains("delivered") {
            return Err(Error::Server(format!("the second load did not begin: {line:?}")));
        }
    }
    Ok(running)
}
