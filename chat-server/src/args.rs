//! The command line, and what it says about the configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use argh::FromArgs;
use chat_server::{Config, ShutdownFrom};

/// The most workers that make sense to anyone.
const MAX_WORKERS: usize = 256;

/// A room chat server. The first line on standard output is "listening on ADDR:PORT". It stops on
/// /shutdown, SIGTERM or Ctrl-C, after everything accepted has been delivered.
#[derive(FromArgs)]
struct Args {
    /// port to listen on; 0 takes a free one
    #[argh(option, arg_name = "N", from_str_fn(parse_port))]
    port: u16,

    /// address to listen on, IPv4 or IPv6 (default 127.0.0.1: this machine only)
    #[argh(
        option,
        arg_name = "ADDR",
        from_str_fn(parse_ip),
        default = "Ipv4Addr::LOCALHOST.into()"
    )]
    ip: IpAddr,

    /// worker threads, 1 to 256 (default 2)
    #[argh(
        option,
        arg_name = "N",
        from_str_fn(parse_workers),
        default = "Config::default().workers"
    )]
    worker: usize,

    /// requests of a turn that the event loop carries out itself; more go to the workers, and with 0
    /// all do (default 4096)
    #[argh(
        option,
        arg_name = "N",
        from_str_fn(parse_count),
        default = "Config::default().inline_requests"
    )]
    inline: usize,

    /// address for Prometheus, as 127.0.0.1:9100, to read /metrics from, and /health; its line on
    /// standard output is the second (default: none)
    #[argh(option, arg_name = "ADDR:PORT", from_str_fn(parse_metrics))]
    metrics: Option<SocketAddr>,

    /// who may stop the server with /shutdown: anyone, loopback or nobody (default loopback)
    #[argh(option, arg_name = "WHO", default = "ShutdownFrom::default()")]
    shutdown_from: ShutdownFrom,
}

/// The configuration that the command line asks for, and where metrics are to be served.
///
/// # Errors
/// When there is nothing to run: help was asked for (status 0), or the command line is wrong (status
/// 2). What there is to say has been said.
pub(crate) fn parse(
    args: impl Iterator<Item = std::ffi::OsString>,
) -> Result<(Config, Option<SocketAddr>), ExitCode> {
    let mut words = Vec::new();
    for arg in args {
        match arg.into_string() {
            Ok(arg) => words.extend(split_flag(&arg)),
            Err(arg) => {
                eprintln!("chat-server: {} is not UTF-8", arg.to_string_lossy());
                return Err(ExitCode::from(2));
            }
        }
    }
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let args = Args::from_args(&["chat-server"], &words).map_err(|exit| {
        let output = exit.output.trim_end();
        if exit.status.is_ok() {
            println!("{output}");
            ExitCode::SUCCESS
        } else {
            eprintln!("chat-server: {output}\nchat-server --help lists the flags.");
            ExitCode::from(2)
        }
    })?;
    let mut config = Config::default();
    config.address = SocketAddr::new(args.ip, args.port);
    config.workers = args.worker;
    config.inline_requests = args.inline;
    config.shutdown_from = args.shutdown_from;
    Ok((config, args.metrics))
}

/// Makes `--flag=value` two words: argh knows only those.
fn split_flag(arg: &str) -> Vec<String> {
    match arg.split_once('=') {
        Some((flag, value)) if flag.starts_with("--") => vec![flag.to_owned(), value.to_owned()],
        _ => vec![arg.to_owned()],
    }
}

fn parse_port(value: &str) -> Result<u16, String> {
    value.parse().map_err(|_| "a port is a number from 0 to 65535".to_owned())
}

fn parse_ip(value: &str) -> Result<IpAddr, String> {
    value.parse().map_err(|_| "an address is like 127.0.0.1, 0.0.0.0 or ::1".to_owned())
}

fn parse_metrics(value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| "an address is like 127.0.0.1:9100 or [::1]:0".to_owned())
}

fn parse_count(value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| "a count is a whole number from 0 on".to_owned())
}

fn parse_workers(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(workers @ 1..=MAX_WORKERS) => Ok(workers),
        _ => Err(format!("the number of workers is from 1 to {MAX_WORKERS}")),
    }
}
