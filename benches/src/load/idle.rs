//! Thousands of silent connections: the memory that each costs the server, and the CPU time of all.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::Events;
use serde::{Deserialize, Serialize};

use super::clients::{Clients, Listener};
use super::dialect::Dialect;
use crate::error::Error;
use crate::measure::process::{CpuTime, CpuUsed, Process};

/// The most connections. There are ports for three times as many.
const MAX_CONNECTIONS: usize = 1_000_000;

/// Time for the server to finish its work after the last connection.
const SETTLE: Duration = Duration::from_millis(500);

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The dialect to speak.
    pub dialect: Dialect,
    /// The server's address, a loopback address.
    pub addr: SocketAddr,
    /// How many connections.
    pub connections: usize,
    /// How long to stay idle.
    pub idle: Duration,
    /// The server's process id, to measure its cost.
    pub server: Option<u32>,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The dialect spoken.
    #[serde(rename = "protocol")]
    pub dialect: Dialect,
    /// Connections opened.
    pub connections: usize,
    /// Connections opened per second, each with a first command and its answer.
    pub connects_per_second: f64,
    /// The cost to the server, if its process is known.
    pub server: Option<Cost>,
}

/// The cost of idle connections to a server.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU time of each connection made, in µs.
    pub connect_us: f64,
    /// Resident memory before, in KiB.
    pub resident_before_kib: u64,
    /// Resident memory at the end, with all connections, in KiB.
    pub resident_kib: u64,
    /// The growth per connection, in bytes.
    pub bytes_per_connection: f64,
    /// Share of a core while nothing happens.
    pub idle_busy: f64,
}

/// Opens the connections and measures them.
///
/// # Errors
/// If the settings are invalid, descriptors run out, or the server breaks its protocol.
pub fn run(config: &Config) -> Result<Report, Error> {
    if !config.addr.ip().is_loopback() {
        return Err(Error::Config("the server must be at a loopback address".to_owned()));
    }
    if !(1..=MAX_CONNECTIONS).contains(&config.connections) {
        return Err(Error::Config(format!("there must be 1 to {MAX_CONNECTIONS} connections")));
    }
    let server = config.server.map(Process::new).transpose()?;
    let mut clients = Clients::new(config.dialect, config.connections, server)?;

    let cpu = || server.map(Process::cpu_time).transpose();
    let resident = || server.map(Process::resident_kib).transpose();
    let (resident_before, cpu_before, began) = (resident()?, cpu()?, Instant::now());
    clients.idle(config.addr, config.connections)?;
    let (seconds, cpu_connected) = (began.elapsed().as_secs_f64(), cpu()?);

    sit(&mut clients, SETTLE)?;
    let (cpu_idle, idle) = (cpu()?, Instant::now());
    sit(&mut clients, config.idle)?;
    let (idle_seconds, cpu_after) = (idle.elapsed().as_secs_f64(), cpu()?);
    let resident_after = resident()?;

    let connections = config.connections as f64;
    let nanos = |from, to| {
        let used = Option::zip(from, to).map(|(from, to): (CpuTime, _)| from.until(to));
        used.map_or(0.0, CpuUsed::total)
    };
    let cost = resident_before.zip(resident_after).map(|(before, after)| Cost {
        connect_us: nanos(cpu_before, cpu_connected) / 1e3 / connections,
        resident_before_kib: before,
        resident_kib: after,
        bytes_per_connection: after.saturating_sub(before) as f64 * 1024.0 / connections,
        idle_busy: nanos(cpu_idle, cpu_after) / 1e9 / idle_seconds,
    });
    Ok(Report {
        dialect: config.dialect,
        connections: config.connections,
        connects_per_second: connections / seconds,
        server: cost,
    })
}

/// Waits, and notices if the server closes a connection.
fn sit(clients: &mut Clients, time: Duration) -> Result<(), Error> {
    let mut events = Events::with_capacity(1024);
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        clients.turn(&mut events, Some(left.max(Duration::from_millis(1))), &mut Silence)?;
    }
    Ok(())
}

struct Silence;

impl Listener for Silence {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connections {:>9}   {:.0} a second, each with a first answer",
            self.connections, self.connects_per_second
        )?;
        let Some(cost) = self.server else { return Ok(()) };
        write!(
            f,
            "\nserver RSS  {:>9.0}   bytes per connection ({} KiB before, {} KiB now)\n\
             server CPU  {:>9.1}   µs per connection made; {:.2} % of a core while idle",
            cost.bytes_per_connection,
            cost.resident_before_kib,
            cost.resident_kib,
            cost.connect_us,
            cost.idle_busy * 100.0
        )
    }
}
