//! The documents about tests, held against the sources: each test they name is there.

mod catalogue;
mod reliability;
