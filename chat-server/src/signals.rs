//! SIGTERM and SIGINT: the first stops the server in order, the second ends the process at once.

use std::io::{self, Write};
use std::process;
use std::thread;

use chat_server::Stopper;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Watches for the signals on a thread that sleeps until they come: it can end the process even
/// when the server hangs.
///
/// # Errors
/// When the system gives no more descriptors or threads.
pub(crate) fn watch(stopper: Stopper) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("chat-signals".to_owned()).spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            stopper.stop();
        }
        if signals.next().is_some() {
            // Who would read this may have gone: that is no reason not to end.
            let _ = writeln!(io::stderr(), "chat-server: second signal: ending at once");
            process::exit(1);
        }
    })?;
    Ok(())
}
