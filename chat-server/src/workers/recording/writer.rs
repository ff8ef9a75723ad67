//! The thread that writes a recording to its file, and the bounded queue before it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::Duration;
use std::{io, mem, thread};

/// The most bytes that wait for the file.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The most pieces that wait. A turn of the event loop hands over one, or one for every 256 KiB.
const MOST_PIECES: usize = 16 * 1024;

/// The pause between two writes: a busy server then wakes the thread 200 times a second, rather than every turn.
const PAUSE: Duration = Duration::from_millis(5);

/// Takes what is to be written, and never waits.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` once the recording has ended.
    queue: Option<SyncSender<Vec<u8>>>,
    /// Bytes that wait.
    waiting: Arc<AtomicUsize>,
    /// Disconnected once the thread has ended.
    ended: Receiver<()>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, pieces) = mpsc::sync_channel(MOST_PIECES);
        let (alive, ended) = mpsc::sync_channel(0);
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&waiting);
        let run = move || {
            let _alive: SyncSender<()> = alive;
            if let Err(error) = write_all(to, &pieces, &written) {
                tracing::error!(%error, "recording ended: its file cannot be written");
            }
        };
        thread::Builder::new().name("chat-record".to_owned()).spawn(run)?;
        Ok(Self { queue: Some(queue), waiting, ended })
    }

    /// Whether the recording goes on.
    pub(super) fn is_writing(&self) -> bool {
        self.queue.is_some()
    }

    /// Takes `lines`, and leaves it empty. Returns whether the recording goes on.
    pub(super) fn write(&mut self, lines: &mut Vec<u8>) -> bool {
        let Some(queue) = &self.queue else { return false };
        if lines.is_empty() {
            return true;
        }
        let len = lines.len();
        let is_full = self.waiting.fetch_add(len, Relaxed) + len > MOST_BYTES;
        // The next turn will have as much.
        let lines = mem::replace(lines, Vec::with_capacity(len));
        match queue.try_send(lines) {
            Ok(()) if !is_full => return true,
            Ok(()) | Err(TrySendError::Full(_)) => {
                tracing::error!("recording ended: its file takes too long to write");
            }
            // The thread has said why.
            Err(TrySendError::Disconnected(_)) => {}
        }
        self.queue = None;
        false
    }

    /// Waits until everything has been written, or cannot be, or takes longer than that.
    pub(super) fn end(mut self, longest: Duration) {
        self.queue = None;
        if self.ended.recv_timeout(longest) == Err(mpsc::RecvTimeoutError::Timeout) {
            tracing::error!("recording cut off: its file takes too long to write");
        }
    }
}

/// Writes the pieces until there will be no more.
fn write_all(
    mut to: impl Write,
    pieces: &Receiver<Vec<u8>>,
    waiting: &AtomicUsize,
) -> io::Result<()> {
    while let Ok(first) = pieces.recv() {
        for piece in std::iter::once(first).chain(pieces.try_iter()) {
            to.write_all(&piece)?;
            waiting.fetch_sub(piece.len(), Relaxed);
        }
        thread::sleep(PAUSE);
    }
    to.flush()
}
