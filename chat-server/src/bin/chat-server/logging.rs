//! The log of the program: what it is made of, where it goes, and what a panic leaves in it. Its lines are
//! English, whatever `--lang` says: programs read them.

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

use crate::exit_error::ExitError;
use crate::line_writer::LineWriter;
use crate::settings::{LogFormat, Settings};

/// How long the end of the program waits for its last lines to be taken.
pub(crate) const FLUSH: Duration = Duration::from_millis(500);

/// The log. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    lines: LineWriter,
    format: LogFormat,
    lang: Lang,
}

/// Has what is still to be written written when it is dropped, also by a panic.
#[derive(Debug)]
pub(crate) struct FlushAtEnd<'a>(&'a Log);

/// Starts the log, on standard error. To be called once.
///
/// # Errors
/// When the system gives no descriptor or no thread.
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
        tracing::warn!("RUST_LOG is no level, as debug or warn: info it is");
    }
    panic::set_hook(Box::new(log_panic));
    Ok(Log { lines, format: settings.log_format, lang: settings.lang() })
}

/// What is logged, and whether the environment asked for something that there is not.
fn filter(level: Option<LevelFilter>) -> (Targets, bool) {
    let all = |level| Targets::new().with_default(level);
    if let Some(level) = level {
        return (all(level), false);
    }
    match env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => match directives.parse() {
            Ok(filter) if directives.split(',').all(is_level_or_has_one) => (filter, false),
            _ => (all(LevelFilter::INFO), true),
        },
        Ok(_) | Err(env::VarError::NotPresent) => (all(LevelFilter::INFO), false),
        Err(env::VarError::NotUnicode(_)) => (all(LevelFilter::INFO), true),
    }
}

/// Whether the log goes on with that part of `RUST_LOG`: a word that is no level would be taken for
/// a part of the program, all of which is logged, and nothing else.
fn is_level_or_has_one(directive: &str) -> bool {
    directive.contains('=') || directive.parse::<LevelFilter>().is_ok()
}

/// Says where, and why if that was written by us: a message that was put together may hold what
/// somebody said.
fn log_panic(panic: &panic::PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("see there");
    let thread = std::thread::current();
    tracing::error!(thread = thread.name().unwrap_or("?"), at, why, "panic: a bug in the server");
}

impl Log {
    /// Says why the program ends: as a line for people in their language, if lines are for people, or
    /// else in English.
    pub(crate) fn failure(&self, why: &ExitError) {
        match self.format {
            LogFormat::Text => {
                self.lines.line(&format!("chat-server: {}", why.localized(self.lang)));
            }
            LogFormat::Json => tracing::error!("{}", why.localized(Lang::En)),
        }
    }

    /// How many lines nobody read in time.
    pub(crate) fn lost_lines(&self) -> u64 {
        self.lines.lost()
    }

    /// Flushes the log at the end of the scope.
    pub(crate) fn flush_at_end(&self) -> FlushAtEnd<'_> {
        FlushAtEnd(self)
    }

    /// Waits for what is still to be written, but not for long.
    pub(crate) fn flush(&self) {
        self.lines.flush(FLUSH);
    }
}

impl Drop for FlushAtEnd<'_> {
    fn drop(&mut self) {
        self.0.flush();
    }
}
