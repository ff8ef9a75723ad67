//! Statistics as data: names, units and help texts for monitoring systems.

use super::histogram::Histogram;

/// A number, or a family of numbers, with everything that a monitoring system shows about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric<'a> {
    /// The name, by Prometheus's conventions, but without the unit and `_total`, which the exporter appends.
    pub name: &'static str,
    /// The meaning, one sentence.
    pub help: &'static str,
    /// The unit of the value, or of the values that a histogram counts.
    pub unit: MetricUnit,
    /// The current value.
    pub value: MetricValue<'a>,
}

impl<'a> Metric<'a> {
    /// Creates a metric, for exporters that add their own to [`Stats::metrics`](crate::Stats::metrics).
    pub const fn new(
        name: &'static str,
        help: &'static str,
        unit: MetricUnit,
        value: MetricValue<'a>,
    ) -> Self {
        Self { name, help, unit, value }
    }
}

/// The unit of a [`Metric`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricUnit {
    /// A plain count.
    Count,
    /// Bytes.
    Bytes,
    /// Nanoseconds, which exporters to Prometheus convert to seconds.
    Nanoseconds,
}

/// The value of a [`Metric`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricValue<'a> {
    /// A number that only rises.
    Counter(u64),
    /// A number that rises and falls.
    Gauge(u64),
    /// A counter for each value of a label: the label's name, then its values.
    Counters(&'static str, Vec<(&'static str, u64)>),
    /// A gauge for each value of a label.
    Gauges(&'static str, Vec<(&'static str, u64)>),
    /// A distribution.
    Histogram(&'a Histogram),
}
