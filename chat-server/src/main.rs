//! The server as a program.

mod args;
mod config_file;
mod descriptors;
mod help;
mod line_writer;
mod logging;
mod metrics;
mod notify;
mod settings;
mod signals;

use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use args::Wanted;
use chat_server::{Limits, Server, StartError, Stats};
use line_writer::LineWriter;
use logging::{FLUSH, Log};
use metrics::Endpoint;
use settings::Settings;

fn main() -> ExitCode {
    let settings = match args::parse(std::env::args_os().skip(1)) {
        Ok(Wanted::Serve(settings)) => settings,
        Ok(Wanted::Say(text)) => {
            // A reader that has gone away has read enough.
            let _ = writeln!(io::stdout(), "{}", text.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(problems) => {
            let mut stderr = io::stderr();
            for problem in problems {
                let _ = writeln!(stderr, "chat-server: {problem}");
            }
            let _ = writeln!(stderr, "chat-server --help lists the flags.");
            return ExitCode::from(2);
        }
    };
    let log = match logging::start(&settings) {
        Ok(log) => log,
        Err(error) => {
            let _ = writeln!(io::stderr(), "chat-server: cannot start a log: {error}");
            return ExitCode::FAILURE;
        }
    };
    let _flushed = log.flush_at_end();
    match serve(*settings, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.failure(&explain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// The error, what is behind it, and what to do about it, in one line.
fn explain(error: &(dyn Error + 'static)) -> String {
    if let Some(StartError::Listen { address, source }) = error.downcast_ref() {
        let hint = match source.kind() {
            ErrorKind::AddrInUse => {
                "another program listens there. Choose another --port, or 0 for a free one"
            }
            ErrorKind::PermissionDenied if address.port() < 1024 => {
                "ports below 1024 need special rights. Choose a --port from 1024 on"
            }
            ErrorKind::AddrNotAvailable => {
                "this machine has no such address. Choose another --ip, as 127.0.0.1 or 0.0.0.0"
            }
            _ => return format!("cannot listen on {address}: {source}"),
        };
        return format!("cannot listen on {address}: {hint}");
    }
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn serve(mut settings: Settings, log: &Log) -> Result<(), Box<dyn Error>> {
    settings.make_room_for_connections();
    let version = env!("CARGO_PKG_VERSION");
    if io::stderr().is_terminal() {
        let changes = settings.changes_in_one_line();
        tracing::info!("starting chat-server {version}: {changes}; --check tells the rest");
    } else {
        tracing::info!("starting chat-server {version}: {}", settings.in_one_line());
    }
    let config = settings.config().ok_or("no port was named")?;
    let limits = config.limits.clone();
    let server = Server::bind(config)?;
    let metrics = settings.metrics.map(|address| serve_metrics(address, &server, limits, log));
    let metrics = metrics.transpose()?;
    signals::watch(server.stopper(), log.clone())?;
    // Whoever reads that may be gone, or slow; neither is a reason not to serve.
    let output = LineWriter::start(io::stdout(), "chat-output")?;
    output.line(&format!("listening on {}", server.address()));
    tracing::info!(address = %server.address(), "listening");
    if let Some(endpoint) = &metrics {
        output.line(&format!("metrics on {}", endpoint.address()));
        tracing::info!(address = %endpoint.address(), "serving metrics");
    }
    notify::tell(&format!("READY=1\nSTATUS=listening on {}", server.address()));
    let monitor = server.monitor();
    server.run_with(|| notify::tell("STOPPING=1"))?;
    log_stopped(&monitor.stats());
    output.flush(FLUSH);
    Ok(())
}

fn serve_metrics(
    address: SocketAddr,
    server: &Server,
    limits: Limits,
    log: &Log,
) -> Result<Endpoint, String> {
    Endpoint::start(address, server.monitor(), limits, log.clone()).map_err(|e| {
        let why = match e.kind() {
            ErrorKind::AddrInUse => "another program listens there".to_owned(),
            ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => e.to_string(),
        };
        format!("cannot serve metrics on {address}: {why}. Choose another --metrics")
    })
}

fn log_stopped(stats: &Stats) {
    let reasons = stats.closed.iter().map(|(reason, n)| format!("{reason} {n}"));
    let closed = reasons.collect::<Vec<_>>().join(", ");
    tracing::info!(
        accepted = stats.accepted,
        requests = stats.requests_done,
        closed,
        linger_timeouts = stats.linger_timeouts,
        accept_failures = stats.accept_failures,
        panics = stats.panics,
        "stopped"
    );
}
