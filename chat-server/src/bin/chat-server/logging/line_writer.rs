//! Writes lines to a stream of this process without ever blocking the caller.
//!
//! A pipe that nobody reads blocks its writer, and then everybody who waits for the lock of the standard library's
//! stream. So one thread does the writing, from a bounded queue to a descriptor of its own. Lines that do not fit the
//! queue, and lines that cannot be written (the disk is full, the reader or the terminal is gone, the file has reached
//! its limit), are dropped and counted.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The most lines that wait. A log line is some 200 bytes long.
const QUEUE: usize = 1024;

/// Takes lines to write. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct LineWriter {
    queue: SyncSender<Job>,
    /// Lines dropped since the start.
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Job {
    Write(Vec<u8>),
    /// Answers once all earlier lines have been written or dropped.
    Flush(SyncSender<()>),
}

impl LineWriter {
    /// Starts the thread that writes to `stream`.
    ///
    /// # Errors
    /// If the system refuses a descriptor or a thread.
    pub(crate) fn start(stream: impl AsFd, thread: &str) -> io::Result<Self> {
        let stream = File::from(stream.as_fd().try_clone_to_owned()?);
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        let thread = thread::Builder::new().name(thread.to_owned());
        thread.spawn(move || write_all(stream, &jobs, &counter))?;
        Ok(Self { queue, lost })
    }

    /// Queues a line, and adds the line end. Nothing in the line can begin another line, or reach a terminal as
    /// anything but text.
    pub(crate) fn line(&self, line: &str) {
        if self.queue.try_send(Job::Write(clean(line))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines dropped since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything has been written, or until `longest` has passed.
    pub(crate) fn flush(&self, longest: Duration) {
        let (answer, done) = mpsc::sync_channel(1);
        match self.queue.try_send(Job::Flush(answer)) {
            // Written or stuck, there is nothing more to do.
            Ok(()) => drop(done.recv_timeout(longest)),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

fn write_all(mut stream: File, jobs: &Receiver<Job>, lost: &AtomicU64) {
    let (mut reported, mut is_cut) = (0, false);
    for job in jobs {
        match job {
            Job::Write(line) => match write_line(&mut stream, &line, &mut is_cut) {
                // Reported through the queue, like any line, and only once lines can be written again: a report of a
                // failed write would fail as well, forever.
                Ok(()) => {
                    let all = lost.load(Ordering::Relaxed);
                    if all > reported {
                        tracing::warn!(
                            lines = all - reported,
                            "log lines lost: they could not be written, or not in time"
                        );
                        reported = all;
                    }
                }
                Err(_) => {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            },
            Job::Flush(answer) => drop(answer.try_send(())),
        }
    }
}

/// Writes a line. `is_cut` says that the previous line was cut short, so that this one must begin with a line end.
fn write_line(stream: &mut File, line: &[u8], is_cut: &mut bool) -> io::Result<()> {
    if *is_cut {
        stream.write_all(b"\n")?;
        *is_cut = false;
    }
    let mut written = 0;
    while written < line.len() {
        match stream.write(&line[written..]) {
            Ok(n) if n > 0 => written += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            result => {
                *is_cut = written > 0;
                return result.and(Err(ErrorKind::WriteZero.into()));
            }
        }
    }
    Ok(())
}

/// Returns the line with a line end, and with JSON's escapes for control characters and for anything that ends a line
/// or changes its direction.
fn clean(line: &str) -> Vec<u8> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let mut clean = String::with_capacity(line.len() + 1);
    for c in line.chars() {
        match c {
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                clean += &format!("\\u{:04x}", u32::from(c));
            }
            // No control character needs more than four digits.
            c if c.is_control() => clean += &format!("\\u{:04x}", u32::from(c)),
            c => clean.push(c),
        }
    }
    clean.push('\n');
    clean.into_bytes()
}

/// Takes one log line per write.
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
        fn every_line_stays_one_line_of_text(line in proptest::collection::vec(any::<char>(), 0..40)) {
            let clean = clean(&line.into_iter().collect::<String>());
            let text = String::from_utf8(clean).expect("it is UTF-8");
            let (text, end) = text.split_at(text.len() - 1);
            prop_assert_eq!(end, "\n");
            prop_assert!(!text.contains(char::is_control), "{:?}", text);
        }
    }

    /// The lines that an event with this text produces, as text or as JSON.
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
    fn r11_a_pipe_that_nobody_reads_blocks_nobody_and_lost_lines_are_counted() {
        let (mut reader, writer) = io::pipe().expect("two descriptors are to be had");
        let lines = LineWriter::start(writer, "test").expect("a thread is to be had");
        let (done, ended) = channel();
        thread::spawn(move || {
            // Far more than a pipe and the queue hold.
            for n in 0..5_000 {
                lines.line(&format!("{n:0200}"));
            }
            lines.flush(Duration::ZERO);
            let _ = done.send(lines.lost());
        });
        let lost = ended.recv_timeout(DEADLINE).expect("nobody waits for the reader");
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("it is UTF-8");
        assert!(lost > 1_000, "{lost}");
        assert_eq!(text.lines().count() as u64, 5_000 - lost, "all others arrive");
        assert!(text.starts_with(&format!("{:0200}\n", 0)), "in order, from the first");
    }

    #[test]
    fn r11_a_pipe_without_a_reader_ends_nothing() {
        let (reader, writer) = io::pipe().expect("two descriptors are to be had");
        drop(reader);
        let lines = LineWriter::start(writer, "test").expect("a thread is to be had");
        lines.line("nobody");
        lines.flush(DEADLINE);
        lines.line("nobody again");
        lines.flush(DEADLINE);
        assert_eq!(lines.lost(), 2);
    }
}
