//! Values of known keys, before it is known which of them a command needs.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::rejection::{Field, Rejection};
use crate::values::{RoomId, ValueError};

/// The value of a known key. A value of the wrong kind is not an error yet: the command may not need it.
#[derive(Default)]
pub(crate) enum RawValue<'a> {
    #[default]
    Absent,
    String(Cow<'a, str>),
    Integer(u64),
    Other,
}

impl<'a> RawValue<'a> {
    pub(crate) fn into_string(self, field: Field) -> Result<Cow<'a, str>, Rejection> {
        match self {
            Self::String(string) => Ok(string),
            Self::Absent => Err(Rejection::Missing(field)),
            Self::Integer(_) | Self::Other => Err(Rejection::WrongKind(field)),
        }
    }

    pub(crate) fn into_number(self, field: Field) -> Result<u64, Rejection> {
        match self {
            Self::Integer(number) => Ok(number),
            Self::Absent => Err(Rejection::Missing(field)),
            Self::String(_) | Self::Other => Err(Rejection::WrongKind(field)),
        }
    }

    /// `None` if the key is absent.
    pub(crate) fn present(self) -> Option<Self> {
        (!matches!(self, Self::Absent)).then_some(self)
    }

    pub(crate) fn into_room_id(self) -> Result<RoomId, Rejection> {
        let room = match self {
            Self::Integer(number) => RoomId::new(number),
            Self::String(digits) => digits.parse(),
            Self::Other => Err(ValueError::NotARoomId),
            Self::Absent => return Err(Rejection::Missing(Field::RoomId)),
        };
        room.map_err(|_| Rejection::WrongKind(Field::RoomId))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawValue<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawValueVisitor)
    }
}

struct RawValueVisitor;

impl<'de> Visitor<'de> for RawValueVisitor {
    type Value = RawValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(RawValue::String(Cow::Borrowed(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(RawValue::String(Cow::Owned(value.to_owned())))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(RawValue::Integer(value))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(RawValue::Other)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(RawValue::Other)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(RawValue::Other)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(RawValue::Other)
    }

    // serde_json skips an `IgnoredAny` iteratively, so that nesting costs no stack.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(RawValue::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(RawValue::Other)
    }
}
