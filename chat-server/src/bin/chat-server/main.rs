//! The chat server as a program: from the command line to the exit status.
//!
//! `cli` reads the command line into `settings`, or into one of the `commands`; `logging` and `os` connect the program
//! with its terminal, its supervisor and its system; `metrics` serves metrics; `invitation` says what to open in a browser; `exit_error` and
//! `texts` hold the texts for people. The chat server itself is in the library.

mod cli;
mod commands;
mod exit_error;
mod invitation;
mod logging;
mod metrics;
mod os;
mod print;
mod settings;
mod texts;
mod tls;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use chat_proto::Localize;
use chat_server::{LimitKind, Lowered, Server, Stats};
use cli::{Refused, Request};
use exit_error::ExitError;
use logging::{FLUSH, FlushAtEnd, LineWriter, Log, log_table};
use metrics::{Pages, probe};
use os::host_names::host_names;
use os::{memory, recording, rlimit, sd_notify, signals};
use print::{complain, print};
use settings::{Settings, in_force};

/// Returns freed memory to the system within seconds, which the system's allocator does not: see
/// `docs/ARCHITECTURE.md`, "Memory". `.cargo/config.toml` sets how soon.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The exit status for errors in the command line or the configuration file.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os().skip(1)) {
        Ok(Request::Serve(settings)) => run(*settings),
        Ok(Request::Print(text)) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Ok(Request::Command(command, lang)) => commands::run(&command, lang),
        Ok(Request::Probe(address, lang)) => match probe(address) {
            Ok((is_healthy, answer)) => {
                print(&answer);
                if is_healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => {
                complain(&ExitError::Probe { address, error }.localized(lang));
                ExitCode::FAILURE
            }
        },
        Err(Refused { errors, lang }) => {
            errors.iter().for_each(|error| complain(&error.localized(lang)));
            let _ = writeln!(io::stderr(), "{}", texts::SEE_HELP.get(lang));
            ExitCode::from(USAGE)
        }
    }
}

fn run(settings: Settings) -> ExitCode {
    let started = signals::survive_file_size_limit().and_then(|()| logging::start(&settings));
    let log = match started {
        Ok(log) => log,
        Err(error) => {
            complain(&ExitError::NoLog(error).localized(settings.lang()));
            return ExitCode::FAILURE;
        }
    };
    let _flushed = FlushAtEnd(&log);
    match serve(settings, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log.exit_error(&error);
            ExitCode::FAILURE
        }
    }
}

fn serve(mut settings: Settings, log: &Log) -> Result<(), ExitError> {
    settings.config.tls = tls::load(&settings)?;
    settings.config.data = settings.data.config();
    fit_memory(&mut settings);
    let is_set = settings.limits_set.contains("connections");
    rlimit::make_room_for(&mut settings.config.limits.connections, is_set);
    log_start(&settings, log);
    let limits = settings.config.limits.clone();
    let mut config = settings.config.clone();
    if let Some(web) = &mut config.web {
        web.hosts.extend(host_names());
    }
    let mut server = Server::bind(config).map_err(ExitError::Start)?;
    if let Some(path) = &settings.record {
        let started = recording::create(path).and_then(|(path, file)| {
            tracing::warn!(path = %path.display(), "recording what people say, and the secrets of sessions");
            server.record(file)
        });
        started.map_err(|error| ExitError::Record { path: path.clone(), error })?;
    }
    let serve_metrics = |address| {
        metrics::start(address, Pages::new(server.monitor(), limits, log.clone()))
            .map_err(|error| ExitError::Metrics { address, error })
    };
    let metrics = settings.metrics.map(serve_metrics).transpose()?;
    let controller = server.controller();
    let reload = settings.config.tls.is_some().then(|| {
        let (settings, controller) = (settings.clone(), controller.clone());
        move || tls::reload(&settings, &controller)
    });
    signals::watch(controller, log.clone(), reload).map_err(ExitError::System)?;
    // Its reader may be gone or slow; the server runs regardless.
    let output = LineWriter::start(io::stdout(), "chat-output").map_err(ExitError::System)?;
    for address in server.addresses() {
        output.line(&format!("listening on {address}"));
        tracing::info!(%address, "listening");
    }
    if let Some(tls) = &settings.config.tls {
        if settings.tls.is_self_signed {
            output.line(&format!("TLS fingerprint {}", tls.fingerprint()));
        }
        tls::log("serving TLS", tls);
    }
    if let Some(address) = metrics {
        output.line(&format!("metrics on {address}"));
        tracing::info!(%address, "serving metrics");
    }
    if settings.config.web.is_some() {
        let scheme = if settings.config.tls.is_some() { "https" } else { "http" };
        invite(scheme, server.addresses(), &output);
    }
    sd_notify::notify(&format!("READY=1\nSTATUS=listening on {}", server.address()));
    let monitor = server.monitor();
    server.run_with(|| sd_notify::notify("STOPPING=1")).map_err(ExitError::Serving)?;
    log_stop(&monitor.stats(), log);
    output.flush(FLUSH);
    Ok(())
}

/// Prints the URLs to open in a browser, with a QR code at a terminal if other machines can reach the server.
fn invite(scheme: &str, addresses: &[SocketAddr], output: &LineWriter) {
    let urls = invitation::urls(scheme, addresses);
    for url in &urls {
        output.line(&format!("open {url}"));
        tracing::info!(%url, "open in a browser");
    }
    let is_for_others = addresses.iter().any(|address| !address.ip().is_loopback());
    if is_for_others
        && io::stderr().is_terminal()
        && let Some(code) = urls.first().and_then(|url| invitation::qr_code(url))
    {
        let _ = write!(io::stderr(), "{code}");
    }
}

/// Lowers the limits to what fits into memory. Logs each: a limit that was set explicitly as a warning.
fn fit_memory(settings: &mut Settings) {
    let config = &mut settings.config;
    if !settings.limits_set.contains("max-memory")
        && let Some(share) = memory::share()
    {
        config.limits.max_memory = share.min(config.limits.max_memory);
    }
    for Lowered { name, from, to, .. } in config.fit_memory() {
        if settings.limits_set.contains(name) {
            tracing::warn!(
                limit = name,
                configured = from,
                allowed = to,
                "limit lowered to fit max-memory"
            );
        } else {
            tracing::info!(
                limit = name,
                default = from,
                allowed = to,
                "limit lowered to fit max-memory"
            );
        }
    }
}

/// Logs the settings in force; at a terminal, only those that differ from the defaults.
fn log_start(settings: &Settings, log: &Log) {
    let known = if log.is_text() && io::stderr().is_terminal() {
        in_force(&Settings::default()).concat()
    } else {
        Vec::new()
    };
    let told = in_force(settings).concat().into_iter().filter(|setting| !known.contains(setting));
    let told = told.map(|(name, value)| (name.replace('-', "_"), value));
    let version = ("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    log_table("starting chat-server", &[version].into_iter().chain(told).collect::<Vec<_>>());
}

/// Logs the counters. Lines for people omit close reasons that never occurred.
fn log_stop(stats: &Stats, log: &Log) {
    let counts = [
        ("accepted", stats.accepted),
        ("requests", stats.requests_done),
        ("linger_timeouts", stats.limits.count(LimitKind::Linger)),
        ("accept_failures", stats.accept_failures),
        ("panics", stats.panics),
    ];
    let counts = counts.map(|(name, n)| (name.to_owned(), n));
    let closed = stats.closed.iter().filter(|(_, n)| *n > 0 || !log.is_text());
    let closed =
        closed.map(|(reason, n)| (format!("closed_{}", reason.as_str().replace('-', "_")), n));
    let counts = counts.into_iter().chain(closed).map(|(name, n)| (name, n.to_string()));
    log_table("stopped", &counts.collect::<Vec<_>>());
}
