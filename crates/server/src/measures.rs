//! Measurements for Prometheus: of the system, of the business, of the models' health.

use std::sync::OnceLock;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the classes that durations are counted in, in seconds.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

static INSTALLED: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();

/// Begins to keep measurements; a second server of the process shares them.
pub(crate) fn install() -> Result<PrometheusHandle, String> {
    let begun = INSTALLED.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS);
        let handle = builder.and_then(PrometheusBuilder::install_recorder).map_err(|e| e.to_string());
        describe();
        handle
    });
    begun.clone()
}

fn describe() {
    describe_counter!("marquee_http_requests_total", "Requests, by method, route and status");
    describe_histogram!("marquee_http_request_duration_seconds", "How long requests took, by route");
    describe_counter!("marquee_forecasts_total", "Forecasts given, by horizon and target");
    describe_counter!("marquee_forecasts_recorded_total", "Forecasts committed to the track record");
    describe_counter!("marquee_log_ins_total", "Log-ins, by outcome");
    describe_gauge!("marquee_titles", "Titles in the lake");
    describe_gauge!("marquee_lake_version", "The lake's newest version");
    describe_gauge!("marquee_newest_fact_age_seconds", "How old the newest ingest is");
    describe_gauge!("marquee_track_scored", "Recorded forecasts whose outcome is known");
    describe_gauge!(
        "marquee_track_coverage80",
        "Share of scored forecasts whose outcome lay between the 10% and 90% quantiles"
    );
    describe_gauge!("marquee_track_crps", "Mean CRPS of scored forecasts, natural-log dollars");
    describe_gauge!("marquee_jobs", "Jobs, by state");
    describe_gauge!("marquee_uptime_seconds", "Seconds since the server started");
    describe_gauge!("marquee_store_commits_total", "Commits of the state store");
    describe_gauge!("marquee_store_writes_total", "Writes of the state store that were acknowledged");
    describe_gauge!("process_resident_memory_bytes", "Resident memory");
    describe_gauge!("process_open_fds", "Open file descriptors");
}

/// A request was answered.
pub(crate) fn request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let labels =
        [("method", method.to_string()), ("route", route.to_owned()), ("status", status.as_str().to_owned())];
    counter!("marquee_http_requests_total", &labels).increment(1);
    histogram!("marquee_http_request_duration_seconds", "route" => route.to_owned())
        .record(took.as_secs_f64());
}
