//! The terminal client of the room chat.

mod app;
mod cli;
mod clock;
mod display;
mod event_loop;
mod inbox;
mod io_error;
mod net;
mod terminal;
mod threads;

use std::io::{self, ErrorKind, IsTerminal as _};
use std::process::ExitCode;
use std::time::Duration;

use chat_proto::{Lang, Localize};

use app::grant;
use app::options::{Format, Options};
use app::render;
use app::state::App;
use app::status::Status;
use cli::args::{self, Request};
use cli::locale;
use event_loop::{Ending, InputSource};
use io_error::IoErrorKind;
use net::connector::{Connected, Connector};
use terminal::line::Line;
use terminal::screen::{Layout, Screen};
use terminal::tty;

/// The exit status for wrong flags. All other failures are status 1.
const USAGE_STATUS: u8 = 2;

fn main() -> ExitCode {
    let lang = locale::of_environment(|name| std::env::var(name).ok());
    let mut screen = Screen::standard(Layout::Flat);
    let args = match args::parse(std::env::args_os().skip(1), lang) {
        Ok(Request::Chat(args)) => args,
        Ok(Request::Print(text)) => {
            let lines: Vec<Line> = text.lines().map(Line::new).collect();
            let printed = screen.show(&lines).and_then(|()| screen.flush());
            return status(printed.map(|()| Ending::Success), lang);
        }
        Err(refused) => {
            screen.fail(&refused.to_string());
            return ExitCode::from(USAGE_STATUS);
        }
    };
    let lang = args.options.lang;
    let connector = match Connector::new(args.server, args.trust.as_ref()) {
        Ok(connector) => connector,
        Err(error) => return fail(&mut screen, &error, lang),
    };
    let returns = args.options.reconnect || io::stdin().is_terminal() && is_pretty(args.plain);
    let connected = match connector.connect(&grant::hello(None, returns, Duration::ZERO, None)) {
        Ok(connected) => connected,
        Err(error) => return fail(&mut screen, &error, lang),
    };
    let ended = chat(args.options, args.plain, connector, connected);
    tty::restore();
    status(ended, lang)
}

fn fail(screen: &mut Screen, error: &impl Localize, lang: Lang) -> ExitCode {
    screen.fail(&error.localized(lang).to_string());
    ExitCode::FAILURE
}

/// Whether the output is for people.
fn is_pretty(plain: bool) -> bool {
    // A terminal without escape sequences declares itself dumb (terminfo(5)).
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !plain && !dumb && io::stdout().is_terminal()
}

/// Determines who reads the output and where input comes from, and takes over the terminal to read keys.
fn attach_terminal(plain: bool) -> (Format, InputSource) {
    let pretty = is_pretty(plain);
    let source = match io::stdin().is_terminal() {
        false => InputSource::Pipe,
        true if pretty && tty::take_over().is_ok() => InputSource::Keys,
        true => InputSource::Lines,
    };
    (if pretty { Format::Pretty } else { Format::Plain }, source)
}

fn chat(
    options: Options,
    plain: bool,
    connector: Connector,
    connection: Connected,
) -> io::Result<Ending> {
    let (format, source) = attach_terminal(plain);
    let typing = source == InputSource::Keys;
    // A terminal would begin a row with any part of a line.
    let mut screen = Screen::standard(if io::stdout().is_terminal() {
        Layout::Rows { colours: format == Format::Pretty && wants_colours(), typing }
    } else {
        Layout::Flat
    });
    let reconnect = options.reconnect || typing;
    let app = App::new(Options { format, reconnect, ..options });
    if source != InputSource::Pipe {
        let server = connector.server().to_string();
        let connected = Status::Connected { server: &server, encrypted: connector.is_encrypted() };
        screen.show(&[render::client(&app.say(&connected))])?;
    }
    event_loop::run(app, connection, connector, screen, source)
}

/// See <https://no-color.org>.
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns the exit status. A reader that has seen enough, such as `head`, is not a failure.
fn status(ended: io::Result<Ending>, lang: Lang) -> ExitCode {
    match ended {
        Ok(Ending::Success) => ExitCode::SUCCESS,
        Ok(Ending::Failure) => ExitCode::FAILURE,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let why = IoErrorKind::from(&error);
            let text = Status::CannotWrite { why: &why }.localized(lang).to_string();
            Screen::standard(Layout::Flat).fail(&text);
            ExitCode::FAILURE
        }
    }
}
