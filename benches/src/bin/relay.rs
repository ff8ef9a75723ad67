//! `relay`: copies what one member sends to the others of its room. See [`chat_benches::relay`].

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use argh::FromArgs;
use chat_benches::args;
use chat_benches::error::Error;
use chat_benches::relay::Relay;

/// Copies what one member of a room sends to all the others: the least that a chat server can cost.
/// The first four bytes of a connection are its room, and are sent back.
#[derive(FromArgs)]
struct Args {
    /// port on 127.0.0.1; 0, the default, takes a free one
    #[argh(option, default = "0")]
    port: u16,

    /// seconds after which it stops, 3600 by default
    #[argh(option, default = "3600")]
    seconds: u64,
}

fn main() -> ExitCode {
    match args::parse("relay", std::env::args().skip(1)) {
        Ok(args) => args::finish("relay", run(&args)),
        Err(status) => status,
    }
}

fn run(args: &Args) -> Result<(), Error> {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let mut relay = Relay::bind(addr).map_err(Error::io("listening"))?;
    let addr = relay.local_addr().map_err(Error::io("listening"))?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on {addr}")
        .and_then(|()| out.flush())
        .map_err(Error::io("telling the address"))?;
    relay
        .run(Duration::from_secs(args.seconds), &AtomicBool::new(false))
        .map_err(Error::io("relaying"))
}
