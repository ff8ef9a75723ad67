//! [`App`]: the state between two events, and the effects of each event.

mod granted;

use std::collections::VecDeque;
use std::time::Instant;

use chat_proto::extended::{ClientRequest, Feature};
use chat_proto::{Command, Incoming, Localize};

use crate::app::catch_up::CatchUp;
use crate::app::grant::Grant;
use crate::app::help;
use crate::app::input::{self, Input};
use crate::app::input_error::InputError;
use crate::app::members::MemberLists;
use crate::app::notice::{self, Wording};
use crate::app::options::{Format, Options};
use crate::app::outstanding::Outstanding;
use crate::app::render::{self, Speaker};
use crate::app::room_lists::{Filter, ListStep, RoomLists};
use crate::app::session_status::SessionStatus;
use crate::app::session_view::{JoinedRoom, SessionView};
use crate::app::status::Status;
use crate::app::unanswered::{ChatId, RefusedChat, Unanswered};
use crate::net::connection::StreamEnd;
use crate::terminal::completion::Vocabulary;
use crate::terminal::input_rows::Prompt;
use crate::terminal::line::{Line, Style};
use crate::terminal::line_reader::LineError;
use crate::terminal::visible::Visible;

/// The most cells of the room's title in the prompt.
const MAX_PROMPT_CELLS: usize = 20;

/// The circumstances in which an event is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The time of day, for people.
    pub(crate) time: &'a str,
    /// Returns the same for a time in ms since 1970, with the date unless it is today.
    pub(crate) time_of: fn(u64) -> String,
    pub(crate) now: Instant,
    /// The width of the terminal, in cells.
    pub(crate) columns: usize,
    /// Whether much of what was sent has yet to be written to the server.
    pub(crate) is_congested: bool,
}

/// The effects of a line, a message or a connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Output for the person.
    pub(crate) show: Vec<Line>,
    /// A chat of the person's own, which can still be refused, and its lines.
    pub(crate) own: Option<(ChatId, Vec<Line>)>,
    /// A chat that was refused, and what to show in its place, or before everything else.
    pub(crate) refused: Option<(ChatId, Vec<Line>)>,
    /// The reason why a line was not sent.
    pub(crate) complain: Option<String>,
    /// The same for chats sent over the connection before this one.
    pub(crate) lost: Vec<String>,
    /// Requests for the server.
    pub(crate) send: Vec<ClientRequest>,
    /// Whether to say nothing more to the server, and to show what it still has to say.
    pub(crate) quit: bool,
    /// An error to end with at once.
    pub(crate) fail: Option<String>,
}

/// What follows the end of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AfterClose {
    /// The client ends, with a last line of output.
    Succeed(Option<Line>),
    /// The client ends with this error.
    Fail(String),
    /// The client connects again.
    Reconnect(Vec<Line>),
}

/// The server's reason for closing the connection, from its last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CloseReason {
    ServerStopping,
    /// The server carried out nothing of what was sent.
    ServerFull,
    /// This client was too slow.
    Evicted,
    /// The operator wants this client to leave.
    Removed,
    /// The server carried out nothing of what was sent, because the connection was not encrypted.
    TlsRequired,
    /// The session is used over another connection.
    ResumedElsewhere,
}

impl CloseReason {
    fn of(code: Option<&str>) -> Option<Self> {
        match code? {
            "server-stopping" => Some(Self::ServerStopping),
            "server-full" | "too-many-from-address" | "proxy-header-expected" => {
                Some(Self::ServerFull)
            }
            "frame-timeout" | "slow-consumer" => Some(Self::Evicted),
            "removed" => Some(Self::Removed),
            "tls-required" => Some(Self::TlsRequired),
            "resumed-elsewhere" => Some(Self::ResumedElsewhere),
            _ => None,
        }
    }
}

/// The history that is expected from the server, and how it is to be shown.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum History {
    #[default]
    None,
    /// What was said before this client entered the room by the broadcast `entered`.
    Earlier { entered: u64 },
    /// What was said while this client had no connection; `seconds`, if that has yet to be told.
    Missed { seconds: Option<u64> },
}

/// The state of the client.
#[derive(Debug, Default)]
pub(crate) struct App {
    options: Options,
    session: SessionView,
    lists: RoomLists,
    unanswered: Unanswered,
    outstanding: Outstanding,
    members: MemberLists,
    catch_up: CatchUp,
    history: History,
    /// What the server has granted on this connection, or on the last one.
    grant: Option<Grant>,
    online: bool,
    /// Whether the server has said anything on this connection, except that it is full.
    served: bool,
    /// The same for any connection so far.
    ever_served: bool,
    /// Whether there was a connection before this one.
    reconnected: bool,
    /// Whether the input has ended, or `/quit` was typed.
    leaving: bool,
    /// Whether this client sent `CSShutdown`.
    sent_shutdown: bool,
    /// The room being entered again, until the answer.
    returning: Option<JoinedRoom>,
    /// Whether the room of the session view is one to return to, rather than one that the client is in.
    is_away: bool,
    /// The epoch of the room that the client is in, or is to return to.
    room_epoch: Option<String>,
    /// Flags whose requests have not been answered, in order.
    requested_by_flags: VecDeque<&'static str>,
    close_reason: Option<CloseReason>,
}

impl App {
    pub(crate) fn new(options: Options) -> Self {
        let lists = RoomLists::new(options.format, options.lang);
        let members = MemberLists::new(options.lang);
        Self { options, lists, members, session: SessionView::new(), ..Self::default() }
    }

    /// Returns the prompt: the room, or that there is no connection.
    pub(crate) fn prompt(&self) -> Prompt {
        let prompt = |state: &str, title: Option<&str>| {
            let mut line = Line::default();
            line.with(Style::Dim, |line| {
                line.push_text(state);
                if let Some(title) = title {
                    line.push_mark(" ");
                    line.push(&Visible::name(title).shortened(MAX_PROMPT_CELLS));
                }
            });
            line.push_mark("> ");
            line
        };
        let (state, title) = match self.session.room() {
            _ if !self.online => (self.say(&Status::Offline), None),
            Some(JoinedRoom { id, title, .. }) => (id.to_string(), title.as_deref()),
            None => (String::new(), None),
        };
        Prompt { full: prompt(&state, title), short: prompt(&state, None) }
    }

    pub(crate) fn vocabulary(&self) -> &Vocabulary {
        self.session.vocabulary()
    }

    /// Whether the server has accepted this connection, which is certain once it has said something.
    pub(crate) fn is_served(&self) -> bool {
        self.served
    }

    pub(crate) fn is_online(&self) -> bool {
        self.online
    }

    /// Returns a text in the client's language.
    pub(crate) fn say(&self, text: &impl Localize) -> String {
        text.localized(self.options.lang).to_string()
    }

    /// Handles a line of input, or the reason why it is unusable.
    pub(crate) fn line(&mut self, at: Context<'_>, line: Result<&str, LineError>) -> Effects {
        if self.leaving {
            return Effects::default();
        }
        let line = match line {
            Ok(line) => line,
            Err(error) => return self.refuse(&error.into()),
        };
        let meant = input::in_latin(line);
        let mut effects = match input::parse(meant.as_deref().unwrap_or(line)) {
            Ok(Input::Blank) => return Effects::default(),
            Ok(Input::Help) => show(self.say(&help::Commands).lines().map(Line::new).collect()),
            Ok(Input::Quit) => self.input_ended(at.now),
            Ok(Input::Who) => self.who(at),
            Ok(Input::FindRooms(word)) => self.command(at, Command::Rooms, Filter::Title(word)),
            Ok(Input::Command(command)) => self.command(at, command, Filter::All),
            Err(error) => self.refuse(&error),
        };
        let is_pretty = self.options.format == Format::Pretty;
        let echo = (is_pretty && effects.own.is_none()).then(|| render::typed(line));
        let meant =
            meant.map(|line| render::client(&self.say(&Status::Understood { line: &line })));
        effects.show.splice(0..0, echo.into_iter().chain(meant));
        effects
    }

    fn command(&mut self, at: Context<'_>, command: Command, filter: Filter) -> Effects {
        if let Some(obstacle) = self.obstacle(at) {
            return self.refuse(&obstacle);
        }
        match command {
            Command::Rooms => self.lists.show(filter),
            Command::Shutdown => self.sent_shutdown = true,
            _ => {}
        }
        let format = self.options.format;
        let own = match &command {
            Command::Chat(text) if format == Format::Pretty => {
                Some(render::said(format, at.time, Speaker::Own, text.as_str()))
            }
            _ => None,
        };
        let mut effects = Effects::default();
        let id = self.send(&mut effects, command, at.now);
        effects.own = own.map(|lines| (id, lines));
        effects
    }

    /// Why nothing can be sent now.
    fn obstacle(&self, at: Context<'_>) -> Option<InputError> {
        match self.online {
            false => Some(InputError::NotConnected),
            true => at.is_congested.then_some(InputError::Congested),
        }
    }

    /// Adds a command to be sent. Returns the number of the last chat.
    fn send(&mut self, effects: &mut Effects, command: Command, now: Instant) -> ChatId {
        self.session.sent(&command);
        let (id, request) = match command {
            Command::Chat(text) if self.has(Feature::Ack) => {
                let id = self.unanswered.number();
                (id, self.outstanding.chat(id, text, now))
            }
            command => {
                let id = self.unanswered.sent(&command);
                let request = self.request(command);
                (id, self.outstanding.request(request, now))
            }
        };
        effects.send.extend(request);
        id
    }

    fn refuse(&self, error: &InputError) -> Effects {
        Effects { complain: Some(self.say(error)), ..Effects::default() }
    }

    /// Handles the end of the input.
    pub(crate) fn input_ended(&mut self, now: Instant) -> Effects {
        self.leaving = true;
        let send = if self.online { self.last_requests(now) } else { Vec::new() };
        Effects { send, quit: true, ..Effects::default() }
    }

    /// Sends the requests of the flags.
    fn begin(&mut self, effects: &mut Effects, now: Instant) {
        let name = self.options.name.clone().map(Command::Rename);
        let join = self.options.join.map(Command::Join);
        for (flag, command) in [("--name", name), ("--join", join)] {
            let Some(command) = command else { continue };
            self.send(effects, command, now);
            self.requested_by_flags.push_back(flag);
        }
    }

    /// Takes the name again that the client had, and looks for its room.
    fn return_to_room(&mut self, effects: &mut Effects, now: Instant) {
        if let Some(name) = self.session.name().cloned() {
            self.send(effects, Command::Rename(name), now);
        }
        self.look_for_room(effects, now);
    }

    fn look_for_room(&mut self, effects: &mut Effects, now: Instant) {
        self.is_away = false;
        // Without its title, a room cannot be recognized.
        if let Some(room) = self.session.leave().filter(|room| room.title.is_some()) {
            self.lists.look_for(room);
            self.send(effects, Command::Rooms, now);
        }
    }

    /// Handles a message from the server.
    pub(crate) fn incoming(&mut self, at: Context<'_>, message: &Incoming) -> Effects {
        self.session.received(message);
        let reason = CloseReason::of(message.code.as_deref());
        self.served |= reason != Some(CloseReason::ServerFull);
        self.ever_served |= self.served;
        let refused = self.unanswered.answered(message);
        let mut effects = self.message(at, message);
        if let Some(refused) = refused {
            self.show_refused(at, refused, &mut effects);
        }
        effects
    }

    fn show_refused(&self, at: Context<'_>, refused: RefusedChat, effects: &mut Effects) {
        let RefusedChat { id, text } = refused;
        let label = self.say(&Status::NotSent);
        let (format, speaker) = (self.options.format, Speaker::Refused(&label));
        match format {
            Format::Pretty => {
                effects.refused = Some((id, render::said(format, at.time, speaker, &text)));
            }
            Format::Plain => effects.complain = Some(format!("{label}: {text}")),
        }
    }

    fn message(&mut self, at: Context<'_>, message: &Incoming) -> Effects {
        match message.kind.as_str() {
            "SCChat" => show(self.event(at.time, message)),
            "SCSystemMessage" => self.notice(at.time, message),
            "SCRoomsResult" => match self.lists.take(message, at.columns) {
                ListStep::Show(lines) => show(lines),
                ListStep::Found(room) => {
                    let mut effects = Effects::default();
                    self.enter_again(&room, at.now, &mut effects);
                    self.returning = Some(room);
                    effects
                }
            },
            // A newer server may send other types.
            _ => Effects::default(),
        }
    }

    /// Lays out an `SCChat` or an `SCSystemMessage`.
    fn event(&self, time: &str, message: &Incoming) -> Vec<Line> {
        let format = self.options.format;
        if message.kind == "SCChat" {
            let speaker = Speaker::Member(&message.member);
            return render::said(format, time, speaker, &message.text);
        }
        let joined = self.session.room().map(|room| room.id);
        match notice::text(message, joined, self.options.lang) {
            Wording::Theirs(text) => render::said(format, time, Speaker::Server, &text),
            Wording::Ours(text) => render::reworded(format, time, &text),
        }
    }

    fn notice(&mut self, time: &str, message: &Incoming) -> Effects {
        let code = message.code.as_deref();
        self.close_reason = CloseReason::of(code).or(self.close_reason);
        let mut effects = show(self.event(time, message));
        effects.show.extend(self.missed(message));
        // A script must not continue under another name or in another room; a person sees the refusal.
        if let Some(flag) = self.requested_by_flags.pop_front()
            && self.options.format == Format::Plain
            && code.is_some_and(|code| !matches!(code, "renamed" | "room-entered"))
            && self.close_reason.is_none()
        {
            effects.fail = Some(self.say(&Status::FlagRefused { flag }));
        }
        effects
    }

    /// Returns how many broadcasts were missed, by the counter of the room that was just entered again.
    fn missed(&mut self, message: &Incoming) -> Option<Line> {
        if message.code.as_deref() != Some("room-entered") {
            return None;
        }
        let before = self.returning.take()?;
        if self.has(Feature::History) {
            return None;
        }
        // Two of the broadcasts are about ourselves: our leaving and our return.
        let count = message.seq?.saturating_sub(before.seq.saturating_add(2));
        let same = message.room_id == Some(before.id);
        (same && count > 0).then(|| render::client(&self.say(&Status::Missed { count })))
    }

    /// Handles the end of the connection. `all_sent` says that everything typed was sent, and this side of the stream
    /// ended.
    pub(crate) fn closed(&mut self, end: &StreamEnd, all_sent: bool) -> AfterClose {
        let verdict = self.verdict(end, all_sent);
        if !self.is_to_reconnect(end) {
            return match verdict {
                Ok(why) => AfterClose::Succeed(why.map(|why| render::client(&why))),
                Err(why) => AfterClose::Fail(why),
            };
        }
        self.online = false;
        let last = self.unanswered.last_before_move();
        self.unanswered.forget();
        self.requested_by_flags.clear();
        if let Some(room) = self.lists.forget().or(self.returning.take()) {
            self.session.return_to(room);
            self.is_away = true;
        }
        let why = verdict.unwrap_or_else(Some);
        let mut lines: Vec<Line> = why.iter().map(|why| render::client(why)).collect();
        lines.extend(self.cut_off(last));
        AfterClose::Reconnect(lines)
    }

    fn is_to_reconnect(&self, end: &StreamEnd) -> bool {
        let may_return = match (end, self.close_reason) {
            (StreamEnd::NotAMessage | StreamEnd::TlsAlert, _)
            | (_, Some(CloseReason::Removed | CloseReason::TlsRequired)) => false,
            (_, Some(CloseReason::ResumedElsewhere)) => false,
            // It may be restarting, unless we wanted it to stop.
            (_, Some(CloseReason::ServerStopping)) => !self.sent_shutdown,
            (_, Some(CloseReason::ServerFull)) => self.ever_served,
            (_, Some(CloseReason::Evicted) | None) => true,
        };
        may_return && self.options.reconnect && !self.leaving
    }

    /// Returns whether the client did what it was asked to do, with what to say about the end.
    fn verdict(&self, end: &StreamEnd, all_sent: bool) -> Result<Option<String>, String> {
        match (end, self.close_reason) {
            (
                StreamEnd::Clean | StreamEnd::Unannounced | StreamEnd::Lost(_),
                Some(CloseReason::ServerStopping),
            ) => Ok(Some(self.say(&Status::ServerStopped))),
            (StreamEnd::Clean | StreamEnd::Lost(_), Some(CloseReason::TlsRequired)) => {
                Err(self.say(&Status::TlsRequired))
            }
            (_, Some(CloseReason::ResumedElsewhere)) => {
                Err(self.say(&SessionStatus::ResumedElsewhere))
            }
            (StreamEnd::Clean, Some(CloseReason::ServerFull)) => Err(self.say(&Status::ServerFull)),
            (StreamEnd::Clean, None) if all_sent => Ok(None),
            (end, _) => Err(self.say(end)),
        }
    }
}

fn show(show: Vec<Line>) -> Effects {
    Effects { show, ..Effects::default() }
}

#[cfg(test)]
mod tests;
