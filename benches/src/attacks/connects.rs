//! Attacks with new connections.

use std::io;
use std::time::Duration;

use super::crowd::Crowd;
use super::{Attack, Prepared, Scene};

/// Connections made per turn.
const AT_A_TIME: usize = 32;

/// Connects and resets as fast as one core can.
pub(super) fn resets(scene: &Scene) -> Prepared {
    Ok(Box::new(Resets(Crowd::new(scene)?)))
}

struct Resets(Crowd);

impl Attack for Resets {
    fn turn(&mut self) -> io::Result<()> {
        for _ in 0..AT_A_TIME {
            let who = self.0.open(None)?;
            self.0.reset(who);
        }
        self.0.turn(Duration::ZERO)
    }
}
