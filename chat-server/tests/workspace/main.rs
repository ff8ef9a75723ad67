//! The workspace as a whole: the tests that documents name exist, modules import each other in one
//! direction, and each file keeps the rules of the house.

mod documents;
mod house;
mod imports;
mod source;
