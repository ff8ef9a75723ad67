//! [`Outstanding`]: the chats that the server has not acknowledged, and the requests that wait for their turn.
//!
//! A chat is sent again with the same id when the session is resumed, and a server that acknowledges chats says it
//! once. For that, no more than a window of them may be under way. What is typed beyond waits, in order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chat_proto::Text;
use chat_proto::extended::{ClientRequest, RequestId};

use crate::app::unanswered::ChatId;

/// The most chats under way, unless the server allows fewer.
const MAX_CHATS: usize = 256;

/// The most bytes of their texts.
const MAX_BYTES: usize = 512 * 1024;

/// The time after which the person is told that a chat has not been acknowledged.
const PATIENCE: Duration = Duration::from_secs(5);

/// A chat that has not been acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnChat {
    pub(crate) id: ChatId,
    pub(crate) text: Text,
    /// Whether the person knows that it has not been acknowledged.
    pub(crate) is_told: bool,
    /// When it was sent last.
    sent: Instant,
    /// Whether a history has shown that it was said.
    is_seen: bool,
}

/// The chats under way, and the requests behind them, both in order.
#[derive(Debug, Default)]
pub(crate) struct Outstanding {
    chats: VecDeque<OwnChat>,
    /// The bytes of their texts.
    bytes: usize,
    /// Chats with their ids, and other requests.
    waiting: VecDeque<(Option<ChatId>, ClientRequest)>,
    waiting_bytes: usize,
    /// The most chats under way that the server allows.
    limit: Option<usize>,
}

impl Outstanding {
    /// Keeps to the server's limit from now on.
    pub(crate) fn limit(&mut self, limit: Option<usize>) {
        self.limit = limit;
    }

    /// Whether requests wait for their turn.
    pub(crate) fn is_holding_back(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The bytes of the texts that wait for their turn.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Adds a chat. Returns it if it is to be sent now.
    pub(crate) fn chat(&mut self, id: ChatId, text: Text, now: Instant) -> Option<ClientRequest> {
        let request = request(id, text)?;
        self.admit(Some(id), request, now)
    }

    /// Adds another request. Returns it if it is to be sent now.
    pub(crate) fn request(
        &mut self,
        request: ClientRequest,
        now: Instant,
    ) -> Option<ClientRequest> {
        self.admit(None, request, now)
    }

    fn admit(
        &mut self,
        id: Option<ChatId>,
        request: ClientRequest,
        now: Instant,
    ) -> Option<ClientRequest> {
        if self.is_holding_back() || id.is_some() && !self.has_space() {
            self.waiting_bytes += bytes_of(&request);
            self.waiting.push_back((id, request));
            return None;
        }
        self.start(id, &request, now);
        Some(request)
    }

    fn has_space(&self) -> bool {
        let limit = self.limit.unwrap_or(MAX_CHATS).clamp(1, MAX_CHATS);
        self.chats.len() < limit && self.bytes < MAX_BYTES
    }

    fn start(&mut self, id: Option<ChatId>, request: &ClientRequest, now: Instant) {
        if let (Some(id), ClientRequest::Chat { text, .. }) = (id, request) {
            self.bytes += bytes_of(request);
            let text = text.clone();
            self.chats.push_back(OwnChat { id, text, is_told: false, sent: now, is_seen: false });
        }
    }

    /// Returns the waiting requests whose turn has come.
    pub(crate) fn release(&mut self, now: Instant) -> Vec<ClientRequest> {
        let mut released = Vec::new();
        while let Some((id, _)) = self.waiting.front()
            && (id.is_none() || self.has_space())
        {
            released.extend(self.take_waiting(now));
        }
        released
    }

    /// Returns all waiting requests, for a client that leaves and sends nothing again.
    pub(crate) fn release_all(&mut self, now: Instant) -> Vec<ClientRequest> {
        std::iter::from_fn(|| self.take_waiting(now)).collect()
    }

    fn take_waiting(&mut self, now: Instant) -> Option<ClientRequest> {
        let (id, request) = self.waiting.pop_front()?;
        self.waiting_bytes -= bytes_of(&request);
        self.start(id, &request, now);
        Some(request)
    }

    /// Takes the chat that the server has acknowledged or refused.
    pub(crate) fn answered(&mut self, re: &str) -> Option<OwnChat> {
        let id: ChatId = re.parse().ok()?;
        let at = self.chats.iter().position(|chat| chat.id == id)?;
        let chat = self.chats.remove(at)?;
        self.bytes -= chat.text.as_str().len();
        Some(chat)
    }

    /// Whether a text in a history, said under this client's name, is one of these chats. Each chat is found once.
    pub(crate) fn is_own(&mut self, text: &str) -> bool {
        let is_it = |chat: &&mut OwnChat| !chat.is_seen && chat.text.as_str() == text;
        self.chats.iter_mut().find(is_it).map(|chat| chat.is_seen = true).is_some()
    }

    /// Returns the requests to be sent to a session that was resumed: the chats under way again, then those whose turn
    /// has come.
    pub(crate) fn resend(&mut self, now: Instant) -> Vec<ClientRequest> {
        for chat in &mut self.chats {
            (chat.sent, chat.is_seen) = (now, false);
        }
        let again = self.chats.iter().filter_map(|chat| request(chat.id, chat.text.clone()));
        let mut requests: Vec<ClientRequest> = again.collect();
        requests.extend(self.release(now));
        requests
    }

    /// Forgets what cannot be sent over the next connection, and returns the chats among it, as
    /// [`Outstanding::abandon`]: those after the chat `last`, which were meant for another room, and everything from
    /// the first waiting request that is no chat.
    pub(crate) fn cut_off(&mut self, last: Option<ChatId>) -> (Vec<Text>, Vec<Text>) {
        let last = last.unwrap_or(ChatId::MAX);
        let mut rest = Self::default();
        let kept = self.chats.iter().take_while(|chat| chat.id <= last).count();
        rest.chats = self.chats.split_off(kept);
        let is_kept =
            |waiting: &&(Option<ChatId>, ClientRequest)| waiting.0.is_some_and(|id| id <= last);
        let kept = self.waiting.iter().take_while(is_kept).count();
        rest.waiting = self.waiting.split_off(kept);
        self.bytes -= rest.chats.iter().map(|chat| chat.text.as_str().len()).sum::<usize>();
        self.waiting_bytes -=
            rest.waiting.iter().map(|(_, request)| bytes_of(request)).sum::<usize>();
        rest.abandon()
    }

    /// Forgets everything, and returns the chats: those under way, which were perhaps said, and those that were not.
    pub(crate) fn abandon(&mut self) -> (Vec<Text>, Vec<Text>) {
        let texts = |request| match request {
            (_, ClientRequest::Chat { text, .. }) => Some(text),
            _ => None,
        };
        (self.bytes, self.waiting_bytes) = (0, 0);
        let under_way = self.chats.drain(..).map(|chat| chat.text).collect();
        (under_way, self.waiting.drain(..).filter_map(texts).collect())
    }

    /// Returns the chats of which the person has not been told, and counts them as told.
    pub(crate) fn untold(&mut self) -> Vec<Text> {
        self.tell(|_| true)
    }

    /// Returns the chats of which the person is to be told by now, and counts them as told.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<Text> {
        self.tell(|chat| now >= chat.sent + PATIENCE)
    }

    fn tell(&mut self, is_due: impl Fn(&OwnChat) -> bool) -> Vec<Text> {
        let due = self.chats.iter_mut().filter(|chat| !chat.is_told && is_due(chat));
        due.map(|chat| {
            chat.is_told = true;
            chat.text.clone()
        })
        .collect()
    }

    /// When the person is to be told next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let untold = self.chats.iter().filter(|chat| !chat.is_told);
        untold.map(|chat| chat.sent + PATIENCE).min()
    }
}

fn request(id: ChatId, text: Text) -> Option<ClientRequest> {
    // A number is short enough for an id.
    Some(ClientRequest::Chat { id: RequestId::new(&id.to_string()).ok()?, text })
}

fn bytes_of(request: &ClientRequest) -> usize {
    match request {
        ClientRequest::Chat { text, .. } => text.as_str().len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::Command;

    fn text(text: &str) -> Text {
        Text::new(text).expect("a text")
    }

    /// The ids of chats, and 0 for other requests.
    fn ids(requests: &[ClientRequest]) -> Vec<ChatId> {
        let id = |request: &ClientRequest| match request {
            ClientRequest::Chat { id, .. } => id.as_str().parse().expect("a number"),
            _ => 0,
        };
        requests.iter().map(id).collect()
    }

    #[test]
    fn what_exceeds_the_window_waits_in_order() {
        let (mut outstanding, now) = (Outstanding::default(), Instant::now());
        outstanding.limit(Some(2));
        let sent = [1, 2, 3].map(|id| outstanding.chat(id, text("x"), now).is_some());
        assert_eq!(sent, [true, true, false]);
        assert_eq!(outstanding.request(Command::Leave.into(), now), None);
        assert!(outstanding.chat(4, text("four"), now).is_none());
        assert_eq!((outstanding.waiting_bytes(), outstanding.release(now)), (5, vec![]));
        assert_eq!(outstanding.answered("1").map(|chat| chat.id), Some(1));
        assert_eq!(outstanding.answered("1"), None);
        assert_eq!(ids(&outstanding.release(now)), [3, 0]);
        assert_eq!(ids(&outstanding.resend(now)), [2, 3]);
        outstanding.answered("3");
        assert_eq!(ids(&outstanding.resend(now)), [2, 4]);
        assert!(!outstanding.is_holding_back() && outstanding.waiting_bytes() == 0);
        assert_eq!(outstanding.abandon(), (vec![text("x"), text("four")], vec![]));
        assert_eq!((outstanding.bytes, outstanding.deadline()), (0, None));
    }

    #[test]
    fn a_chat_for_another_room_and_what_waits_for_a_command_is_not_kept() {
        let (mut outstanding, now) = (Outstanding::default(), Instant::now());
        outstanding.limit(Some(3));
        for (id, said) in [(1, "here"), (2, "there"), (3, "there too"), (4, "waits")] {
            outstanding.chat(id, text(said), now);
        }
        let lost = (vec![text("there"), text("there too")], vec![text("waits")]);
        assert_eq!(outstanding.cut_off(Some(1)), lost);
        assert_eq!((outstanding.bytes, outstanding.waiting_bytes()), (4, 0));
        for id in 5..=7 {
            outstanding.chat(id, text("here"), now);
        }
        outstanding.request(Command::Leave.into(), now);
        outstanding.chat(8, text("there"), now);
        assert_eq!(outstanding.cut_off(None), (vec![], vec![text("there")]));
        assert_eq!((outstanding.bytes, outstanding.waiting_bytes()), (12, 4));
        assert_eq!(ids(&outstanding.resend(now)), [1, 5, 6]);
    }

    #[test]
    fn long_texts_fill_the_window_sooner_and_one_always_fits() {
        let (mut outstanding, now) = (Outstanding::default(), Instant::now());
        let long = text(&"x".repeat(60_000));
        let sent = (1..=20).filter(|id| outstanding.chat(*id, long.clone(), now).is_some()).count();
        assert_eq!(sent, MAX_BYTES.div_ceil(60_000));
        outstanding.limit(Some(0));
        assert_eq!(ids(&outstanding.release_all(now)).len(), 20 - sent);
        outstanding.abandon();
        assert!(outstanding.chat(21, long, now).is_some());
    }

    #[test]
    fn a_chat_is_told_of_once() {
        let (mut outstanding, now) = (Outstanding::default(), Instant::now());
        outstanding.chat(1, text("a"), now);
        outstanding.chat(2, text("b"), now + PATIENCE / 2);
        assert_eq!(outstanding.deadline(), Some(now + PATIENCE));
        assert_eq!(outstanding.overdue(now + PATIENCE), [text("a")]);
        assert_eq!(outstanding.untold(), [text("b")]);
        assert_eq!((outstanding.untold(), outstanding.deadline()), (vec![], None));
    }

    #[test]
    fn each_chat_is_found_in_a_history_once() {
        let (mut outstanding, now) = (Outstanding::default(), Instant::now());
        for id in 1..=2 {
            outstanding.chat(id, text("ok"), now);
        }
        let found = ["ok", "no", "ok", "ok"].map(|text| outstanding.is_own(text));
        assert_eq!(found, [true, false, true, false]);
    }
}
