//! The terminal client of the room chat: arguments in, exit status out.

mod app;
mod cli;
mod event_loop;
mod io_error;
mod net;
mod terminal;
mod threads;

use std::io::{self, ErrorKind, IsTerminal as _};
use std::process::ExitCode;

use chat_proto::Lang;

use app::render::{self, Form};
use app::state::{App, Ending, Manner};
use app::texts::Text;
use cli::args::{Args, Stop};
use cli::locale;
use event_loop::Typist;
use io_error::Fault;
use net::connection::{self, Unreached};
use terminal::line::Line;
use terminal::screen::{Look, Screen};
use terminal::tty;

/// What the shell is told when the flags are wrong. All other failures are status 1.
const USAGE_STATUS: u8 = 2;

fn main() -> ExitCode {
    let lang = locale::of_environment(|name| std::env::var(name).ok());
    let mut screen = Screen::standard(Look::Flat);
    let args = match Args::parse(std::env::args_os().skip(1), lang) {
        Ok(args) => args,
        Err(Stop::Help(lines)) => {
            return status(
                screen.show(&lines).and_then(|()| screen.flush()).map(|()| Ending::Good),
                lang,
            );
        }
        Err(Stop::Usage(line)) => {
            screen.fail(&line);
            return ExitCode::from(USAGE_STATUS);
        }
    };
    let lang = args.lang.unwrap_or(lang);
    let server = args.server();
    let stream = match connection::connect(&server) {
        Ok(stream) => stream,
        Err(why) => {
            let text = match &why {
                Unreached::NotFound(why) => Text::CannotFind { host: &server.host, why },
                Unreached::NotConnected(why) => Text::CannotReach { server: &server, why },
            };
            screen.fail(&Line::new(&text.say(lang)));
            return ExitCode::FAILURE;
        }
    };
    let (form, typist) = surroundings(args.plain);
    let ended = chat(args, lang, stream, form, typist);
    tty::give_back();
    status(ended, lang)
}

/// Who output is for and where input comes from. The terminal is taken over when keys are read.
fn surroundings(plain: bool) -> (Form, Typist) {
    let person = io::stdin().is_terminal();
    // A terminal that knows no sequences says so (terminfo(5)).
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let form =
        if !plain && !dumb && io::stdout().is_terminal() { Form::Pretty } else { Form::Plain };
    let typist = match (person, form) {
        (false, _) => Typist::Program,
        (true, Form::Pretty) if tty::take_over().is_ok() => Typist::Keys,
        (true, _) => Typist::Lines,
    };
    (form, typist)
}

fn chat(
    args: Args,
    lang: Lang,
    stream: std::net::TcpStream,
    form: Form,
    typist: Typist,
) -> io::Result<Ending> {
    let server = args.server();
    let look = match form {
        Form::Plain => Look::Flat,
        Form::Pretty => Look::Rows { colours: wants_colours(), typing: typist == Typist::Keys },
    };
    let mut screen = Screen::standard(look);
    if typist != Typist::Program {
        let hello = Text::Connected { to: &server }.say(lang);
        screen.show(&[render::client(&hello)])?;
    }
    let reconnect = args.reconnect || typist == Typist::Keys;
    let manner = Manner { form, lang, reconnect, name: args.name, join: args.join };
    event_loop::run(App::new(manner), stream, server, screen, typist)
}

/// See <https://no-color.org>.
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A reader of our output that has seen enough, such as `head`, is no failure.
fn status(ended: io::Result<Ending>, lang: Lang) -> ExitCode {
    match ended {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::FAILURE,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let text = Text::CannotWrite { why: &Fault::from(&error) }.say(lang);
            Screen::standard(Look::Flat).fail(&Line::new(&text));
            ExitCode::FAILURE
        }
    }
}
