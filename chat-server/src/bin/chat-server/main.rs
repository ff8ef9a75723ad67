//! The server as a program.

mod args;
mod config_error;
mod config_file;
mod exit_error;
mod help;
mod line_writer;
mod logging;
mod metrics;
mod rlimit;
mod sd_notify;
mod settings;
mod signals;
mod texts;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use args::{Refused, Wanted};
use chat_proto::Localize;
use chat_server::{Limits, Server, Stats};
use exit_error::ExitError;
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
        Err(Refused { problems, lang }) => {
            let mut stderr = io::stderr();
            for problem in problems {
                let _ = writeln!(stderr, "chat-server: {}", problem.localized(lang));
            }
            let _ = writeln!(stderr, "{}", texts::SEE_HELP.get(lang));
            return ExitCode::from(2);
        }
    };
    let log = match logging::start(&settings) {
        Ok(log) => log,
        Err(error) => {
            let failure = ExitError::NoLog(error);
            let _ = writeln!(io::stderr(), "chat-server: {}", failure.localized(settings.lang()));
            return ExitCode::FAILURE;
        }
    };
    let _flushed = log.flush_at_end();
    match serve(*settings, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            log.failure(&failure);
            ExitCode::FAILURE
        }
    }
}

fn serve(mut settings: Settings, log: &Log) -> Result<(), ExitError> {
    settings.make_room_for_connections();
    let version = env!("CARGO_PKG_VERSION");
    if io::stderr().is_terminal() {
        let changes = settings.changes_in_one_line();
        tracing::info!("starting chat-server {version}: {changes}; --check tells the rest");
    } else {
        tracing::info!("starting chat-server {version}: {}", settings.in_one_line());
    }
    let config = settings.config().ok_or(ExitError::NoPort)?;
    let limits = config.limits.clone();
    let server = Server::bind(config).map_err(ExitError::Start)?;
    let metrics = settings.metrics.map(|address| serve_metrics(address, &server, limits, log));
    let metrics = metrics.transpose()?;
    signals::watch(server.stopper(), log.clone()).map_err(ExitError::System)?;
    // Whoever reads that may be gone, or slow; neither is a reason not to serve.
    let output = LineWriter::start(io::stdout(), "chat-output").map_err(ExitError::System)?;
    output.line(&format!("listening on {}", server.address()));
    tracing::info!(address = %server.address(), "listening");
    if let Some(endpoint) = &metrics {
        output.line(&format!("metrics on {}", endpoint.address()));
        tracing::info!(address = %endpoint.address(), "serving metrics");
    }
    sd_notify::tell(&format!("READY=1\nSTATUS=listening on {}", server.address()));
    let monitor = server.monitor();
    server.run_with(|| sd_notify::tell("STOPPING=1")).map_err(ExitError::Serving)?;
    log_stopped(&monitor.stats());
    output.flush(FLUSH);
    Ok(())
}

fn serve_metrics(
    address: SocketAddr,
    server: &Server,
    limits: Limits,
    log: &Log,
) -> Result<Endpoint, ExitError> {
    Endpoint::start(address, server.monitor(), limits, log.clone())
        .map_err(|error| ExitError::Metrics { address, error })
}

fn log_stopped(stats: &Stats) {
    let reasons =
        stats.closed.iter().filter(|(_, n)| *n > 0).map(|(reason, n)| format!("{reason} {n}"));
    let closed = reasons.collect::<Vec<_>>().join(", ");
    tracing::info!(
        accepted = stats.accepted,
        requests = stats.requests_done,
        closed,
        accept_failures = stats.accept_failures,
        panics = stats.panics,
        "stopped"
    );
}
