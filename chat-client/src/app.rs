//! The client's state between two lines or messages: what is to be sent, shown, and how it ended.
//! Nothing in here reads, writes or waits.

use chat_proto::{Command, Incoming};

use crate::render::{self, Line};
use crate::typed::{self, Mistake, Typed};

/// What a typed line leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Nothing,
    /// To the server.
    Send(Command),
    /// To the person, as output.
    Show(Vec<Line>),
    /// To the person, as an error.
    Refuse(Line),
    /// Say nothing more to the server, and show what it has left to say.
    Quit,
}

/// How the server's side of the stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Between two messages.
    Clean,
    /// In the middle of a message.
    Cut {
        /// Bytes of it that had come.
        held: usize,
    },
    /// With bytes that are no message. They are not shown.
    NotAMessage,
    /// With an error of the connection.
    Lost(String),
}

/// Whether the client did what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Good,
    Bad,
}

/// The last message that says why the connection will end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    Stopping,
    Full,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(crate) struct App {
    /// The input has ended, or `/quit` ended it.
    leaving: bool,
    /// Rooms were shown of a list that goes on.
    in_list: bool,
    farewell: Option<Farewell>,
}

impl App {
    /// Takes a line of input, without its newline.
    pub(crate) fn line(&mut self, line: &str) -> Action {
        if self.leaving {
            return Action::Nothing;
        }
        match typed::read(line) {
            Ok(Typed::Blank) => Action::Nothing,
            Ok(Typed::Help) => Action::Show(typed::help().lines().map(Line::new).collect()),
            Ok(Typed::Quit) => self.input_ended(),
            Ok(Typed::Command(command)) => Action::Send(command),
            Err(mistake) => self.mistake(&mistake),
        }
    }

    /// Takes a line that could not be read, or not be sent.
    pub(crate) fn mistake(&self, mistake: &Mistake) -> Action {
        if self.leaving {
            return Action::Nothing;
        }
        Action::Refuse(Line::new(&format!("! {mistake}")))
    }

    /// The input has ended.
    pub(crate) fn input_ended(&mut self) -> Action {
        self.leaving = true;
        Action::Quit
    }

    /// Takes a message of the server; returns what there is to show.
    pub(crate) fn incoming(&mut self, message: &Incoming) -> Vec<Line> {
        match message.kind.as_str() {
            "SCChat" => render::chat(&message.member, &message.text),
            "SCSystemMessage" => {
                match message.code.as_deref() {
                    Some("server-stopping") => self.farewell = Some(Farewell::Stopping),
                    Some("server-full") => self.farewell = Some(Farewell::Full),
                    _ => {}
                }
                render::system(&message.text)
            }
            "SCRoomsResult" => self.rooms(message),
            // A server of tomorrow may have more to say.
            _ => Vec::new(),
        }
    }

    /// Shows each part of a list as it comes: a list is never held, however long it is.
    fn rooms(&mut self, message: &Incoming) -> Vec<Line> {
        let any = self.in_list || !message.rooms.is_empty();
        self.in_list = any && message.more;
        if !any && !message.more {
            return vec![Line::new("no rooms yet: /create TITLE makes one")];
        }
        message.rooms.iter().map(render::room).collect()
    }

    /// The connection has ended. `all_sent` when everything typed was sent, and the server was told
    /// that no more would come. The line is output after a good ending, an error after a bad one.
    pub(crate) fn closed(&self, closed: &Closed, all_sent: bool) -> (Ending, Option<Line>) {
        let bad = |why: &str| (Ending::Bad, Some(Line::new(why)));
        match (closed, self.farewell) {
            (Closed::Cut { held }, _) => bad(&format!(
                "the connection ended in the middle of a message, after {held} bytes of it"
            )),
            (Closed::NotAMessage, _) => {
                bad("what came is no message of a chat server. Is this the right port?")
            }
            (Closed::Clean | Closed::Lost(_), Some(Farewell::Stopping)) => {
                (Ending::Good, Some(Line::new("the server has stopped")))
            }
            (Closed::Lost(why), _) => bad(&format!("lost the connection to the server: {why}")),
            (Closed::Clean, Some(Farewell::Full)) => bad("the server takes no more connections"),
            (Closed::Clean, None) if !all_sent => bad("the server closed the connection"),
            (Closed::Clean, None) => (Ending::Good, None),
        }
    }
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
