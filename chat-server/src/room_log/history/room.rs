//! The history of one room: where its last broadcasts are, and the parts that are asked for.

use std::collections::VecDeque;
use std::ops::Range;

use chat_proto::extended::{Event, HistoryHead, HistorySpace, Since};

use super::segments::{Record, Run, Segments};

/// The last broadcasts of a room.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The last run. It is here, and the others are elsewhere, so that saying something needs none of their memory.
    open: Option<Run>,
    /// The number of the last broadcast, kept or not.
    last: u64,
    /// Bytes of all records that are kept.
    kept: usize,
    /// The runs before the last, in order.
    runs: VecDeque<Run>,
}

/// A part of a history, to be sent.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    history: Option<(&'a History, &'a Segments)>,
    range: Range<u64>,
    /// As [`HistoryHead`] says.
    pub(crate) more: bool,
    /// As [`HistoryHead`] says.
    pub(crate) gap: bool,
}

impl History {
    /// Runs that it may have memory for, no matter how few it holds.
    const FEW: usize = 8;

    /// A history of which nothing is kept.
    pub(super) fn up_to(last: u64) -> Self {
        Self { last, ..Self::default() }
    }

    /// The number of the last broadcast, kept or not.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The number of the first broadcast that is kept; without any, that of the next.
    pub(super) fn first(&self) -> u64 {
        self.runs.front().or(self.open.as_ref()).map_or(self.last + 1, |run| run.first)
    }

    /// Bytes of the records that are kept.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// Memory of the runs' places, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.runs.capacity() * size_of::<Run>()
    }

    /// Adds the next broadcast to the log, unless that has no room for it.
    #[inline(always)]
    pub(super) fn add(&mut self, log: &mut Segments, record: &Record<'_>) -> bool {
        let is_extended = self.open.as_mut().is_some_and(|run| log.extend(run, record));
        if !is_extended {
            let Some(run) = log.append(record) else { return false };
            self.runs.extend(self.open.replace(run));
        }
        self.kept += Record::space(record.event.payload);
        self.last += 1;
        true
    }

    /// Forgets the oldest run. Returns it.
    pub(super) fn pop(&mut self) -> Option<Run> {
        let run = self.runs.pop_front().or_else(|| self.open.take())?;
        self.kept -= run.space();
        let few = if self.runs.is_empty() { 0 } else { Self::FEW };
        if self.runs.capacity() > few.max(4 * self.runs.len()) {
            self.runs.shrink_to(2 * self.runs.len());
        }
        Some(run)
    }

    /// The run with a broadcast, if that is kept.
    pub(super) fn run_mut(&mut self, seq: u64) -> Option<&mut Run> {
        if seq > self.last || seq < self.first() {
            return None;
        }
        match self.index(seq) {
            Some(index) => self.runs.get_mut(index),
            None => self.open.as_mut(),
        }
    }

    /// The index of the run with a broadcast that is kept, unless it is the last.
    fn index(&self, seq: u64) -> Option<usize> {
        let is_open = self.open.is_some_and(|open| open.first <= seq);
        (!is_open).then(|| self.runs.partition_point(|run| run.first <= seq).saturating_sub(1))
    }

    /// Broadcasts that are kept.
    fn events<'a>(
        &'a self,
        log: &'a Segments,
        range: Range<u64>,
    ) -> impl Iterator<Item = Event<'a>> {
        let first = self.index(range.start).unwrap_or(self.runs.len());
        let runs = self.runs.range(first..).chain(&self.open);
        let events = runs.flat_map(|run| log.events(*run));
        events
            .skip_while(move |event| event.seq < range.start)
            .take_while(move |event| event.seq < range.end)
    }

    /// The part that was asked for, as far as it fits one message: at most `limit` broadcasts.
    pub(super) fn part<'a>(&'a self, log: &'a Segments, since: Since, limit: usize) -> Part<'a> {
        match since {
            Since::After(seq) => self.after(log, seq.saturating_add(1), limit),
            Since::Before(seq) => self.before(log, seq, limit),
            Since::Last(n) => self.before(log, u64::MAX, limit.min(n)),
        }
    }

    /// A broadcast that is kept.
    pub(super) fn event<'a>(&self, log: &'a Segments, seq: u64) -> Event<'a> {
        let run = self.index(seq).map_or(self.open, |index| self.runs.get(index).copied());
        let run = run.expect("it is kept");
        let mut events = log.events(run).skip((seq - run.first) as usize);
        events.next().expect("a run has the broadcasts up to the first of the next one")
    }

    fn fits_message(&self, log: &Segments, seq: u64) -> bool {
        self.event(log, seq).space() <= HistoryHead::SPACE
    }

    /// As many broadcasts from `from` on as fit one message, at most `limit`.
    fn after<'a>(&'a self, log: &'a Segments, from: u64, limit: usize) -> Part<'a> {
        let (wanted, next) = (from, self.last + 1);
        let mut from = from.max(self.first()).min(next);
        // What fits no message is a gap.
        while from < next && !self.fits_message(log, from) {
            from += 1;
        }
        let (mut end, mut space) = (from, HistorySpace::new(limit));
        while end < next && space.take(&self.event(log, end)) {
            end += 1;
        }
        Part { history: Some((self, log)), range: from..end, more: end < next, gap: wanted < from }
    }

    /// As many broadcasts before `end` as fit one message, at most `limit`.
    fn before<'a>(&'a self, log: &'a Segments, end: u64, limit: usize) -> Part<'a> {
        let first = self.first();
        let wanted = end.min(self.last + 1);
        let mut end = wanted.max(first);
        while end > first && !self.fits_message(log, end - 1) {
            end -= 1;
        }
        let (mut from, mut space) = (end, HistorySpace::new(limit));
        while from > first && space.take(&self.event(log, from - 1)) {
            from -= 1;
        }
        let is_all = limit == 0 || from == 1;
        let gap = end < wanted || (from == first && !is_all);
        Part { history: Some((self, log)), range: from..end, more: from > first, gap }
    }
}

impl Part<'_> {
    /// The part of a history without broadcasts.
    pub(super) const EMPTY: Self = Self { history: None, range: 1..1, more: false, gap: false };

    /// The number of the first broadcast; without any, that of the next.
    pub(crate) fn from(&self) -> u64 {
        self.range.start
    }

    /// The number after the last broadcast.
    #[cfg(feature = "store")]
    pub(crate) fn end(&self) -> u64 {
        self.range.end
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = Event<'_>> {
        let history = self.history.into_iter();
        history.flat_map(|(history, log)| history.events(log, self.range.clone()))
    }
}

#[cfg(test)]
impl History {
    /// Runs that are kept.
    pub(super) fn count(&self) -> usize {
        self.runs.len() + usize::from(self.open.is_some())
    }
}
