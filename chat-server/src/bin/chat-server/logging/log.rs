//! The log of the program: its format, its level, and the record of a panic. Log lines are English whatever `--lang`
//! says, since programs read them.

use std::env;
use std::io;
use std::panic;
use std::time::Duration;

use chat_proto::Localize;
use chat_server::Lang;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use super::line_writer::LineWriter;
use crate::exit_error::ExitError;
use crate::settings::{LogFormat, Settings};

/// How long the program waits at its end for the last lines to be written.
pub(crate) const FLUSH: Duration = Duration::from_millis(500);

/// The log. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    lines: LineWriter,
    format: LogFormat,
    lang: Lang,
}

/// Flushes the log when dropped, even during a panic.
#[derive(Debug)]
pub(crate) struct FlushAtEnd<'a>(pub(crate) &'a Log);

/// Starts the log on standard error. Call it once.
///
/// # Errors
/// If the system refuses a descriptor or a thread.
pub(crate) fn start(settings: &Settings) -> io::Result<Log> {
    let lines = LineWriter::start(io::stderr(), "chat-log")?;
    let (filter, wrong) = filter(settings.log);
    let layer = fmt::layer().with_ansi(false).with_target(false).with_writer(lines.clone());
    match settings.log_format {
        LogFormat::Text => registry().with(layer.with_filter(filter)).init(),
        LogFormat::Json => {
            let layer = layer.json().flatten_event(true).with_current_span(false);
            registry().with(layer.with_span_list(false).with_filter(filter)).init();
        }
    }
    if wrong {
        tracing::warn!("RUST_LOG is not a level such as debug or warn: logging at info");
    }
    panic::set_hook(Box::new(log_panic));
    Ok(Log { lines, format: settings.log_format, lang: settings.lang() })
}

/// Returns the filter of levels, and whether `RUST_LOG` is malformed.
fn filter(level: Option<LevelFilter>) -> (Targets, bool) {
    let all = |level| Targets::new().with_default(level);
    if let Some(level) = level {
        return (all(level), false);
    }
    match env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => match directives.parse() {
            Ok(filter) if directives.split(',').all(names_a_level) => (filter, false),
            _ => (all(LevelFilter::INFO), true),
        },
        Ok(_) | Err(env::VarError::NotPresent) => (all(LevelFilter::INFO), false),
        Err(env::VarError::NotUnicode(_)) => (all(LevelFilter::INFO), true),
    }
}

/// Whether a directive of `RUST_LOG` names a level. Any other bare word would be taken for a module, and everything
/// else would be silenced.
fn names_a_level(directive: &str) -> bool {
    directive.contains('=') || directive.parse::<LevelFilter>().is_ok()
}

/// Logs where the panic happened, and its message if that is a literal: a formatted message may contain what a user
/// wrote.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let why =
        panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("see the source there");
    let thread = std::thread::current();
    tracing::error!(
        thread = thread.name().unwrap_or("?"),
        at,
        why,
        "panic: a bug in the server, please report it"
    );
}

impl Log {
    /// Logs why the program ends: a line for people in their language, or an object in English.
    pub(crate) fn exit_error(&self, error: &ExitError) {
        match self.format {
            LogFormat::Text => {
                self.lines.line(&format!("chat-server: {}", error.localized(self.lang)));
            }
            LogFormat::Json => {
                let address = error.address().map(tracing::field::display);
                tracing::error!(address, error = error.source(), "{}", error.localized(Lang::En));
            }
        }
    }

    /// Whether lines are written for people.
    pub(crate) fn is_text(&self) -> bool {
        self.format == LogFormat::Text
    }

    /// The number of lines that were lost, because they could not be written, or not in time.
    pub(crate) fn lost_lines(&self) -> u64 {
        self.lines.lost()
    }

    /// Waits briefly until all lines have been written.
    pub(crate) fn flush(&self) {
        self.lines.flush(FLUSH);
    }
}

impl Drop for FlushAtEnd<'_> {
    fn drop(&mut self) {
        self.0.flush();
    }
}
