//! The workspace as a whole: the tests that documents name exist, modules import each other in one
//! direction, each file keeps the rules of the house, and the library crates are free of I/O.

mod documents;
mod house;
mod imports;
mod purity;
mod source;
