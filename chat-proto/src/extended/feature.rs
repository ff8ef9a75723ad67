//! Features: what a client understands, and what it is granted.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// Something that a server may do for a client beyond the plain protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Chats are acknowledged with `SCAck`, and said once however often they are sent.
    Ack,
    /// `CSHistory`, and joins that are followed by what was said before.
    History,
    /// `CSMembers`.
    Members,
    /// `CSPing`.
    Ping,
    /// The session outlives its connection.
    Resume,
}

impl Feature {
    /// All features, in the order in which they are granted.
    pub const ALL: [Self; 5] = [Self::Ack, Self::History, Self::Members, Self::Ping, Self::Resume];

    /// The word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::History => "history",
            Self::Members => "members",
            Self::Ping => "ping",
            Self::Resume => "resume",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Features(u8);

impl Features {
    /// No feature.
    pub const NONE: Self = Self(0);

    /// Every feature.
    pub const fn all() -> Self {
        let (mut set, mut i) = (Self::NONE, 0);
        while i < Feature::ALL.len() {
            set = set.with(Feature::ALL[i]);
            i += 1;
        }
        set
    }

    /// Adds a feature.
    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | 1 << feature as u8)
    }

    /// Whether a feature is in the set.
    pub const fn has(self, feature: Feature) -> bool {
        self.0 & 1 << feature as u8 != 0
    }

    /// The features that are in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The features, in the order of [`Feature::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::ALL.into_iter().filter(move |feature| self.has(*feature))
    }

    /// Adds the feature of this name, if there is one.
    pub(super) fn add_named(&mut self, name: &str) {
        if let Some(feature) = Feature::ALL.into_iter().find(|feature| feature.name() == name) {
            *self = self.with(feature);
        }
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        features.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for Features {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Feature::name))
    }
}

/// Ignores words that are not known.
impl<'de> Deserialize<'de> for Features {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut features = Self::NONE;
        for name in <Vec<Cow<'de, str>>>::deserialize(from)? {
            features.add_named(&name);
        }
        Ok(features)
    }
}
