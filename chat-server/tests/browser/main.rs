//! The page in a browser: people in Chromium, and the program that serves them.
//!
//! Each test has its own server and Chromium, and each person a browser context. People click and type as in real
//! life. Without Chromium, the tests say so and pass.

mod accessibility;
mod conversation;
mod flood;
mod layout;
mod markup;
mod pictures;
mod reconnect;
mod support;
