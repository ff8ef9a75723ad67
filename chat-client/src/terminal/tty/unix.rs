//! The terminal of this process: its modes, its size, its keys, and what becomes of it at the end.
//!
//! The modes found at the start are kept in one place, so that whoever ends the process can bring
//! them back: the deciding thread, a signal, or a panic anywhere.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, kill_current_process_group};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, OutputModes, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;

/// Pasted texts come between marks (xterm, "Bracketed Paste Mode").
const PASTE_MARKS_ON: &str = "\u{1b}[?2004h";
const PASTE_MARKS_OFF: &str = "\u{1b}[?2004l";

/// What a panic leaves as the status, as it does without our help.
const PANIC_STATUS: i32 = 101;

/// The modes that the terminal had.
static FOUND: OnceLock<Termios> = OnceLock::new();

/// Something that happened to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Resized,
    /// The process was stopped and goes on.
    Resumed,
}

/// Takes the terminal over: keys come one by one and are not echoed. From here on it is given back
/// however the process ends, SIGKILL excepted.
///
/// # Errors
/// When standard input is no terminal.
pub(crate) fn take_over() -> io::Result<()> {
    let found = tcgetattr(stdin())?;
    if FOUND.set(found).is_ok() {
        give_back_after_panic();
    }
    resume()
}

/// As [`take_over`], after [`give_back`].
pub(crate) fn resume() -> io::Result<()> {
    let Some(found) = FOUND.get() else { return Ok(()) };
    let mut raw = found.clone();
    raw.make_raw();
    // A newline by itself, from wherever, must not make a staircase.
    raw.output_modes |= OutputModes::OPOST;
    tcsetattr(stdin(), OptionalActions::Now, &raw)?;
    write_if_ready(PASTE_MARKS_ON);
    Ok(())
}

/// Brings back the modes that were found. Never waits. There is nobody to tell of an error: the
/// terminal has gone then.
pub(crate) fn give_back() {
    if let Some(found) = FOUND.get() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, found);
        write_if_ready(PASTE_MARKS_OFF);
    }
}

fn give_back_after_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        give_back();
        write_if_ready("\r\n");
        report(info);
        // Whatever thread it was: without it the others make no sense.
        std::process::exit(PANIC_STATUS);
    }));
}

/// A terminal that takes nothing must not keep the process from ending.
fn write_if_ready(text: &str) {
    let mut fds = [PollFd::from_borrowed_fd(stdout(), PollFlags::OUT)];
    if poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0) {
        let _ = rustix::io::write(stdout(), text.as_bytes());
    }
}

/// Columns and rows; 80 and 24 of a terminal that does not say.
pub(crate) fn size() -> (usize, usize) {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            (usize::from(size.ws_col), usize::from(size.ws_row))
        }
        _ => (80, 24),
    }
}

/// Waits for bytes and reads what there is; 0 at the end. A terminal that has gone is an end.
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

/// Whether there is something to read within this time.
pub(crate) fn is_readable_within(time: Duration) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)];
    // An interruption or an error is left for the read to find.
    let timeout = Timespec::try_from(time).ok();
    poll(&mut fds, timeout.as_ref()).map_or(true, |ready| ready > 0)
}

/// Stops this process and whatever runs with it, as Ctrl-Z does.
pub(crate) fn suspend() {
    give_back();
    let _ = kill_current_process_group(Signal::TSTP);
}

/// Starts a thread that tells of changes, and ends the process in order when a signal wants that.
///
/// # Errors
/// When there is no thread to be had, or no handler can be set.
pub(crate) fn watch_signals(changed: impl Fn(Change) + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGWINCH, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGWINCH => changed(Change::Resized),
                SIGCONT => changed(Change::Resumed),
                deadly => {
                    give_back();
                    write_if_ready("\r\n");
                    std::process::exit(128 + deadly);
                }
            }
        }
    })?;
    Ok(())
}
