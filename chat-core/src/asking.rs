//! What the hub remembers of a session whose client said hello.

use std::collections::VecDeque;

use chat_proto::RoomId;
use chat_proto::extended::{Features, RequestId, ResumeToken};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::output::Output;
use crate::session_id::SessionId;

/// The chats that a session is known to have said. A chat that is sent again after so many others may be said again.
pub const MAX_UNACKNOWLEDGED: usize = 256;

/// What the hub knows of a session whose client said hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asking {
    pub(crate) features: Features,
    /// The secret by which another connection can take the session over, if that is granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<ResumeToken>,
    /// The secret by which the session was taken over, until its client is known to have the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<ResumeToken>,
    /// The number that the session began with, which its default name has.
    pub(crate) number: u64,
    pub(crate) acknowledgements: Acknowledgements,
}

/// What has been acknowledged, in that order. A few hundred words are compared in less time than a map takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Acknowledgements(VecDeque<(RequestId, Acknowledged)>);

/// What became of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acknowledged {
    pub(crate) room: RoomId,
    pub(crate) seq: u64,
    pub(crate) at: u64,
}

impl Asking {
    /// The secrets by which the session can be taken over.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = ResumeToken> + Clone {
        self.token.into_iter().chain(self.previous)
    }

    pub(crate) fn hash_into(&self, digest: Digest) -> Digest {
        let Self { features, token, previous, number, acknowledgements } = self;
        let digest = features.iter().fold(digest, |digest, feature| digest.text(feature.name()));
        let digest = [token, previous].iter().fold(digest, |digest, token| {
            let token = token.map(ResumeToken::to_bits);
            digest
                .maybe(token.map(|token| token as u64))
                .maybe(token.map(|token| (token >> 64) as u64))
        });
        let digest = digest.number(*number);
        acknowledgements.0.iter().fold(digest, |digest, (id, said)| {
            let Acknowledged { room, seq, at } = *said;
            digest.text(id.as_str()).number(room.number()).number(seq).number(at)
        })
    }
}

impl Acknowledgements {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn find(&self, id: &RequestId) -> Option<Acknowledged> {
        // The last are sent again most likely.
        self.0.iter().rev().find(|(other, _)| other == id).map(|(_, said)| *said)
    }

    pub(crate) fn add(&mut self, id: RequestId, said: Acknowledged) {
        if self.0.len() == MAX_UNACKNOWLEDGED {
            self.0.pop_front();
        }
        self.0.push_back((id, said));
    }
}

impl Acknowledged {
    pub(crate) fn output(self, to: SessionId, re: RequestId) -> Output {
        let Self { room, seq, at } = self;
        Output::Acknowledged { to, re, room, seq, at }
    }
}
