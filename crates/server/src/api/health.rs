//! Whether the server lives, whether it is ready, and what it measured.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use marquee_app::Permit;
use marquee_app::platform::{JobFilter, JobState};
use marquee_app::use_cases::track::track;
use metrics::gauge;
use serde_json::json;

use crate::problem::Problem;
use crate::server::Server;

/// How old the figures of the track record may be.
const RECORD_AGE: Duration = Duration::from_secs(300);

/// The process answers.
pub(crate) async fn live() -> Json<serde_json::Value> {
    Json(json!({ "status": "live" }))
}

/// The state store and the lake answer.
pub(crate) async fn ready(State(server): State<Server>) -> Result<Json<serde_json::Value>, Problem> {
    server.office.accounts.is_empty().await?;
    server
        .workspace
        .lake(&Permit::local_owner())
        .await?
        .newest_number()
        .await
        .map_err(|e| Problem::internal(&e))?;
    Ok(Json(json!({ "status": "ready" })))
}

/// Measurements in Prometheus's text format.
pub(crate) async fn metrics(State(server): State<Server>) -> Response {
    gauge!("marquee_uptime_seconds").set(server.started.elapsed().as_secs_f64());
    if let Ok(store) = server.workspace.store(&Permit::local_owner()).await {
        let stats = store.stats();
        gauge!("marquee_store_commits_total").set(stats.commits as f64);
        gauge!("marquee_store_writes_total").set(stats.writes as f64);
    }
    if let Some((resident, descriptors)) = process() {
        gauge!("process_resident_memory_bytes").set(resident);
        gauge!("process_open_fds").set(descriptors);
    }
    state_of(&server).await;
    let text = server.measures.render();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// How the data, the jobs and the track record stand. What cannot be read leaves its figure as it was.
async fn state_of(server: &Server) {
    let owner = Permit::local_owner();
    for state in [JobState::Queued, JobState::Running, JobState::Failed] {
        let filter = JobFilter { state: Some(state), ..JobFilter::default() };
        if let Ok(jobs) = server.office.jobs.list(&filter, 1_000).await {
            gauge!("marquee_jobs", "state" => state.as_str()).set(jobs.len() as f64);
        }
    }
    if let Ok(snapshot) = server.workspace.snapshot(&owner).await {
        gauge!("marquee_lake_version").set(snapshot.version() as f64);
        let newest = snapshot.sources().iter().map(|entry| entry.recorded_at.0).max().unwrap_or_default();
        let age = server.now().timestamp_micros().saturating_sub(newest);
        gauge!("marquee_newest_fact_age_seconds").set(age as f64 / 1e6);
        if let Ok(identity) = snapshot.identity().await {
            gauge!("marquee_titles").set(identity.titles().len() as f64);
        }
    }
    // Scoring reads the whole record: that is done anew every few minutes, not at each look.
    if server.is_due(RECORD_AGE)
        && let Ok(track) = track(&server.workspace, 0, None, &owner).await
        && let Some(summary) = track.summary
    {
        gauge!("marquee_track_scored").set(summary.n as f64);
        gauge!("marquee_track_coverage80").set(summary.cover80);
        gauge!("marquee_track_crps").set(summary.crps);
    }
}

/// Resident bytes and open descriptors, where the operating system tells them as Linux does.
fn process() -> Option<(f64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    let descriptors = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some((kilobytes * 1024.0, descriptors as f64))
}
