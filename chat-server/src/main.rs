//! The server as a program.

mod args;
mod config_file;
mod descriptors;
mod help;
mod settings;
mod signals;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use args::Wanted;
use chat_server::{Server, StartError};
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
    match serve(&settings) {
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

fn serve(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let mut config = settings.config().ok_or("no port was named")?;
    let connections = descriptors::most_connections();
    config.limits.connections = config.limits.connections.min(connections);
    let server = Server::bind(config)?;
    signals::watch(server.stopper())?;
    // A reader that has gone away is no reason not to serve.
    let _ = writeln!(io::stdout(), "listening on {}", server.address());
    server.run()?;
    Ok(())
}
