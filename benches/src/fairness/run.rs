//! The run: each attack in turn, on a server of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};

use super::result::Line;
use crate::attacks::{Kind, Running, Scene};
use crate::compare::on_cores;
use crate::error::Error;
use crate::measure::certificate::Certificate;
use crate::measure::chat_server::ChatServer;
use crate::measure::metrics::Metrics;
use crate::strangers::Strangers;

/// Time from the beginning of an attack to the first message measured.
const WARMUP: Duration = Duration::from_millis(500);

/// The core of the server, and that of the strangers and attackers.
const SERVER_CORE: &str = "0";
const OWN_CORE: usize = 1;

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The chat server's program.
    pub server: PathBuf,
    /// Further arguments of the server.
    pub server_args: Vec<String>,
    /// The attacks.
    pub attacks: Vec<Kind>,
    /// How long the strangers talk alone.
    pub alone: Duration,
    /// The share of their connections that the attacks use, in percent.
    pub percent: usize,
}

/// Runs the attacks, with a line on standard error for each.
///
/// # Errors
/// If a core or the server is missing. The effects of an attack are in its line.
pub fn run(config: &Config) -> Result<Vec<Line>, Error> {
    let mut cores = CpuSet::new();
    cores.set(OWN_CORE);
    sched_setaffinity(None, &cores)
        .map_err(|error| Error::Io { doing: "moving to core 1", source: error.into() })?;
    let mut lines = Vec::new();
    for &kind in &config.attacks {
        let line = one(config, kind)?;
        eprintln!("{line}");
        lines.push(line);
    }
    Ok(lines)
}

fn one(config: &Config, kind: Kind) -> Result<Line, Error> {
    let mut words = vec![config.server.to_string_lossy().into_owned()];
    words.extend(["--shutdown-from=nobody", "--log=warn"].map(str::to_owned));
    let certificate = Certificate::new()?;
    words.extend(certificate.arguments());
    words.extend(config.server_args.iter().cloned());
    let server = ChatServer::start(on_cores(SERVER_CORE, &words))?;
    let mut strangers = Strangers::connect(server.addr)?;
    let alone = strangers.talk(config.alone)?;

    let scene = Scene {
        server: server.addr,
        room: strangers.room,
        percent: config.percent,
        connections: Arc::default(),
    };
    let mut attack = Running::start(kind, scene);
    attack.wait_until_prepared()?;
    std::thread::sleep(WARMUP);
    let metrics = || Metrics::read(server.metrics).map_err(Error::io("reading the metrics"));
    let (before, process, began) = (metrics()?, server.process, Instant::now());
    let (cpu, waited) = (process.cpu_time()?, process.waited());
    let beside = strangers.talk(kind.time);
    let seconds = began.elapsed().as_secs_f64();
    let busy = cpu.until(process.cpu_time()?).total() / 1e9 / seconds;
    let waited = (process.waited() - waited).as_secs_f64() / seconds;
    let did = actions(&before, &metrics()?, seconds);
    let harm = attack.finish()?;
    let harm = beside.as_ref().err().map(ToString::to_string).or(harm.map(str::to_owned));
    Ok(Line {
        attack: kind.name,
        alone,
        beside: beside.unwrap_or_default(),
        busy,
        waited,
        harm,
        did,
    })
}

/// What the server did in between: connections ended and limits reached, by label, and requests per second.
fn actions(before: &Metrics, after: &Metrics, seconds: f64) -> String {
    let sum = |metrics: &Metrics, name| metrics.sum(name).unwrap_or_default();
    let rate = |name| (sum(after, name) - sum(before, name)) / seconds;
    let mut did = vec![format!(
        "{:.0} requests/s, {:.0} connections/s, {:.1} MB/s in, {:.1} out",
        rate("chat_messages_received_total"),
        rate("chat_connections_accepted_total"),
        rate("chat_received_bytes_total") / 1e6,
        rate("chat_sent_bytes_total") / 1e6
    )];
    for name in ["chat_connections_closed_total", "chat_limits_reached_total"] {
        for (labels, now) in after.labelled(name) {
            let earlier = before.labelled(name).find(|(other, _)| *other == labels);
            let count = now - earlier.map_or(0.0, |(_, value)| value);
            let label = labels.split('"').nth(1).unwrap_or(labels);
            if count > 0.0 && label != "peer-ended" {
                did.push(format!("{label} {count:.0}"));
            }
        }
    }
    did.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_what_rose_meanwhile() {
        let page = |requests, slow| {
            Metrics::of(format!(
                "chat_messages_received_total{{type=\"CSChat\"}} {requests}\n\
                 chat_connections_closed_total{{reason=\"slow-consumer\"}} {slow}\n\
                 chat_connections_closed_total{{reason=\"peer-ended\"}} {slow}\n\
                 chat_limits_reached_total{{limit=\"commands\"}} 4\n"
            ))
        };
        let did = actions(&page(10, 1), &page(30, 3), 2.0);
        assert!(
            did.starts_with("10 requests/s, ") && did.ends_with(" out, slow-consumer 2"),
            "{did}"
        );
    }
}
