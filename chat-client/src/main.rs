//! The terminal client of the room chat: arguments in, exit status out.

mod app;
mod args;
mod input;
mod net;
mod outbox;
mod render;
mod run;
mod screen;
mod typed;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use app::Ending;
use args::{Args, Stop};
use render::Line;
use screen::Screen;

/// What the shell is told when the flags are wrong. All other failures are status 1.
const USAGE_STATUS: u8 = 2;

fn main() -> ExitCode {
    let mut screen = Screen::standard();
    let address = match Args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args.address(),
        Err(Stop::Help(lines)) => {
            return status_of_output(screen.show(&lines).and_then(|()| screen.flush()));
        }
        Err(Stop::Usage(line)) => {
            screen.complain(&line);
            return ExitCode::from(USAGE_STATUS);
        }
    };
    let stream = match net::connect(address) {
        Ok(stream) => stream,
        Err(line) => {
            screen.complain(&line);
            return ExitCode::FAILURE;
        }
    };
    let person = std::io::stdin().is_terminal();
    if person {
        let hello = Line::new(&format!("connected to {address}. /help lists the commands."));
        if let Err(error) = screen.show(&[hello]) {
            return status_of_output(Err(error));
        }
    }
    match run::run(stream, screen, person) {
        Ok(Ending::Good) => ExitCode::SUCCESS,
        Ok(Ending::Bad) => ExitCode::FAILURE,
        Err(error) => status_of_output(Err(error)),
    }
}

/// A reader of our output that has seen enough, such as `head`, is no failure.
fn status_of_output(result: std::io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let line = Line::new(&format!("cannot write the output: {}", net::plain(&error)));
            Screen::standard().complain(&line);
            ExitCode::FAILURE
        }
    }
}
