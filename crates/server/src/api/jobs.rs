//! Jobs: what runs in the background, how it stands, and the tables that come in by upload.

use std::convert::Infallible;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use marquee_app::platform::{Action, Job as HouseJob, JobFilter, JobId, JobState};
use marquee_app::work::{Training, Upload, uploads};
use marquee_domain::{Class, Held};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::{IntoParams, ToSchema};

use crate::api::accounts::deed;
use crate::api::{Query, Refused, whole};
use crate::guard::Caller;
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::jobs::{Job, JobLine, JobNews, JobPage, JobReceipt};

/// Which jobs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobSearch {
    /// queued, running, done, failed or cancelled.
    state: Option<String>,
    /// ingest, train, alerts or webhook.
    kind: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// The most jobs; 50 where it is not said, at most 500.
    limit: Option<usize>,
}

/// Where a log begins.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogSearch {
    /// The first line, from 1.
    #[param(minimum = 0)]
    from: Option<i64>,
}

/// Jobs, newest first: one's own, and for administrators everybody's.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs", params(JobSearch),
    responses((status = 200, body = JobPage), Refused)
)]
pub(crate) async fn list(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<JobSearch>,
) -> Result<Json<JobPage>, Problem> {
    let limit = wanted.limit.unwrap_or(50).clamp(1, 500);
    let filter = JobFilter {
        state: wanted.state.map(|state| state.parse::<JobState>()).transpose()?,
        kind: wanted.kind,
        owner: (!caller.permit.may(Action::Administer)).then(|| caller.account.id.to_string()),
        before: wanted.cursor.map(|cursor| cursor.parse()).transpose()?,
    };
    let mut found = server.office.jobs.list(&filter, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|job| job.cursor().to_string());
    Ok(Json(JobPage { jobs: found.iter().map(Job::from).collect(), next }))
}

/// One job.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, body = Job), Refused)
)]
pub(crate) async fn one(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>, Problem> {
    Ok(Json(Job::from(&own(&server, &caller, &id).await?)))
}

/// The log of a job.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/log", tag = "jobs",
    params(("id" = String, Path, description = "The job's id"), LogSearch),
    responses((status = 200, body = [JobLine]), Refused)
)]
pub(crate) async fn log(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<LogSearch>,
) -> Result<Json<Vec<JobLine>>, Problem> {
    let job = own(&server, &caller, &id).await?;
    let lines = server.office.jobs.log(&job.id, whole("from", wanted.from)?.unwrap_or(1)).await?;
    Ok(Json(lines.iter().map(JobLine::from).collect()))
}

/// Cancels a job: one that waits at once, one that runs as soon as it can stop.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, body = Job), Refused)
)]
pub(crate) async fn cancel(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = own(&server, &caller, &id).await?;
    let job = server.office.jobs.cancel(&job.id, server.now()).await?;
    Ok(deed(Json(Job::from(&job)).into_response(), format!("job:{id}"), None, None))
}

/// Queues a failed job again.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/retry", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses((status = 200, body = Job), Refused)
)]
pub(crate) async fn retry(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = own(&server, &caller, &id).await?;
    let job = server.office.jobs.retry(&job.id, server.now()).await?;
    Ok(deed(Json(Job::from(&job)).into_response(), format!("job:{id}"), None, None))
}

/// What happens to jobs from now on, as server-sent events (`data` is a JobNews): one's own, and for administrators
/// everybody's.
#[utoipa::path(
    get, path = "/api/v1/jobs/events", tag = "jobs",
    responses((status = 200, body = JobNews, content_type = "text/event-stream"), Refused)
)]
pub(crate) async fn events(State(server): State<Server>, caller: Caller) -> impl IntoResponse {
    let all = caller.permit.may(Action::Administer);
    let own = caller.account.id.to_string();
    let news = watched(server.office.jobs.watch(), move |owner| all || owner == Some(own.as_str()));
    Sse::new(news).keep_alive(KeepAlive::default())
}

fn watched(
    jobs: Receiver<marquee_app::platform::JobEvent>,
    wanted: impl Fn(Option<&str>) -> bool + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((jobs, wanted), |(mut jobs, wanted)| async move {
        loop {
            match jobs.recv().await {
                Ok(event) if wanted(event.owner.as_deref()) => {
                    let said = Event::default().event("job").json_data(JobNews::from(&event));
                    return Some((Ok(said.unwrap_or_default()), (jobs, wanted)));
                }
                // Who is too far behind asks again how jobs stand.
                Err(RecvError::Lagged(_)) => {
                    return Some((Ok(Event::default().event("behind")), (jobs, wanted)));
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

/// Trains the models that are due, as a job.
#[utoipa::path(
    post, path = "/api/v1/trainings", tag = "models",
    responses((status = 202, body = JobReceipt), Refused)
)]
pub(crate) async fn train(State(server): State<Server>, caller: Caller) -> Result<Response, Problem> {
    let job = Training { as_of: None, seed: server.settings.seed }.job(caller.account.id.as_str())?;
    let job = server.office.jobs.enqueue(job, server.now()).await?;
    Ok(accepted(job.as_str()))
}

/// Tables to be ingested.
#[derive(ToSchema)]
#[allow(dead_code)] // it describes a form, in the description alone
pub(crate) struct UploadForm {
    /// One or more tables: CSV, TSV, JSON, NDJSON, XLSX or Parquet, plain or gzip.
    #[schema(format = Binary)]
    file: Vec<String>,
    /// A mapping (TOML) that says what the columns mean; built-in ones know the usual public tables.
    #[schema(format = Binary)]
    map: Option<String>,
    /// `true` where a file takes the place of all files of its source.
    replace: Option<String>,
    /// public, internal, confidential or nda; internal where it is left out.
    class: Option<String>,
    /// The team that the facts belong to; one's own where it is left out.
    team: Option<String>,
}

/// Uploads tables; a job ingests them. What was refused and why is then under /api/v1/issues.
#[utoipa::path(
    post, path = "/api/v1/ingests", tag = "data",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 202, body = JobReceipt), Refused)
)]
pub(crate) async fn ingest(
    State(server): State<Server>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let job = take_in(&server, &caller, request).await?;
    Ok(accepted(&job))
}

/// Takes tables in and queues the job that ingests them: gives its id.
pub(crate) async fn take_in(
    server: &Server,
    caller: &Caller,
    mut request: Request,
) -> Result<String, Problem> {
    // Uploads have their own limit, which is counted as they are written.
    DefaultBodyLimit::disable().apply(&mut request);
    let name = new_name(server);
    let folder = uploads(&server.workspace).join(&name);
    let parts = Multipart::from_request(request, server).await.map_err(|rejection| refuse(&rejection))?;
    tokio::fs::create_dir_all(&folder).await.map_err(|error| Problem::internal(&error))?;
    let asked = async {
        let upload = receive(server, caller, parts, name).await?;
        Ok(server.office.jobs.enqueue(upload.job(caller.account.id.as_str())?, server.now()).await?)
    };
    match asked.await {
        Ok(job) => Ok(job.to_string()),
        Err(problem) => {
            // What was not taken on must not fill the disk; that it could not be removed changes nothing for the caller.
            tokio::fs::remove_dir_all(&folder).await.ok();
            Err(problem)
        }
    }
}

/// Writes what is uploaded to files, and reads the rest of the form.
async fn receive(
    server: &Server,
    caller: &Caller,
    mut parts: Multipart,
    folder: String,
) -> Result<Upload, Problem> {
    let place = uploads(&server.workspace).join(&folder);
    let mut room = server.settings.upload_limit as u64;
    let held = Held { class: Class::Internal, team: caller.account.team.clone() };
    let mut upload = Upload { folder, files: Vec::new(), map: None, replace: false, held };
    while let Some(field) = parts.next_field().await.map_err(broken)? {
        match field.name().unwrap_or_default() {
            // A form sends a file that was not chosen as one without a name.
            "map" if field.file_name() == Some("") => {}
            "file" | "map" => {
                let is_map = field.name() == Some("map");
                let name = file_name(field.file_name().unwrap_or_default())?;
                if upload.files.contains(&name) || upload.map.as_ref() == Some(&name) {
                    return Err(Problem::unfit(
                        "two_files",
                        format!("two files are called `{name}`: rename one"),
                    ));
                }
                store(field, &place.join(&name), &mut room).await?;
                if is_map { upload.map = Some(name) } else { upload.files.push(name) }
            }
            "replace" => upload.replace = field.text().await.map_err(broken)? == "true",
            "team" => upload.held.team = field.text().await.map_err(broken)?,
            "class" => {
                let class = field.text().await.map_err(broken)?.parse::<Class>();
                upload.held.class =
                    class.map_err(|error| Problem::unfit("invalid_value", error.to_string()))?;
            }
            other => return Err(Problem::unfit("unknown_field", format!("the form has no field `{other}`"))),
        }
    }
    if upload.files.is_empty() {
        return Err(Problem::unfit("no_file", "the form holds no table: send at least one as `file`"));
    }
    Ok(upload)
}

/// A form that does not hold together, or is larger than it may be.
#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
fn broken(error: MultipartError) -> Problem {
    match error.status() {
        StatusCode::BAD_REQUEST => Problem::unfit("broken_upload", error.body_text()),
        status => Problem::new(status, "broken_upload", error.body_text()),
    }
}

/// Writes one file, piece by piece.
async fn store(mut field: Field<'_>, path: &std::path::Path, room: &mut u64) -> Result<(), Problem> {
    let fail = |error: std::io::Error| Problem::internal(&error);
    let mut file = tokio::fs::File::create(path).await.map_err(fail)?;
    loop {
        let piece = field.chunk().await;
        let Some(piece) = piece.map_err(broken)? else { break };
        *room = room.checked_sub(piece.len() as u64).ok_or_else(|| {
            let detail = "these tables are larger than an upload may be: ingest them on the server with `marquee ingest`";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        })?;
        file.write_all(&piece).await.map_err(fail)?;
    }
    file.sync_all().await.map_err(fail)
}

/// The name of an uploaded file, without what would lead elsewhere.
fn file_name(given: &str) -> Result<String, Problem> {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let odd = |c: char| c.is_control() || matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|');
    if name.is_empty() || name.starts_with('.') || name.len() > 200 || name.contains(odd) {
        return Err(Problem::unfit("invalid_name", format!("`{}` cannot name a file", name.escape_debug())));
    }
    Ok(name.to_owned())
}

fn accepted(job: &str) -> Response {
    let receipt = (StatusCode::ACCEPTED, Json(JobReceipt { job: job.to_owned() })).into_response();
    deed(receipt, format!("job:{job}"), None, None)
}

pub(crate) fn new_name(server: &Server) -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:x}-{:016x}", server.now().timestamp_micros(), RandomState::new().hash_one(std::process::id()))
}

fn refuse(rejection: &MultipartRejection) -> Problem {
    Problem::new(rejection.status(), "not_a_form", rejection.body_text())
}

/// A job that the caller may see: one's own, and for administrators everybody's.
pub(crate) async fn own(server: &Server, caller: &Caller, id: &str) -> Result<HouseJob, Problem> {
    let missing = || Problem::not_found(format!("there is no job `{id}`"));
    let wanted = id.parse::<JobId>().map_err(|_| missing())?;
    let job = server.office.jobs.get(&wanted).await.map_err(|_| missing())?;
    let own = job.owner.as_deref() == Some(caller.account.id.as_str());
    if own || caller.permit.may(Action::Administer) { Ok(job) } else { Err(missing()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lead_nowhere_else() {
        for (given, wanted) in [
            ("films.csv", Some("films.csv")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\data\\films.csv", Some("films.csv")),
            ("..", None),
            (".hidden", None),
            ("", None),
            ("a\0b", None),
            ("a|b", None),
        ] {
            assert_eq!(file_name(given).ok().as_deref(), wanted, "{given}");
        }
    }
}
