//! What a client gets that says hello: acknowledged chats, members, the time, history, sessions that outlive a
//! connection.
//!
//! A client asks for it by making [`Hello`] its first frame, and is answered by [`Answer::Welcome`] with the features
//! that it is granted. From then on the server reads its payloads with [`Request::parse`], which understands all that
//! [`Command::parse`](crate::Command::parse) does and more. Whoever says no hello never comes here: to it, these
//! types are unknown and these fields ignored.

mod answer;
mod client_request;
mod feature;
mod hello;
mod history;
mod request;
mod request_id;
mod token;

pub use answer::{Answer, Limits, Welcome, write_asked_rooms_page, write_members_page};
pub use client_request::ClientRequest;
pub use feature::{Feature, Features};
pub use hello::{Hello, Resume};
pub use history::{Event, HistoryHead, HistorySpace};
pub use request::{Ask, MAX_HISTORY, Request, Since};
pub use request_id::{MAX_REQUEST_ID_CHARS, RequestId};
pub use token::ResumeToken;

#[cfg(test)]
mod tests;
