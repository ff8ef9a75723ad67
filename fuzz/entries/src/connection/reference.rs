//! The reference: the simplest possible server. It copies each frame, handles it on its own, and encodes each message
//! separately for each receiver.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::{
    Command, Hub, HubLimits, Input, Notice, Output, Rejection, Role, RoomEvent, SessionId,
};
use chat_proto::{Framing, HEADER_LEN, Lang, RoomId, ServerMessage, write_rooms_page};
use chat_server::Limits;

use crate::hub::connect;

pub(super) struct Reference {
    hub: Hub,
    peers: [Peer; 3],
    members: BTreeMap<RoomId, BTreeSet<usize>>,
    /// Everything that each peer should receive.
    pub(super) expected: [Vec<u8>; 3],
}

struct Peer {
    session: SessionId,
    framing: Framing,
    /// Bytes received and not handled yet.
    input: Vec<u8>,
    /// Whether the peer speaks HTTP, for which this reference predicts nothing.
    http: bool,
    proven: bool,
    bad_frames: u32,
    ended: bool,
}

impl Reference {
    /// Returns a server whose peers are sent messages in these framings.
    pub(super) fn new(framings: [Framing; 3]) -> Self {
        let mut hub = Hub::new(HubLimits::default());
        let peers = framings.map(|framing| Peer {
            session: connect(&mut hub, Role::Guest),
            framing,
            input: Vec::new(),
            http: false,
            proven: false,
            bad_frames: 0,
            ended: false,
        });
        Self { hub, peers, members: BTreeMap::new(), expected: Default::default() }
    }

    pub(super) fn has_ended(&self, who: usize) -> bool {
        self.peers[who].ended
    }

    pub(super) fn is_http(&self, who: usize) -> bool {
        self.peers[who].http
    }

    /// Handles a peer's input as frames, whatever the framing of its output.
    pub(super) fn receive(&mut self, who: usize, bytes: &[u8]) {
        let mut input = std::mem::take(&mut self.peers[who].input);
        input.extend_from_slice(bytes);
        let peer = &mut self.peers[who];
        peer.http |= !peer.proven && !peer.ended && begins_http(&input);
        if peer.http {
            return;
        }
        let mut rest = input.as_slice();
        while let Some((header, after)) = rest.split_first_chunk::<HEADER_LEN>()
            && let Some((payload, after)) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*header)))
            && !self.peers[who].ended
        {
            self.frame(who, payload);
            rest = after;
        }
        let is_foreign = is_foreign(rest);
        let peer = &mut self.peers[who];
        peer.input = rest.to_vec();
        if !peer.ended && !peer.proven && is_foreign {
            self.reject(who, Rejection::NotAnObject);
            self.disconnect(who);
        }
    }

    fn frame(&mut self, who: usize, payload: &[u8]) {
        let peer = &mut self.peers[who];
        let parsed = Command::parse(payload);
        let bad = parsed.as_ref().is_err_and(Rejection::is_bad);
        peer.bad_frames += u32::from(bad);
        let is_last = bad && (!peer.proven || peer.bad_frames > Limits::default().bad_frames.burst);
        peer.proven |= !bad;
        let session = peer.session;
        match parsed {
            Ok(command) => {
                let mut outputs = Vec::new();
                self.hub.apply(0, Input::Command { session, command }, &mut outputs);
                self.deliver(outputs);
            }
            Err(rejection) => self.reject(who, rejection),
        }
        if is_last {
            self.disconnect(who);
        }
    }

    fn reject(&mut self, who: usize, rejection: Rejection) {
        self.tell(who, &Notice::Rejected(rejection), None);
    }

    /// Ends a peer: it is gone, or nothing more is read from it.
    pub(super) fn disconnect(&mut self, who: usize) {
        self.peers[who].ended = true;
        let mut outputs = Vec::new();
        self.hub.apply(0, Input::Disconnect { session: self.peers[who].session }, &mut outputs);
        self.deliver(outputs);
    }

    fn deliver(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Reply { to, notice, room } => self.tell(self.peer(to), &notice, room),
                Output::Rooms { to } => {
                    let who = self.peer(to);
                    let (framing, out) = (self.peers[who].framing, &mut self.expected[who]);
                    let rest = write_rooms_page(framing, self.hub.rooms_after(None), out);
                    assert_eq!(rest, None, "the rooms of a few peers fit a frame");
                }
                Output::Entered { session, room } => {
                    let who = self.peer(session);
                    self.members.entry(room).or_default().insert(who);
                }
                Output::Left { session, room } => {
                    let who = self.peer(session);
                    self.members.entry(room).or_default().remove(&who);
                }
                Output::Broadcast { room, seq, except, event, .. } => {
                    let except = except.map(|session| self.peer(session));
                    let members = self.members.get(&room).cloned().unwrap_or_default();
                    for who in members.into_iter().filter(|who| Some(*who) != except) {
                        match &event {
                            RoomEvent::Notice(notice) => self.tell(who, notice, Some((room, seq))),
                            RoomEvent::Chat { member, text } => {
                                self.write(who, ServerMessage::Chat { member, text, room, seq });
                            }
                        }
                    }
                }
                Output::RoomClosed { .. } | Output::Disconnected { .. } => {}
                other => panic!("no guest brings about {other:?}"),
            }
        }
    }

    fn tell(&mut self, who: usize, notice: &Notice, room: Option<(RoomId, u64)>) {
        self.write(who, ServerMessage::System { notice, room });
    }

    fn write(&mut self, who: usize, message: ServerMessage<'_>) {
        let (framing, out) = (self.peers[who].framing, &mut self.expected[who]);
        message.write_framed(framing, Lang::En, out).expect("it fits a frame");
    }

    fn peer(&self, session: SessionId) -> usize {
        self.peers.iter().position(|peer| peer.session == session).expect("a peer")
    }
}

/// Whether an incomplete first frame can never become valid: no object begins in its first eight bytes, or it is a
/// whole command after a little-endian length.
fn is_foreign(partial: &[u8]) -> bool {
    let Some((header, payload)) = partial.split_first_chunk::<HEADER_LEN>() else { return false };
    let start = &payload[..payload.len().min(8)];
    let first = start.iter().find(|byte| !b" \t\r\n".contains(byte));
    let is_whole_command = usize::from(u16::from_le_bytes(*header)) == payload.len()
        && !Command::parse(payload).is_err_and(|rejection| rejection.is_bad());
    is_whole_command || first.is_some_and(|&first| first != b'{')
}

/// Whether a first frame begins like an HTTP request, as far as it has arrived.
fn begins_http(start: &[u8]) -> bool {
    let methods =
        ["GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "DELETE ", "PATCH ", "CONNECT ", "TRACE "];
    let is_method = |method: &str| start.iter().zip(method.bytes()).all(|(a, b)| *a == b);
    start.len() >= 3 && methods.into_iter().any(is_method)
}
