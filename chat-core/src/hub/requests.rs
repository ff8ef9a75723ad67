//! Clients that said hello: their requests, with the words by which they recognise the answers.
//!
//! A request is carried out as the command in it is for anyone, and then its outputs are completed: nothing in the
//! rules knows of this file. What the hub remembers of such a session is in `asking`, beside the sessions.

use chat_proto::extended::{Ask, Feature, Features, Request, RequestId};
use chat_proto::{Command, Notice, RoomId};

use super::Hub;
use crate::asking::Acknowledged;
use crate::output::{Output, RoomEvent};
use crate::session_id::SessionId;

impl Hub {
    /// Carries out [`Input::Request`](crate::Input::Request).
    pub(super) fn request(
        &mut self,
        now: u64,
        session: SessionId,
        request: Request,
        outputs: &mut Vec<Output>,
    ) {
        if self.name(session).is_none() {
            return;
        }
        self.forget_previous_token(session);
        let Request { id, ask } = request;
        let start = outputs.len();
        let features = self.asking.get(&session).map_or(Features::NONE, |asking| asking.features);
        let refusal = match ask {
            Ok(Ask::Command(Command::Chat(text))) => {
                return self.request_chat(now, session, id, text, outputs);
            }
            Ok(Ask::Command(command)) => {
                self.command(now, session, command, outputs);
                None
            }
            Ok(Ask::Join { room, since }) if features.has(Feature::History) => {
                self.command(now, session, Command::Join(room), outputs);
                if matches!(outputs.get(start), Some(Output::Entered { .. })) {
                    // The others are told of it in the last output.
                    let limit = chat_proto::extended::MAX_HISTORY;
                    let history = Output::History { to: session, room, since, limit };
                    outputs.insert(start + 2, history);
                }
                None
            }
            Ok(Ask::Join { room, .. }) => {
                self.command(now, session, Command::Join(room), outputs);
                None
            }
            Ok(Ask::History { room, since, limit }) if features.has(Feature::History) => {
                if self.room_of(session) == Some(room) {
                    outputs.push(Output::History { to: session, room, since, limit });
                    None
                } else {
                    Some(Notice::NotInRoom)
                }
            }
            Ok(Ask::Quit) => return self.disconnect(now, session, outputs),
            Ok(Ask::Members(room)) if features.has(Feature::Members) => {
                self.list_members(session, room, outputs).err()
            }
            Ok(Ask::Ping) if features.has(Feature::Ping) => {
                let room = self.room_of(session).and_then(|room| Some((room, self.seq(room)?)));
                outputs.push(Output::Pong { to: session, room });
                None
            }
            Ok(Ask::History { .. } | Ask::Members(_) | Ask::Ping) => {
                Some(Notice::Rejected(chat_proto::Rejection::UnknownType))
            }
            Err(rejection) => Some(Notice::Rejected(rejection)),
        };
        if let Some(notice) = refusal {
            outputs.push(Output::Reply { to: session, notice, room: None });
        }
        if let Some(id) = id {
            answer(session, id, start, outputs);
        }
    }

    fn list_members(
        &self,
        session: SessionId,
        room: Option<RoomId>,
        outputs: &mut Vec<Output>,
    ) -> Result<(), Notice> {
        let room = room.or(self.room_of(session)).ok_or(Notice::NotInRoom)?;
        self.title(room).ok_or(Notice::NoSuchRoom { room })?;
        outputs.push(Output::Members { to: session, room });
        Ok(())
    }

    /// Says something, unless it has been said.
    fn request_chat(
        &mut self,
        now: u64,
        session: SessionId,
        id: Option<RequestId>,
        text: chat_proto::Text,
        outputs: &mut Vec<Output>,
    ) {
        let Some(id) = id else { return self.command(now, session, Command::Chat(text), outputs) };
        let asking = self.asking.get(&session);
        let asking = asking.filter(|asking| asking.features.has(Feature::Ack));
        if let Some(said) = asking.and_then(|asking| asking.acknowledgements.find(&id)) {
            return outputs.push(said.output(session, id));
        }
        let is_acknowledged = asking.is_some();
        let start = outputs.len();
        self.command(now, session, Command::Chat(text), outputs);
        match outputs.get(start) {
            Some(&Output::Broadcast { room, seq, .. }) => {
                if is_acknowledged && let Some(asking) = self.asking.get_mut(&session) {
                    let said = Acknowledged { room, seq, at: now };
                    asking.acknowledgements.add(id.clone(), said);
                    outputs.push(said.output(session, id));
                }
            }
            _ => answer(session, id, start, outputs),
        }
    }
}

/// Completes the outputs of a request from `start` on, so that its client recognises the answer.
fn answer(session: SessionId, id: RequestId, start: usize, outputs: &mut Vec<Output>) {
    let new = &mut outputs[start..];
    if let [Output::Broadcast { room, seq, except: except @ None, event, .. }] = new
        && let RoomEvent::Notice(notice @ Notice::Renamed { .. }) = event
    {
        *except = Some(session);
        let (notice, room) = (notice.clone(), Some((*room, *seq)));
        outputs.push(Output::Answering { to: session, re: id });
        outputs.push(Output::Reply { to: session, notice, room });
        return;
    }
    let is_answer = |output: &Output| {
        matches!(output, Output::Reply { to, .. }
            | Output::Rooms { to }
            | Output::Members { to, .. }
            | Output::History { to, .. }
            | Output::Pong { to, .. } if *to == session)
    };
    if let Some(index) = new.iter().position(is_answer) {
        outputs.insert(start + index, Output::Answering { to: session, re: id });
    }
}
