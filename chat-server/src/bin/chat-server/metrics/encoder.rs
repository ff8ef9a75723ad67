//! Metrics in the text format of OpenMetrics.

use std::fmt;

use chat_server::{Metric, MetricUnit, MetricValue};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// Writes a metric with its description.
pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, metric: &Metric<'_>) -> fmt::Result {
    let kind = match metric.value {
        MetricValue::Counter(_) | MetricValue::Counters(..) => MetricType::Counter,
        MetricValue::Histogram(_) => MetricType::Histogram,
        _ => MetricType::Gauge,
    };
    let (unit, is_time) = match metric.unit {
        MetricUnit::Bytes => (Some(&Unit::Bytes), false),
        MetricUnit::Nanoseconds => (Some(&Unit::Seconds), true),
        _ => (None, false),
    };
    let seconds = |nanos: u64| nanos as f64 / 1e9;
    let mut encoder = encoder.encode_descriptor(metric.name, metric.help, unit, kind)?;
    match &metric.value {
        MetricValue::Counter(n) if is_time => ConstCounter::new(seconds(*n)).encode(encoder),
        MetricValue::Counter(n) => ConstCounter::new(*n).encode(encoder),
        MetricValue::Gauge(n) if is_time => ConstGauge::new(seconds(*n)).encode(encoder),
        MetricValue::Gauge(n) => ConstGauge::new(*n).encode(encoder),
        MetricValue::Counters(label, counts) => counts.iter().try_for_each(|(value, n)| {
            ConstCounter::new(*n).encode(encoder.encode_family(&[(*label, *value)])?)
        }),
        MetricValue::Gauges(label, amounts) => amounts.iter().try_for_each(|(value, n)| {
            ConstGauge::new(*n).encode(encoder.encode_family(&[(*label, *value)])?)
        }),
        MetricValue::Histogram(histogram) => {
            let shown = |n: u64| if is_time { seconds(n) } else { n as f64 };
            let bound = |bound: Option<u64>| bound.map_or(f64::INFINITY, shown);
            let buckets: Vec<_> = histogram.buckets().map(|(b, n)| (bound(b), n)).collect();
            let (sum, count) = (shown(histogram.sum()), histogram.count());
            encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        }
        _ => Ok(()),
    }
}
