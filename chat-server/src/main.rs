//! The server as a program.

mod args;
mod descriptors;
mod metrics;
mod signals;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use chat_server::{Config, Server, StartError};
use metrics::Endpoint;

fn main() -> ExitCode {
    let (config, metrics) = match args::parse(std::env::args_os().skip(1)) {
        Ok(parsed) => parsed,
        Err(exit) => return exit,
    };
    match serve(config, metrics) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-server: {}", explain(&*error));
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

fn serve(mut config: Config, metrics: Option<SocketAddr>) -> Result<(), Box<dyn Error>> {
    let connections = descriptors::most_connections();
    config.limits.connections = config.limits.connections.min(connections);
    let server = Server::bind(config)?;
    let metrics = metrics.map(|address| serve_metrics(address, &server)).transpose()?;
    signals::watch(server.stopper())?;
    // A reader that has gone away is no reason not to serve.
    let _ = writeln!(io::stdout(), "listening on {}", server.address());
    if let Some(endpoint) = &metrics {
        let _ = writeln!(io::stdout(), "metrics on {}", endpoint.address());
    }
    server.run()?;
    Ok(())
}

fn serve_metrics(address: SocketAddr, server: &Server) -> Result<Endpoint, String> {
    Endpoint::start(address, server.monitor())
        .map_err(|e| format!("cannot serve metrics on {address}: {e}. Choose another --metrics"))
}
