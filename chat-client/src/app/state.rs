//! The client's state between two lines or messages: what is to be sent, shown, and how it ended.
//! Nothing in here reads, writes or waits.

use std::collections::VecDeque;

use chat_proto::{Command, Incoming, Lang, Name, RoomId};

use crate::app::input::{self, Mistake, Typed};
use crate::app::render::{self, Form};
use crate::app::room_table::Table;
use crate::app::session_view::{Place, Surroundings};
use crate::app::texts::Text;
use crate::io_error::Fault;
use crate::terminal::completion::Vocabulary;
use crate::terminal::line::{Line, Style};

/// Of a title, as much stands in the prompt.
const MAX_PROMPT_CHARS: usize = 16;

/// How the client behaves, for as long as it runs.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    pub(crate) form: Form,
    pub(crate) lang: Lang,
    /// Whether a lost connection is made again.
    pub(crate) reconnect: bool,
    /// The name to have from the start, and the room to be in.
    pub(crate) name: Option<Name>,
    pub(crate) join: Option<RoomId>,
}

/// What a line, a message or a connection leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// To the person, as output.
    pub(crate) show: Vec<Line>,
    /// To the person, as an error.
    pub(crate) refuse: Option<Line>,
    /// To the server.
    pub(crate) send: Vec<Command>,
    /// Say nothing more to the server, and show what it has left to say.
    pub(crate) quit: bool,
    /// End at once, badly, with this line.
    pub(crate) fail: Option<Line>,
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
    Lost(Fault),
}

/// Whether the client did what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Good,
    Bad,
}

/// What follows the end of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The client ends. The line is output after a good ending, an error after a bad one.
    Over(Ending, Option<Line>),
    /// The connection is to be made again.
    Again(Vec<Line>),
}

/// The last message that says why the connection will end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    Stopping,
    /// There is no place for us: nothing of what was sent was done.
    Full,
    /// We were too slow.
    CutOff,
}

impl Farewell {
    fn of(code: Option<&str>) -> Option<Self> {
        match code? {
            "server-stopping" => Some(Self::Stopping),
            "server-full" | "too-many-from-address" => Some(Self::Full),
            "frame-timeout" | "slow-consumer" => Some(Self::CutOff),
            _ => None,
        }
    }
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct App {
    manner: Manner,
    seen: Surroundings,
    online: bool,
    /// The server has said something on this connection, and on any, besides that it is full.
    served: bool,
    ever_served: bool,
    /// There has been a connection before this one.
    came_back: bool,
    /// The input has ended, or `/quit` ended it.
    leaving: bool,
    /// This client asked the server to stop.
    asked_to_stop: bool,
    /// Rooms were shown of a list that goes on.
    in_list: bool,
    table: Option<Table>,
    /// The room to go back to: it is looked for in the next list, which is not shown.
    way_back: Option<Place>,
    /// The room that was asked for on the way back, until the answer.
    returning: Option<Place>,
    /// Flags whose answers have not come yet, in order.
    asked_by_flags: VecDeque<&'static str>,
    farewell: Option<Farewell>,
}

impl App {
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            manner,
            seen: Surroundings::default(),
            online: false,
            served: false,
            ever_served: false,
            came_back: false,
            leaving: false,
            asked_to_stop: false,
            in_list: false,
            table: None,
            way_back: None,
            returning: None,
            asked_by_flags: VecDeque::new(),
            farewell: None,
        }
    }

    /// What the prompt says: the room, or that there is no connection.
    pub(crate) fn prompt(&self) -> Line {
        let mut line = Line::default();
        let place = self.seen.place();
        line.with(Style::Dim, |line| match place {
            _ if !self.online => line.push_visible(&self.say(Text::Offline)),
            Some(Place { room, title, .. }) => {
                line.push_visible(&room.to_string());
                if let Some(title) = title {
                    line.push_visible(" ");
                    line.push_isolated(&shortened(title));
                }
            }
            None => {}
        });
        line.push_visible("> ");
        line
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        self.seen.vocabulary()
    }

    /// Whether the server has taken this connection: it has said something on it.
    pub(crate) fn is_served(&self) -> bool {
        self.served
    }

    pub(crate) fn is_online(&self) -> bool {
        self.online
    }

    pub(crate) fn say(&self, text: Text<'_>) -> String {
        text.say(self.manner.lang)
    }

    /// Takes a line of input, without its newline.
    pub(crate) fn line(&mut self, at: &str, line: &str) -> Outcome {
        if self.leaving {
            return Outcome::default();
        }
        let mut outcome = match input::read(line) {
            Ok(Typed::Blank) => Outcome::default(),
            Ok(Typed::Help) => show(self.say(Text::Commands).lines().map(Line::new).collect()),
            Ok(Typed::Quit) => self.input_ended(),
            Ok(Typed::Command(command)) => self.command(command),
            Err(mistake) => self.mistake(&mistake),
        };
        if self.manner.form == Form::Pretty {
            let echo = match outcome.send.as_slice() {
                [Command::Chat(text)] => render::own(at, text.as_str()),
                // A newline of a pasted text is shown by number: a command is one line.
                _ if outcome != Outcome::default() => {
                    vec![Line::styled(&format!("> {line}"), Style::Dim).indented(2)]
                }
                _ => Vec::new(),
            };
            outcome.show.splice(0..0, echo);
        }
        outcome
    }

    fn command(&mut self, command: Command) -> Outcome {
        if !self.online {
            return refuse(&self.say(Text::NotConnected));
        }
        self.seen.ask(&command);
        self.asked_to_stop |= command == Command::Shutdown;
        Outcome { send: vec![command], ..Outcome::default() }
    }

    /// Takes a line that could not be read, or not be sent.
    pub(crate) fn mistake(&self, mistake: &Mistake) -> Outcome {
        if self.leaving {
            return Outcome::default();
        }
        refuse(&self.say(Text::Mistake(mistake)))
    }

    /// The input has ended.
    pub(crate) fn input_ended(&mut self) -> Outcome {
        self.leaving = true;
        Outcome { quit: true, ..Outcome::default() }
    }

    /// There is a connection, after so many seconds without one.
    pub(crate) fn connected(&mut self, seconds: u64) -> Outcome {
        self.online = true;
        self.served = false;
        self.farewell = None;
        let mut outcome = Outcome::default();
        if self.came_back {
            outcome.show.push(render::client(&self.say(Text::ConnectedAgain { seconds })));
            outcome.send.extend(self.seen.name().cloned().map(Command::Rename));
            // Numbers begin anew when a server does: only with its title is it the same room.
            self.way_back = self.seen.leave().filter(|place| place.title.is_some());
            outcome.send.extend(self.way_back.iter().map(|_| Command::Rooms));
        } else {
            let name = self.manner.name.clone().map(Command::Rename);
            let join = self.manner.join.map(Command::Join);
            for (flag, command) in [("--name", name), ("--join", join)] {
                let Some(command) = command else { continue };
                self.seen.ask(&command);
                outcome.send.push(command);
                self.asked_by_flags.push_back(flag);
            }
        }
        self.came_back = true;
        outcome
    }

    /// Takes a message of the server.
    pub(crate) fn incoming(&mut self, at: &str, message: &Incoming) -> Outcome {
        self.seen.see(message);
        self.served |= Farewell::of(message.code.as_deref()) != Some(Farewell::Full);
        self.ever_served |= self.served;
        match message.kind.as_str() {
            "SCChat" => show(render::chat(self.manner.form, at, &message.member, &message.text)),
            "SCSystemMessage" => self.notice(at, message),
            "SCRoomsResult" if self.way_back.is_some() => self.look_for_the_way_back(message),
            "SCRoomsResult" => show(self.rooms(message)),
            // A server of tomorrow may have more to say.
            _ => Outcome::default(),
        }
    }

    fn notice(&mut self, at: &str, message: &Incoming) -> Outcome {
        let code = message.code.as_deref();
        self.farewell = Farewell::of(code).or(self.farewell);
        let mut outcome = show(render::system(self.manner.form, at, &message.text));
        outcome.show.extend(self.missed(message));
        // A program that is not who or where it wants to be must not go on talking; a person sees it.
        if let Some(flag) = self.asked_by_flags.pop_front()
            && self.manner.form == Form::Plain
            && code.is_some_and(|code| !matches!(code, "renamed" | "room-entered"))
            && self.farewell.is_none()
        {
            outcome.fail = Some(Line::new(&self.say(Text::FlagRefused { flag })));
        }
        outcome
    }

    /// Back in the room, its counter tells how much was said meanwhile.
    fn missed(&mut self, message: &Incoming) -> Option<Line> {
        if message.code.as_deref() != Some("room-entered") {
            return None;
        }
        let before = self.returning.take()?;
        // Two of the broadcasts are our own: that we left, and that we came.
        let count = message.seq?.saturating_sub(before.seq.saturating_add(2));
        let same = message.room_id == Some(before.room);
        (same && count > 0).then(|| render::client(&self.say(Text::Missed { count })))
    }

    fn look_for_the_way_back(&mut self, message: &Incoming) -> Outcome {
        let Some(place) = self.way_back.take() else { return Outcome::default() };
        let is_it = |room: &chat_proto::RoomEntry| {
            room.room_id == place.room && Some(&room.title) == place.title.as_ref()
        };
        if message.rooms.iter().any(is_it) {
            let join = RoomId::new(place.room).ok().map(Command::Join);
            self.returning = Some(place);
            // The rest of the list, if there is one, is shown; nobody reads lists that long.
            return Outcome { send: join.into_iter().collect(), ..Outcome::default() };
        }
        if message.more {
            self.way_back = Some(place);
            return Outcome::default();
        }
        let gone = self.say(Text::RoomGone { room: place.room });
        show(vec![render::client(&gone)])
    }

    /// Shows each part of a list as it comes: a list is never held, however long it is.
    fn rooms(&mut self, message: &Incoming) -> Vec<Line> {
        let began = self.in_list;
        let any = began || !message.rooms.is_empty();
        self.in_list = any && message.more;
        if !any && !message.more {
            return vec![render::client(&self.say(Text::NoRooms))];
        }
        if self.manner.form == Form::Plain {
            return message.rooms.iter().map(render::room).collect();
        }
        let table = self.table.take().filter(|_| began);
        let mut table = table.unwrap_or_else(|| Table::new(self.manner.lang));
        table.make_room(&message.rooms);
        let head = (any && !began).then(|| table.head());
        let lines = head.into_iter().chain(message.rooms.iter().map(|room| table.row(room)));
        let lines = lines.collect();
        self.table = Some(table);
        lines
    }

    /// The connection has ended. `all_sent` when everything typed was sent, and the server was told
    /// that no more would come.
    pub(crate) fn closed(&mut self, closed: &Closed, all_sent: bool) -> After {
        let (ending, why) = self.verdict(closed, all_sent);
        if !self.is_to_be_made_again(closed) {
            return After::Over(ending, why.map(|why| self.parting(ending, &why)));
        }
        self.online = false;
        self.in_list = false;
        self.asked_by_flags.clear();
        if let Some(place) = self.way_back.take().or(self.returning.take()) {
            self.seen.return_to(place);
        }
        let why = why.into_iter().chain([self.say(Text::TryingAgain)]);
        After::Again(why.map(|text| render::client(&text)).collect())
    }

    fn is_to_be_made_again(&self, closed: &Closed) -> bool {
        let gone = match (closed, self.farewell) {
            (Closed::NotAMessage, _) => false,
            // It may be starting anew, unless we wanted it to stop.
            (_, Some(Farewell::Stopping)) => !self.asked_to_stop,
            (_, Some(Farewell::Full)) => self.ever_served,
            (_, Some(Farewell::CutOff) | None) => true,
        };
        gone && self.manner.reconnect && !self.leaving
    }

    /// Output says who speaks; what goes to the errors is the client's anyway.
    fn parting(&self, ending: Ending, why: &str) -> Line {
        match ending {
            Ending::Good => render::client(why),
            Ending::Bad => Line::new(why),
        }
    }

    fn verdict(&self, closed: &Closed, all_sent: bool) -> (Ending, Option<String>) {
        let bad = |why| (Ending::Bad, Some(self.say(why)));
        match (closed, self.farewell) {
            (Closed::Cut { held }, _) => bad(Text::Cut { held: *held }),
            (Closed::NotAMessage, _) => bad(Text::NotAMessage),
            (Closed::Clean | Closed::Lost(_), Some(Farewell::Stopping)) => {
                (Ending::Good, Some(self.say(Text::ServerStopped)))
            }
            (Closed::Lost(why), _) => bad(Text::Lost { why }),
            (Closed::Clean, Some(Farewell::Full)) => bad(Text::ServerFull),
            (Closed::Clean, Some(Farewell::CutOff)) => bad(Text::ServerClosed),
            (Closed::Clean, None) if !all_sent => bad(Text::ServerClosed),
            (Closed::Clean, None) => (Ending::Good, None),
        }
    }
}

fn shortened(title: &str) -> String {
    if title.chars().count() <= MAX_PROMPT_CHARS {
        return title.to_owned();
    }
    title.chars().take(MAX_PROMPT_CHARS - 1).chain(['…']).collect()
}

fn show(show: Vec<Line>) -> Outcome {
    Outcome { show, ..Outcome::default() }
}

fn refuse(why: &str) -> Outcome {
    Outcome { refuse: Some(render::refusal(why)), ..Outcome::default() }
}

#[cfg(test)]
mod tests;
