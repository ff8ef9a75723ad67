//! The terminal on Unix.
//!
//! The original modes are kept in one place, so that everything that ends the process can restore them: the event
//! loop, a signal, or a panic on any thread.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Signal, kill_current_process_group};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    OptionalActions, OutputModes, QueueSelector, Termios, tcflush, tcgetattr, tcgetwinsize,
    tcsetattr,
};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;

use super::Change;

/// Turns on marks around pasted text (xterm, "Bracketed Paste Mode").
const PASTE_MARKS_ON: &str = "\u{1b}[?2004h";
/// Turns them off, and resets whatever an interrupted text may have left.
const RESTORED: &str = "\u{1b}[?7h\u{1b}[m\u{1b}[?2004l";

/// How long a terminal may accept nothing before its pending output is dropped, and then again before it is left as it
/// is.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The exit status of a panic, the same as without our hook.
const PANIC_STATUS: i32 = 101;

/// The modes that the terminal had at the start.
static FOUND: OnceLock<Termios> = OnceLock::new();

/// Takes over the terminal: keys arrive one by one and are not echoed. From here on, the terminal is restored however
/// the process ends, except by SIGKILL.
///
/// # Errors
/// If standard input is not a terminal.
pub(crate) fn take_over() -> io::Result<()> {
    let found = tcgetattr(stdin())?;
    if FOUND.set(found).is_ok() {
        restore_after_panic();
    }
    resume()
}

/// Takes over the terminal again after [`suspend`].
///
/// # Errors
/// As [`take_over`].
pub(crate) fn resume() -> io::Result<()> {
    let Some(found) = FOUND.get() else { return Ok(()) };
    let mut raw = found.clone();
    raw.make_raw();
    // A bare newline, whoever writes it, must return to the margin as well.
    raw.output_modes |= OutputModes::OPOST;
    tcsetattr(stdin(), OptionalActions::Now, &raw)?;
    write_soon(PASTE_MARKS_ON);
    Ok(())
}

/// Restores the original modes, and waits a little for a slow terminal. An error means that the terminal is gone.
pub(crate) fn restore() {
    if let Some(found) = FOUND.get() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, found);
        write_soon(RESTORED);
    }
}

fn restore_after_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restore();
        write_soon("\r\n");
        report(info);
        // Whichever thread panicked, the others cannot do without it.
        std::process::exit(PANIC_STATUS);
    }));
}

/// Writes without blocking for long, since a terminal that accepts nothing must not keep the process from ending.
/// Drops what a slow terminal has not accepted by then in favour of `text`.
fn write_soon(text: &str) {
    if !is_writable_within(PATIENCE) {
        let _ = tcflush(stdout(), QueueSelector::OFlush);
        if !is_writable_within(PATIENCE) {
            return;
        }
    }
    let _ = rustix::io::write(stdout(), text.as_bytes());
}

fn is_writable_within(timeout: Timespec) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stdout(), PollFlags::OUT)];
    retry_on_intr(|| poll(&mut fds, Some(&timeout))).is_ok_and(|ready| ready > 0)
}

/// Columns and rows; 80 and 24 if the terminal does not say.
pub(crate) fn size() -> (usize, usize) {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            (usize::from(size.ws_col), usize::from(size.ws_row))
        }
        _ => (80, 24),
    }
}

/// Reads at least one byte. Returns 0 at the end, or when the terminal is gone.
///
/// # Errors
/// If reading fails for another reason.
pub(crate) fn read(buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match rustix::io::read(stdin(), &mut *buffer) {
            Ok(len) => return Ok(len),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::IO) => return Ok(0),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until there is something to read. Returns false if there is nothing within this time.
pub(crate) fn is_readable_within(time: Duration) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)];
    // Interruptions and errors are left to the read.
    let timeout = Timespec::try_from(time).ok();
    poll(&mut fds, timeout.as_ref()).map_or(true, |ready| ready > 0)
}

/// Restores the terminal and stops the process group, as Ctrl-Z does.
pub(crate) fn suspend() {
    restore();
    let _ = kill_current_process_group(Signal::TSTP);
}

/// Starts a thread that reports changes, and restores the terminal when a signal ends the process.
///
/// # Errors
/// If no thread can be started, or no handler can be installed.
pub(crate) fn watch_signals(changed: impl Fn(Change) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGWINCH, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGWINCH => changed(Change::Resized),
                SIGCONT => changed(Change::Resumed),
                deadly => {
                    restore();
                    write_soon("\r\n");
                    std::process::exit(128 + deadly);
                }
            }
        }
    })?;
    Ok(())
}
