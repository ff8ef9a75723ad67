//! The workspace as a whole: tests named in documents exist, modules import each other in one direction, files keep
//! the house rules, and the library crates do no I/O.

mod documents;
mod house;
mod imports;
mod purity;
mod source;
