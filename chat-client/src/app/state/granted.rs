//! What a server makes possible that has answered a hello: acknowledged chats, lists of members, history, and sessions
//! that outlive their connections. Each is used if it was granted.

use std::time::{Duration, Instant};

use chat_proto::extended::{ClientRequest, Feature, MAX_HISTORY, Since};
use chat_proto::{
    Command, Incoming, IncomingAck, IncomingEvent, IncomingHistory, IncomingMembers,
    IncomingWelcome, Localize, Received, RoomId, Text,
};

use super::{App, Context, Effects, History, show};
use crate::app::catch_up::{AfterPage, Live};
use crate::app::grant::{self, Grant};
use crate::app::options::Format;
use crate::app::render;
use crate::app::room_lists::Filter;
use crate::app::session_status::SessionStatus;
use crate::app::session_view::JoinedRoom;
use crate::app::status::Status;
use crate::app::unanswered::{ChatId, RefusedChat};
use crate::net::hello::Hello;
use crate::terminal::line::Line;
use crate::terminal::visible::Visible;

/// The broadcasts that a newcomer to a room gets to see.
const NEWCOMER_HISTORY: usize = 20;

/// The broadcasts to see in a room of a server that has begun anew.
const RETURN_HISTORY: usize = 50;

/// The most chats of which it is told, one by one, that they have not been acknowledged.
const MAX_TOLD: usize = 5;

/// The most cells of the text of a chat in such a line.
const MAX_TOLD_CELLS: usize = 60;

impl App {
    /// Whether the server has granted a feature on this connection.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.online && self.grant.as_ref().is_some_and(|grant| grant.has(feature))
    }

    /// Returns the hello for the next connection, after this time without one.
    pub(crate) fn hello(&self, offline: Duration) -> Hello {
        let last = self.session.room().map(|room| (room.id, self.catch_up.after()));
        grant::hello(self.grant.as_ref(), self.options.reconnect, offline, last)
    }

    /// Handles a new connection, after `seconds` without one, to a server that has answered the hello with `welcome`,
    /// or does not know hellos.
    pub(crate) fn connected(
        &mut self,
        seconds: u64,
        welcome: Option<&IncomingWelcome>,
        now: Instant,
    ) -> Effects {
        self.online = true;
        self.served = welcome.is_some();
        self.ever_served |= self.served;
        self.close_reason = None;
        let resumed = welcome.filter(|welcome| welcome.resumed && self.grant.is_some());
        if let Some(welcome) = welcome {
            self.session.welcomed(&welcome.name, resumed.is_some());
            self.outstanding.limit(welcome.limits.unacknowledged);
        }
        self.grant = welcome.map(Grant::new);
        if self.grant.is_none() {
            // Nothing tells the broadcasts of this connection from others.
            self.room_epoch = None;
        }
        let mut effects = Effects::default();
        match resumed {
            Some(welcome) => self.resume(seconds, welcome, now, &mut effects),
            None if self.reconnected => self.begin_again(seconds, now, &mut effects),
            None => self.begin(&mut effects, now),
        }
        self.reconnected = true;
        effects
    }

    /// Goes on with the session.
    fn resume(
        &mut self,
        seconds: u64,
        welcome: &IncomingWelcome,
        now: Instant,
        effects: &mut Effects,
    ) {
        // The last commands may have been carried out, though their answers were lost, or not.
        let (room, known) = (welcome.room_id, self.session.room().map(|room| room.id));
        let is_same = room.is_some() && room == known && self.is_same_epoch();
        let is_away = std::mem::take(&mut self.is_away);
        if is_same && self.has(Feature::History) {
            // The history will say how much was missed.
            self.history = History::Missed { seconds: Some(seconds) };
            self.catch_up.resume();
        } else {
            effects.show.push(match is_same {
                true => self.client_line(&Status::Reconnected { seconds }),
                false => self.client_line(&SessionStatus::Resumed { seconds }),
            });
        }
        if let Some(name) = self.session.name().filter(|name| name.as_str() != welcome.name) {
            self.send(effects, Command::Rename(name.clone()), now);
        }
        match room {
            Some(_) if is_same => {}
            Some(id) => {
                self.session.enter_unseen(id);
                self.catch_up.enter(0);
                if self.has(Feature::History) {
                    // It brings what was said since the session entered.
                    self.history = History::Missed { seconds: None };
                    self.catch_up.resume();
                }
                self.room_epoch = self.grant.as_ref().map(|grant| grant.epoch.clone());
                effects.show.push(self.client_line(&SessionStatus::NowInRoom { room: id }));
            }
            None if is_away => self.look_for_room(effects, now),
            None if known.is_some() => {
                self.session.leave();
                effects.show.push(self.client_line(&SessionStatus::NowInNoRoom));
            }
            None => {}
        }
        effects.send.extend(self.outstanding.resend(now));
    }

    /// Begins another session in place of the one that was lost.
    fn begin_again(&mut self, seconds: u64, now: Instant, effects: &mut Effects) {
        let is_told_later = self.has(Feature::History) && self.is_same_epoch();
        let returns = self.session.room().is_some_and(|room| room.title.is_some());
        effects.show.push(match is_told_later && returns {
            true => self.client_line(&SessionStatus::Resumed { seconds }),
            false => self.client_line(&Status::Reconnected { seconds }),
        });
        let lost = self.lost_chats();
        match self.options.format {
            Format::Pretty => effects.show.extend(lost.iter().map(|text| render::client(text))),
            Format::Plain => effects.lost = lost,
        }
        self.return_to_room(effects, now);
    }

    /// Whether the numbers of the room still mean the same.
    fn is_same_epoch(&self) -> bool {
        let epoch = self.grant.as_ref().map(|grant| &grant.epoch);
        epoch.is_some() && epoch == self.room_epoch.as_ref()
    }

    /// Returns what to say of the chats that will not be sent again, and forgets them.
    pub(crate) fn lost_chats(&mut self) -> Vec<String> {
        let lost = self.outstanding.abandon();
        self.lost(lost)
    }

    /// Returns what to say of chats that were under way, and of chats that waited.
    fn lost(&self, (under_way, waiting): (Vec<Text>, Vec<Text>)) -> Vec<String> {
        let perhaps =
            |text: &Text| self.say(&SessionStatus::PerhapsNotSent { text: text.as_str() });
        let unsent = |text: &Text| self.say(&SessionStatus::Unsent { text: text.as_str() });
        under_way.iter().map(perhaps).chain(waiting.iter().map(unsent)).collect()
    }

    /// Handles the end of a connection that will be made again. The chats after `last` were perhaps meant for another
    /// room. Returns what to say.
    pub(super) fn cut_off(&mut self, last: Option<ChatId>) -> Vec<Line> {
        self.history = History::None;
        self.catch_up.stop();
        self.members.forget();
        if !self.grant.as_ref().is_some_and(|grant| grant.has(Feature::Ack)) {
            return vec![self.client_line(&Status::Reconnecting)];
        }
        let mut lines = vec![self.client_line(&SessionStatus::Reconnecting)];
        let lost = self.outstanding.cut_off(last);
        lines.extend(self.lost(lost).iter().map(|text| render::client(text)));
        let untold = self.outstanding.untold();
        lines.extend(self.not_yet_sent(&untold));
        lines
    }

    fn not_yet_sent(&self, chats: &[Text]) -> Vec<Line> {
        let line =
            |text: &Text| self.client_line(&SessionStatus::NotYetSent { text: &shortened(text) });
        let mut lines: Vec<Line> = chats.iter().take(MAX_TOLD).map(line).collect();
        if chats.len() > MAX_TOLD {
            let count = chats.len() - MAX_TOLD;
            lines.push(self.client_line(&SessionStatus::MoreNotYetSent { count }));
        }
        lines
    }

    /// When [`App::time_passed`] is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.outstanding.deadline().filter(|_| self.online)
    }

    /// Tells of chats that should have been acknowledged by now.
    pub(crate) fn time_passed(&mut self, now: Instant) -> Effects {
        let overdue = self.outstanding.overdue(now);
        show(self.not_yet_sent(&overdue))
    }

    /// Whether requests wait for their turn, so that no more should come from a script.
    pub(crate) fn is_holding_back(&self) -> bool {
        self.outstanding.is_holding_back()
    }

    /// The bytes of the texts that wait for their turn.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.outstanding.waiting_bytes()
    }

    /// Whether the client has asked the server to end the session, and so to close.
    pub(crate) fn ends_session(&self) -> bool {
        self.leaving && self.grant.as_ref().is_some_and(Grant::outlives_connection)
    }

    /// Returns the last requests of a client that leaves on purpose.
    pub(super) fn last_requests(&mut self, now: Instant) -> Vec<ClientRequest> {
        let mut requests = self.outstanding.release_all(now);
        if self.grant.as_ref().is_some_and(Grant::outlives_connection) {
            requests.push(ClientRequest::Quit);
        }
        requests
    }

    /// Returns the request for a command. People get to see what was said in a room before they enter it.
    pub(super) fn request(&self, command: Command) -> ClientRequest {
        match command {
            Command::Join(room) if self.shows_history() => {
                ClientRequest::Join { room, since: Since::Last(NEWCOMER_HISTORY) }
            }
            command => command.into(),
        }
    }

    /// Whether newcomers see history. A script would take it for what is said now.
    fn shows_history(&self) -> bool {
        self.has(Feature::History) && self.options.format == Format::Pretty
    }

    /// Enters a room again, and asks for what was said meanwhile.
    pub(super) fn enter_again(&mut self, room: &JoinedRoom, now: Instant, effects: &mut Effects) {
        let Ok(id) = RoomId::new(room.id) else { return };
        let since = match self.has(Feature::History) {
            true if self.is_same_epoch() => Some(Since::After(self.catch_up.after())),
            true if self.shows_history() => Some(Since::Last(RETURN_HISTORY)),
            _ => None,
        };
        let command = Command::Join(id);
        self.session.sent(&command);
        self.unanswered.sent(&command);
        let request = match since {
            Some(since) => ClientRequest::Join { room: id, since },
            None => command.into(),
        };
        effects.send.extend(self.outstanding.request(request, now));
    }

    /// Handles `/who`.
    pub(super) fn who(&mut self, at: Context<'_>) -> Effects {
        if let Some(obstacle) = self.obstacle(at) {
            return self.refuse(&obstacle);
        }
        if !self.has(Feature::Members) {
            let filter = self.session.room().map_or(Filter::All, |room| Filter::Room(room.id));
            return self.command(at, Command::Rooms, filter);
        }
        let mut effects = Effects::default();
        self.ask_for_members(at.now, &mut effects);
        effects
    }

    fn ask_for_members(&mut self, now: Instant, effects: &mut Effects) {
        let request = self.members.request();
        effects.send.extend(request.and_then(|request| self.outstanding.request(request, now)));
    }

    /// Handles a message of a server, whether it has answered a hello or not.
    pub(crate) fn received(&mut self, at: Context<'_>, message: &Received) -> Effects {
        match message {
            Received::Plain { message, .. } if self.grant.is_none() => self.incoming(at, message),
            Received::Plain { message, re } => self.extended(at, message, re.as_deref()),
            Received::Ack(ack) => self.acknowledged(at, ack),
            Received::History(history) => self.past(at, history),
            Received::Members(members) => self.listed(members),
            // Nothing else was asked for.
            _ => Effects::default(),
        }
    }

    /// Handles what any client may get, on a connection with more.
    fn extended(&mut self, at: Context<'_>, message: &Incoming, re: Option<&str>) -> Effects {
        let code = message.code.as_deref().unwrap_or_default();
        let is_about_us = matches!(code, "room-created" | "room-entered" | "room-left");
        let joined = self.session.room().map(|room| room.id);
        let mut gap = None;
        if let (Some(seq), false) = (message.seq, is_about_us)
            && joined.is_some()
            && joined == message.room_id
        {
            match self.catch_up.live(seq) {
                Live::Show => {}
                Live::Skip => {
                    self.session.received(message);
                    return Effects::default();
                }
                Live::ShowAfterGap => gap = Some(self.client_line(&SessionStatus::Gap)),
            }
        }
        let is_return =
            self.returning.as_ref().is_some_and(|room| Some(room.id) == message.room_id);
        let mut effects = self.incoming(at, message);
        effects.show.splice(0..0, gap);
        match code {
            "room-created" | "room-entered" => self.entered(at, message, is_return, &mut effects),
            "room-left" => self.history = History::None,
            _ => {}
        }
        if let Some(re) = re {
            self.refused(at, re, &mut effects);
        }
        effects
    }

    /// Handles an answer to a chat other than its acknowledgement, or to a request for members other than a list.
    fn refused(&mut self, at: Context<'_>, re: &str, effects: &mut Effects) {
        self.members.refused(re);
        if let Some(chat) = self.outstanding.answered(re) {
            let text = chat.text.as_str().to_owned();
            self.show_refused(at, RefusedChat { id: chat.id, text }, effects);
            effects.send.extend(self.outstanding.release(at.now));
        }
    }

    fn entered(
        &mut self,
        at: Context<'_>,
        message: &Incoming,
        is_return: bool,
        effects: &mut Effects,
    ) {
        let seq = message.seq.unwrap_or(0);
        if is_return && self.is_same_epoch() && self.has(Feature::History) {
            self.history = History::Missed { seconds: None };
            self.catch_up.enter_again(seq);
        } else {
            let is_new = message.code.as_deref() == Some("room-created");
            self.catch_up.enter(seq);
            self.history = match self.shows_history() && !is_new {
                true => History::Earlier { entered: seq },
                false => History::None,
            };
        }
        self.room_epoch = self.grant.as_ref().map(|grant| grant.epoch.clone());
        let is_entered = message.code.as_deref() == Some("room-entered");
        if is_entered && self.has(Feature::Members) && self.options.format == Format::Pretty {
            self.ask_for_members(at.now, effects);
        }
    }

    fn acknowledged(&mut self, at: Context<'_>, ack: &IncomingAck) -> Effects {
        if self.session.room().is_some_and(|room| room.id == ack.room_id) {
            self.catch_up.acknowledged(ack.seq);
        }
        let mut effects = Effects::default();
        if let Some(chat) = self.outstanding.answered(&ack.re).filter(|chat| chat.is_told) {
            let status = SessionStatus::SentLate { text: &shortened(&chat.text) };
            effects.show.push(self.client_line(&status));
        }
        effects.send.extend(self.outstanding.release(at.now));
        effects
    }

    fn listed(&mut self, members: &IncomingMembers) -> Effects {
        if self.session.room().is_some_and(|room| room.id == members.room_id) {
            self.session.see_members(&members.members);
        }
        show(self.members.take(members).into_iter().collect())
    }

    fn past(&mut self, at: Context<'_>, history: &IncomingHistory) -> Effects {
        if self.session.room().is_none_or(|room| room.id != history.room_id) {
            return Effects::default();
        }
        match self.history {
            History::None => {
                // It is not news to somebody who has just learnt of the room.
                self.catch_up.page_ends(history.to, false);
                Effects::default()
            }
            History::Earlier { entered } => show(self.earlier(at, history, entered)),
            History::Missed { seconds } => self.missed_page(at, history, seconds),
        }
    }

    /// Returns what was said before the client entered, between two lines that set it apart.
    fn earlier(&mut self, at: Context<'_>, history: &IncomingHistory, entered: u64) -> Vec<Line> {
        self.history = History::None;
        let is_before = |event: &&IncomingEvent| event.message.seq.is_none_or(|seq| seq < entered);
        let events = history.events.iter().filter(is_before);
        let events: Vec<Line> = events.flat_map(|event| self.past_event(at, event)).collect();
        if events.is_empty() {
            return events;
        }
        let [first, last] = [SessionStatus::Earlier, SessionStatus::FromNowOn]
            .map(|status| self.client_line(&status));
        [vec![first], events, vec![last]].concat()
    }

    /// Shows a page of what was said while there was no connection, and asks for the next one.
    fn missed_page(
        &mut self,
        at: Context<'_>,
        history: &IncomingHistory,
        seconds: Option<u64>,
    ) -> Effects {
        let (mut lines, mut count) = (Vec::new(), 0);
        for event in &history.events {
            if self.is_missed(&event.message) {
                self.session.received(&event.message);
                lines.extend(self.past_event(at, event));
                count += 1;
            }
        }
        let mut effects = Effects::default();
        let more = history.more || history.gap;
        let told = seconds.map(|seconds| SessionStatus::ResumedInRoom { seconds, count, more });
        let gap = history.gap.then_some(SessionStatus::Gap);
        effects.show.extend([told, gap].iter().flatten().map(|status| self.client_line(status)));
        effects.show.extend(lines);
        self.history = History::Missed { seconds: None };
        match (self.catch_up.page_ends(history.to, history.more), RoomId::new(history.room_id)) {
            (AfterPage::Ask(after), Ok(room)) => {
                let request = ClientRequest::History { room, after, limit: MAX_HISTORY };
                effects.send.extend(self.outstanding.request(request, at.now));
            }
            (AfterPage::Gap, _) => {
                self.history = History::None;
                effects.show.push(self.client_line(&SessionStatus::Gap));
            }
            _ => self.history = History::None,
        }
        effects
    }

    /// Whether a broadcast of the history is news: not received before, and neither an own chat nor about this client.
    fn is_missed(&mut self, message: &Incoming) -> bool {
        let is_new = message.seq.is_none_or(|seq| self.catch_up.event(seq));
        if !is_new || !self.session.is_own_name(&message.member) {
            return is_new;
        }
        match message.code.as_deref() {
            Some("member-entered" | "member-left") => false,
            _ => message.kind != "SCChat" || !self.outstanding.is_own(&message.text),
        }
    }

    fn past_event(&self, at: Context<'_>, event: &IncomingEvent) -> Vec<Line> {
        let time = event.at.map_or_else(|| at.time.to_owned(), at.time_of);
        self.event(&time, &event.message)
    }

    fn client_line(&self, status: &impl Localize) -> Line {
        render::client(&self.say(status))
    }
}

/// The beginning of a text, for a line about it.
fn shortened(text: &Text) -> String {
    Visible::text(text.as_str()).shortened(MAX_TOLD_CELLS).to_string()
}
