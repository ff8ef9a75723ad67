//! The first frame of a client that asks for more.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{Feature, Features, ResumeToken};
use crate::command::{Field, RawValue, Rejection, parse_object};
use crate::values::{RoomId, check_len};

/// The most characters of the name of a client.
const MAX_CLIENT_CHARS: usize = 64;

/// `CSHello`: what a client understands, and the session that it wants back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The name and version of the client, such as `chat-client/0.1.0`; at most 64 characters, none of them a control.
    pub client: Box<str>,
    /// The features that it understands and this library knows.
    pub features: Features,
    /// The session that it wants back, if it wants one.
    pub resume: Option<Resume>,
}

/// A wish to take over a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The token of the session; `None` if what was sent cannot be one.
    pub token: Option<ResumeToken>,
    /// The number of the last broadcast that the client has, if it says.
    pub after: Option<u64>,
    /// The room of that broadcast, if it says: the one that the client believes the session to be in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
}

impl Hello {
    /// Parses the payload of the first frame of a connection. `None` if it is anything but a hello.
    ///
    /// # Errors
    /// [`Rejection`] says what is wrong with a hello.
    pub fn parse(payload: &str) -> Option<Result<Self, Rejection>> {
        let hello: RawHello<'_> = parse_object(payload).ok()?;
        let is_hello = matches!(&hello.kind, RawValue::String(kind) if kind == "CSHello");
        is_hello.then(|| hello.into_hello())
    }

    /// The JSON of the hello, for clients to send. `resume`: the token, and the room with the number of the last
    /// broadcast received there.
    pub fn to_json(
        client: &str,
        features: Features,
        resume: Option<(&str, Option<(u64, u64)>)>,
    ) -> String {
        let mut hello = serde_json::json!({
            "type": "CSHello",
            "client": client,
            "features": features.iter().map(Feature::name).collect::<Vec<_>>(),
        });
        if let Some((token, last)) = resume {
            hello["resume"] = token.into();
            if let Some((room, after)) = last {
                hello["roomId"] = room.into();
                hello["after"] = after.into();
            }
        }
        hello.to_string()
    }
}

#[derive(Deserialize)]
struct RawHello<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: RawValue<'a>,
    #[serde(borrow, default)]
    client: RawValue<'a>,
    #[serde(default)]
    features: RawFeatures,
    #[serde(borrow, default)]
    resume: RawValue<'a>,
    #[serde(borrow, default)]
    after: RawValue<'a>,
    #[serde(borrow, default, rename = "roomId")]
    room: RawValue<'a>,
}

impl RawHello<'_> {
    fn into_hello(self) -> Result<Hello, Rejection> {
        let client = self.client.into_string(Field::Client)?;
        if check_len(&client, MAX_CLIENT_CHARS).is_err() || client.chars().any(char::is_control) {
            return Err(Rejection::WrongKind(Field::Client));
        }
        let features = match self.features {
            RawFeatures::Known(features) => features,
            RawFeatures::Absent => return Err(Rejection::Missing(Field::Features)),
            RawFeatures::Other => return Err(Rejection::WrongKind(Field::Features)),
        };
        let after =
            self.after.present().map(|after| after.into_number(Field::After)).transpose()?;
        let room = self.room.present().map(RawValue::into_room_id).transpose()?;
        let resume = match self.resume.present() {
            Some(token) => {
                let token = ResumeToken::parse(&token.into_string(Field::Resume)?);
                Some(Resume { token, after, room })
            }
            None => None,
        };
        Ok(Hello { client: client.into(), features, resume })
    }
}

/// A list of features, without those that are not known.
#[derive(Default)]
enum RawFeatures {
    #[default]
    Absent,
    Known(Features),
    Other,
}

impl<'de> Deserialize<'de> for RawFeatures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawFeaturesVisitor)
    }
}

struct RawFeaturesVisitor;

/// Implements the visits of whatever is not a list.
macro_rules! other {
    ($($visit:ident $value:ty,)+) => {
        $(fn $visit<E>(self, _: $value) -> Result<Self::Value, E> {
            Ok(RawFeatures::Other)
        })+
    };
}

impl<'de> Visitor<'de> for RawFeaturesVisitor {
    type Value = RawFeatures;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    other! { visit_str &str, visit_u64 u64, visit_i64 i64, visit_f64 f64, visit_bool bool, }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(RawFeatures::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (mut features, mut are_strings) = (Features::NONE, true);
        while let Some(item) = seq.next_element::<RawValue<'de>>()? {
            match item {
                RawValue::String(name) => features.add_named(&name),
                _ => are_strings = false,
            }
        }
        Ok(if are_strings { RawFeatures::Known(features) } else { RawFeatures::Other })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(RawFeatures::Other)
    }
}
