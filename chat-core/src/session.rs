//! A session: what the hub knows about one connection.

use chat_proto::Name;
use serde::{Deserialize, Serialize};

use crate::names::Claim;
use crate::room::Membership;

/// What a session may do besides chatting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Role {
    /// Nothing.
    #[default]
    Guest,
    /// Stop the server.
    Operator,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) name: Name,
    /// The claim on `name`; `None` for the default name, which no other session can claim.
    pub(crate) claim: Option<Claim>,
    pub(crate) role: Role,
    pub(crate) membership: Option<Membership>,
}
