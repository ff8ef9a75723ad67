//! Support for the tests of the page: the server as a [`Program`], a [`Chromium`] over its debugging pipe, and the
//! [`Page`] of a person.
//!
//! Tests wait for conditions, never for time to pass. Every wait has a deadline. When a test fails, each of its
//! pages prints what it shows and what its console says.

mod axe;
mod chromium;
mod keyboard;
mod page;
mod program;

use std::time::Duration;

pub(crate) use axe::{Axe, with_chromium};
pub(crate) use chat_testing::Client;
pub(crate) use chromium::Chromium;
pub(crate) use keyboard::{Key, shift};
pub(crate) use page::Page;
pub(crate) use program::Program;

/// The time after which an expected event counts as missing. No passing test waits this long; a failing test still has
/// time to report before its watchdog ends it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
