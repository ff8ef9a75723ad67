//! Memory that counts as long as it is held.

use std::cell::Cell;
use std::rc::Rc;

/// A share of a sum, which counts until it is dropped.
#[derive(Debug)]
pub(super) struct MemoryShare {
    sum: Rc<Cell<usize>>,
    bytes: usize,
}

impl MemoryShare {
    pub(super) fn new(sum: &Rc<Cell<usize>>, bytes: usize) -> Self {
        sum.set(sum.get() + bytes);
        Self { sum: Rc::clone(sum), bytes }
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.sum.set(self.sum.get() - self.bytes);
    }
}
