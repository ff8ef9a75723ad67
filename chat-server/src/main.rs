//! The server as a program.

mod args;
mod descriptors;
mod signals;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use chat_server::{Config, Server};

fn main() -> ExitCode {
    let config = match args::parse(std::env::args_os().skip(1)) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    match serve(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(mut config: Config) -> Result<(), Box<dyn Error>> {
    let connections = descriptors::most_connections();
    config.limits.connections = config.limits.connections.min(connections);
    let server = Server::bind(config)?;
    signals::watch(server.stopper())?;
    // A reader that has gone away is no reason not to serve.
    let _ = writeln!(io::stdout(), "listening on {}", server.address());
    server.run()?;
    Ok(())
}
