//! [`Grant`]: what a server has granted in answer to a hello, and the next hello.

use std::time::Duration;

use chat_proto::IncomingWelcome;
use chat_proto::extended::{Feature, Features};

use crate::net::hello::Hello;

/// What this client understands.
const FEATURES: [Feature; 4] = [Feature::Ack, Feature::History, Feature::Members, Feature::Ping];

/// The contents of a welcome that are used later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    features: Features,
    /// The word that changes when numbers begin anew.
    pub(crate) epoch: String,
    /// The token of the session, until a welcome brings the next one.
    token: Option<String>,
    /// The time for which the session outlives its connection.
    resume_time: Duration,
}

impl Grant {
    pub(crate) fn new(welcome: &IncomingWelcome) -> Self {
        Self {
            features: welcome.features,
            epoch: welcome.epoch.clone(),
            token: welcome.resume.clone().filter(|_| welcome.features.has(Feature::Resume)),
            resume_time: Duration::from_secs(welcome.resume_time.unwrap_or(0)),
        }
    }

    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.features.has(feature)
    }

    /// Whether the session outlives its connection.
    pub(crate) fn outlives_connection(&self) -> bool {
        self.token.is_some()
    }
}

/// Returns the hello for the next connection, `offline` after the end of the one with this grant. A client that does
/// not `return` wants no session that outlives its connection. `last`: its room, and the last broadcast received there.
pub(crate) fn hello(
    grant: Option<&Grant>,
    returns: bool,
    offline: Duration,
    last: Option<(u64, u64)>,
) -> Hello {
    let mut features: Features = FEATURES.into_iter().collect();
    if returns {
        features = features.with(Feature::Resume);
    }
    let alive = grant.filter(|grant| returns && offline < grant.resume_time);
    let token = alive.and_then(|grant| grant.token.clone());
    Hello { features, resume: token.map(|token| (token, last)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_wanted_back_while_it_is_there() {
        let mut welcome = IncomingWelcome::default();
        (welcome.resume, welcome.resume_time) = (Some("ab".to_owned()), Some(60));
        assert!(!Grant::new(&welcome).outlives_connection(), "it was not granted");
        welcome.features = Features::all();
        let grant = Grant::new(&welcome);
        assert!(grant.outlives_connection());
        let last = Some((3, 7));
        let wanted = |returns, seconds| {
            hello(Some(&grant), returns, Duration::from_secs(seconds), last).resume
        };
        assert_eq!(wanted(true, 59), Some(("ab".to_owned(), last)));
        assert_eq!((wanted(true, 60), wanted(false, 0)), (None, None));
        let features = |returns| hello(None, returns, Duration::ZERO, None).features;
        assert_eq!(features(true), Features::all());
        assert!(!features(false).has(Feature::Resume) && features(false).has(Feature::Ack));
    }
}
