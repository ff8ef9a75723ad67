//! The page in a browser: people in Chromium, and the program that serves them.
//!
//! Each test has a server and a Chromium of its own, and each person a browser context. They click and type
//! as people do. Where there is no Chromium, the tests say so and pass.

mod accessibility;
mod conversation;
mod flood;
mod layout;
mod markup;
mod pictures;
mod reconnect;
mod support;
