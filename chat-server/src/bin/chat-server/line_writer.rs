//! Writes lines to a stream of this process without ever waiting for whoever reads it.
//!
//! A pipe that nobody empties blocks its writer, and the standard library's streams have a lock that
//! everybody waits for then. So one thread writes, to a descriptor of its own, from a queue of bounded
//! length. Lines that find no place in it are dropped and counted.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait at the most; of the log, each has some 200 bytes.
const QUEUE: usize = 1024;

/// Where lines are left to be written. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct LineWriter {
    queue: SyncSender<Job>,
    /// Lines that were dropped and not told of yet, and all that were.
    dropped: Arc<AtomicU64>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Job {
    Write(Vec<u8>),
    /// Answer when everything before has been tried.
    Flush(SyncSender<()>),
}

impl LineWriter {
    /// Starts the thread that writes to `stream`.
    ///
    /// # Errors
    /// When the system gives no descriptor or no thread.
    pub(crate) fn start(stream: impl AsFd, thread: &str) -> io::Result<Self> {
        let stream = File::from(stream.as_fd().try_clone_to_owned()?);
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::new(AtomicU64::new(0));
        let counters = [Arc::clone(&dropped), Arc::clone(&lost)];
        thread::Builder::new()
            .name(thread.to_owned())
            .spawn(move || write_all(stream, &jobs, counters.each_ref().map(|c| &**c)))?;
        Ok(Self { queue, dropped, lost })
    }

    /// Leaves a line to be written, with its end. Nothing in it can begin another one, or reach a
    /// terminal as anything but text.
    pub(crate) fn line(&self, line: &str) {
        self.put(clean(line));
    }

    fn put(&self, line: Vec<u8>) {
        if self.queue.try_send(Job::Write(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many lines were dropped since it was started.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything has been written, or as long as this.
    pub(crate) fn flush(&self, longest: Duration) {
        let (answer, done) = mpsc::sync_channel(1);
        match self.queue.try_send(Job::Flush(answer)) {
            // It is there to be written to, or else stuck: either way there is no more to be done.
            Ok(()) => drop(done.recv_timeout(longest)),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

fn write_all(mut stream: File, jobs: &Receiver<Job>, [dropped, lost]: [&AtomicU64; 2]) {
    for job in jobs {
        match job {
            Job::Write(line) => match stream.write_all(&line) {
                // Told through the queue, like any other. Never of a line that could not be written:
                // that would be told for ever.
                Ok(()) => match dropped.swap(0, Ordering::Relaxed) {
                    0 => {}
                    lines => tracing::warn!(lines, "log lines were lost: nobody read them in time"),
                },
                Err(_) => {
                    dropped.fetch_add(1, Ordering::Relaxed);
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            },
            Job::Flush(answer) => drop(answer.try_send(())),
        }
    }
}

/// The line without control characters, or anything that ends a line or turns its direction, but with
/// an end. What is replaced stands there as JSON has it.
fn clean(line: &str) -> Vec<u8> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let mut clean = String::with_capacity(line.len() + 1);
    for c in line.chars() {
        match c {
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                clean += &format!("\\u{:04x}", u32::from(c));
            }
            // All of them have four digits at the most.
            c if c.is_control() => clean += &format!("\\u{:04x}", u32::from(c)),
            c => clean.push(c),
        }
    }
    clean.push('\n');
    clean.into_bytes()
}

/// One line of the log, which comes in one write.
impl Write for &LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.line(&String::from_utf8_lossy(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LineWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::mpsc::channel;

    use proptest::prelude::*;
    use tracing_subscriber::fmt;
    use tracing_subscriber::fmt::format::FmtSpan;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    proptest! {
        #[test]
        fn any_line_is_one_line_of_text(line in proptest::collection::vec(any::<char>(), 0..40)) {
            let clean = clean(&line.into_iter().collect::<String>());
            let text = String::from_utf8(clean).expect("it is UTF-8");
            let (text, end) = text.split_at(text.len() - 1);
            prop_assert_eq!(end, "\n");
            prop_assert!(!text.contains(char::is_control), "{:?}", text);
        }
    }

    /// What is logged of a peer's text, in both forms.
    fn logged(json: bool, hostile: &str) -> String {
        let (mut reader, writer) = io::pipe().expect("two descriptors are to be had");
        let lines = LineWriter::start(writer, "test").expect("a thread is to be had");
        let layer = fmt::layer().with_ansi(false).with_span_events(FmtSpan::NONE);
        let layer = layer.with_writer(lines.clone());
        let log = || tracing::error!(name = %hostile, quoted = hostile, "a {hostile}");
        if json {
            tracing::subscriber::with_default(registry().with(layer.json()), log);
        } else {
            tracing::subscriber::with_default(registry().with(layer), log);
        }
        drop(lines);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("it is UTF-8");
        text
    }

    #[test]
    fn nothing_in_an_event_can_forge_a_line() {
        let hostile = "x\n2026-01-01T00:00:00Z ERROR all is lost\r\x1b[2J\x1b]52;c;!\x07\u{9b}2J\u{2028}\u{202e}";
        for json in [false, true] {
            let text = logged(json, hostile);
            assert_eq!(text.matches('\n').count(), 1, "{text:?}");
            let line = text.trim_end_matches('\n');
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(!line.contains(['\u{2028}', '\u{202e}']), "{line:?}");
            assert!(!json || line.starts_with('{') && line.ends_with('}'), "{line:?}");
        }
    }

    #[test]
    fn r11_a_pipe_that_nobody_reads_blocks_nobody_and_loses_are_counted() {
        let (mut reader, writer) = io::pipe().expect("two descriptors are to be had");
        let lines = LineWriter::start(writer, "test").expect("a thread is to be had");
        let (done, ended) = channel();
        thread::spawn(move || {
            // Far more than a pipe and the queue hold.
            for n in 0..5_000 {
                lines.line(&format!("{n:0200}"));
            }
            let lost = lines.dropped.load(Ordering::Relaxed);
            lines.flush(Duration::ZERO);
            let _ = done.send(lost);
        });
        let lost = ended.recv_timeout(DEADLINE).expect("nobody waits for the reader");
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("it is UTF-8");
        assert!(lost > 1_000, "{lost}");
        assert_eq!(text.lines().count() as u64, 5_000 - lost, "all others arrive");
        assert!(text.starts_with(&format!("{:0200}\n", 0)), "in order, from the first");
    }

    #[test]
    fn r11_a_pipe_without_a_reader_is_no_end() {
        let (reader, writer) = io::pipe().expect("two descriptors are to be had");
        drop(reader);
        let lines = LineWriter::start(writer, "test").expect("a thread is to be had");
        lines.line("nobody");
        lines.flush(DEADLINE);
        lines.line("nobody again");
        lines.flush(DEADLINE);
        assert_eq!((lines.dropped.load(Ordering::Relaxed), lines.lost()), (2, 2));
    }
}
