//! `/jobs`: what runs in the background and how far it is, what it said, and what is begun again and again. The list follows
//! the server's events; without them it is asked for again while something runs.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use marquee_app::platform::{
    Action, Error as PlatformError, Job, JobFilter, JobState, LogLine, NewSchedule, Schedule, ScheduleId,
};
use marquee_app::work::Training;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::layout::{Nav, Page, Wants, page};
use super::params::Params;
use super::parts::{Column, Field, Tone, badge, crumbs, field, head, nothing, notice, pager, query, table};
use super::words::{ago, capital, moment, percent, whole};
use crate::api::jobs::own;
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::routes::{Routes, Rule};
use crate::server::Server;

/// Jobs on a page.
const SHOWN: usize = 30;
const PAGE: Page<'static> = Page { title: "Jobs", nav: Some(Nav::Jobs) };
const STATES: [(&str, &str); 6] = [
    ("", "All"),
    ("running", "Running"),
    ("queued", "Waiting"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
];

pub(super) fn routes(routes: Routes) -> Routes {
    let (inside, train) = (Rule::SignedIn, Rule::May(Action::Train));
    routes
        .get("/jobs", inside, show)
        .get("/jobs/list", inside, show_list)
        .get("/jobs/{id}", inside, show_one)
        .get("/jobs/{id}/state", inside, show_state)
        .form("/jobs/{id}/cancel", inside, "job.cancel", cancel)
        .form("/jobs/{id}/retry", inside, "job.retry", retry)
        .form("/jobs/schedules", train, "schedule.create", create)
        .form("/jobs/schedules/{id}/switch", train, "schedule.update", switch)
        .form("/jobs/schedules/{id}/start", train, "schedule.start", start)
        .form("/jobs/schedules/{id}/remove", train, "schedule.remove", remove)
}

/// Jobs as they are listed, with the address of the next page.
struct Listed {
    jobs: Vec<Job>,
    next: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ScheduleForm {
    label: String,
    cron: String,
}

async fn show(State(server): State<Server>, caller: Caller, params: Params) -> Result<Markup, Problem> {
    whole_page(&server, &caller, &params, None).await
}

async fn whole_page(
    server: &Server,
    caller: &Caller,
    params: &Params,
    fault: Option<(&ScheduleForm, &str)>,
) -> Result<Markup, Problem> {
    let listed = list(server, caller, params).await?;
    let schedules = schedules(server, caller).await?;
    Ok(page(caller, PAGE, body(caller, (&listed, params), &schedules, fault, server.now())))
}

async fn show_list(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    params: Params,
) -> Result<Markup, Problem> {
    match wants {
        Wants::Fragment => Ok(jobs(&list(&server, &caller, &params).await?, server.now())),
        Wants::Page => whole_page(&server, &caller, &params, None).await,
    }
}

async fn list(server: &Server, caller: &Caller, params: &Params) -> Result<Listed, Problem> {
    let filter = JobFilter {
        state: params.number::<JobState>("state"),
        kind: None,
        owner: (!caller.permit.may(Action::Administer)).then(|| caller.account.id.to_string()),
        before: params.number("before"),
    };
    let mut jobs = server.office.jobs.list(&filter, SHOWN + 1).await?;
    let more = jobs.len() > SHOWN;
    jobs.truncate(SHOWN);
    let last = jobs.last().filter(|_| more).map(|job| job.cursor().to_string());
    let next = last.map(|last| query("/jobs", &[("state", params.get("state")), ("before", &last)]));
    Ok(Listed { jobs, next })
}

/// The schedules that one may see: one's own, and for administrators everybody's.
async fn schedules(server: &Server, caller: &Caller) -> Result<Vec<Schedule>, Problem> {
    let mut all = server.office.jobs.schedules().list().await?;
    all.retain(|schedule| owns(caller, schedule));
    Ok(all)
}

fn owns(caller: &Caller, schedule: &Schedule) -> bool {
    let own = schedule.plan.owner.as_deref() == Some(caller.account.id.as_str());
    own || caller.permit.may(Action::Administer)
}

async fn show_one(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Markup, Problem> {
    let (job, lines) = read(&server, &caller, &id).await?;
    Ok(page(&caller, PAGE, one(&job, &lines, server.now())))
}

async fn show_state(
    State(server): State<Server>,
    caller: Caller,
    wants: Wants,
    Path(id): Path<String>,
) -> Result<Markup, Problem> {
    let (job, lines) = read(&server, &caller, &id).await?;
    Ok(match wants {
        Wants::Fragment => state(&job, &lines, server.now()),
        Wants::Page => page(&caller, PAGE, one(&job, &lines, server.now())),
    })
}

async fn read(server: &Server, caller: &Caller, id: &str) -> Result<(Job, Vec<LogLine>), Problem> {
    let job = own(server, caller, id).await?;
    let lines = server.office.jobs.log(&job.id, 1).await?;
    Ok((job, lines))
}

async fn cancel(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = own(&server, &caller, &id).await?;
    server.office.jobs.cancel(&job.id, server.now()).await?;
    Ok(done(&format!("/jobs/{}", job.id), format!("job:{}", job.id)))
}

async fn retry(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let job = own(&server, &caller, &id).await?;
    server.office.jobs.retry(&job.id, server.now()).await?;
    Ok(done(&format!("/jobs/{}", job.id), format!("job:{}", job.id)))
}

/// Makes a schedule that trains what is due. It is done in the name of who makes it, by what they may do at the time.
async fn create(
    State(server): State<Server>,
    caller: Caller,
    asked: Result<Form<ScheduleForm>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) =
        asked.map_err(|rejection| Problem::new(rejection.status(), "not_a_form", rejection.body_text()))?;
    let training = Training { as_of: None, seed: server.settings.seed };
    let payload = serde_json::to_value(training).map_err(|error| Problem::internal(&error))?;
    let label = match asked.label.trim() {
        "" => "Train the models that are due",
        label => label,
    };
    let plan = NewSchedule {
        owner: Some(caller.account.id.to_string()),
        attempts: 3,
        ..NewSchedule::new(label, asked.cron.trim(), Training::KIND, payload)
    };
    match server.office.jobs.schedules().create(plan, server.now()).await {
        Ok(schedule) => {
            let mut response = done("/jobs#schedules", format!("schedule:{}", schedule.id));
            let after = json!({ "label": schedule.plan.label, "cron": schedule.plan.cron, "kind": schedule.plan.kind });
            response.extensions_mut().insert(Deed {
                object: format!("schedule:{}", schedule.id),
                after: Some(after),
                ..Deed::default()
            });
            Ok(response)
        }
        Err(error @ (PlatformError::InvalidCron { .. } | PlatformError::InvalidJob { .. })) => {
            let said = format!("{}.", capital(&error.to_string()));
            let body = whole_page(&server, &caller, &Params::default(), Some((&asked, &said))).await?;
            Ok((axum::http::StatusCode::UNPROCESSABLE_ENTITY, body).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn switch(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let schedule = own_schedule(&server, &caller, &id).await?;
    let plan = NewSchedule { enabled: !schedule.plan.enabled, ..schedule.plan };
    server.office.jobs.schedules().update(&schedule.id, plan, server.now()).await?;
    Ok(done("/jobs#schedules", format!("schedule:{id}")))
}

async fn start(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let schedule = own_schedule(&server, &caller, &id).await?;
    let job = server.office.jobs.schedules().start(&schedule.id, server.now()).await?;
    Ok(done(&format!("/jobs/{job}"), format!("schedule:{id}")))
}

async fn remove(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let schedule = own_schedule(&server, &caller, &id).await?;
    server.office.jobs.schedules().remove(&schedule.id).await?;
    Ok(done("/jobs#schedules", format!("schedule:{id}")))
}

async fn own_schedule(server: &Server, caller: &Caller, id: &str) -> Result<Schedule, Problem> {
    let missing = || Problem::not_found(format!("there is no schedule `{id}`"));
    let wanted = id.parse::<ScheduleId>().map_err(|_| missing())?;
    let schedule = match server.office.jobs.schedules().get(&wanted).await {
        Ok(schedule) => schedule,
        Err(PlatformError::NoSuchSchedule { .. }) => return Err(missing()),
        Err(error) => return Err(error.into()),
    };
    if owns(caller, &schedule) { Ok(schedule) } else { Err(missing()) }
}

fn done(place: &str, object: String) -> Response {
    let mut response = Redirect::to(place).into_response();
    response.extensions_mut().insert(Deed { object, ..Deed::default() });
    response
}

fn body(
    caller: &Caller,
    (listed, params): (&Listed, &Params),
    schedules: &[Schedule],
    fault: Option<(&ScheduleForm, &str)>,
    now: DateTime<Utc>,
) -> Markup {
    let here = params.get("state");
    let source = query("/jobs/list", &[("state", here), ("before", params.get("before"))]);
    html! {
        (head("Jobs", Some("What runs in the background. A job survives a restart: it is begun again where it was cut off.")))
        nav.tabs aria-label="States" {
            @for (state, name) in STATES { a href=(query("/jobs", &[("state", state)])) aria-current=[(state == here).then_some("page")] { (name) } }
        }
        div id="jobs" data-asked=(source) data-events="/api/v1/jobs/events" { (jobs(listed, now)) }
        noscript { p { a.button href="" { "Look again" } } }
        section id="schedules" {
            h2 { "Schedules" }
            (schedule_table(schedules, now))
            @if caller.permit.may(Action::Train) { (schedule_form(fault)) }
        }
    }
}

fn jobs(listed: &Listed, now: DateTime<Utc>) -> Markup {
    let busy = listed.jobs.iter().any(|job| !job.state.is_final());
    if listed.jobs.is_empty() {
        let why = "Ingesting a table and training models run as jobs: they are listed here while they run and after.";
        return html! { div.old { (nothing("No job is here", why, html! { a.button href="/data" { "Add a table" } })) } };
    }
    let columns = [
        Column::text("Job"),
        Column::text("State"),
        Column::text("How far"),
        Column::text("Asked for"),
        Column::text("What to do"),
    ];
    html! {
        div.old.stack data-poll=[busy.then_some("5")] {
            (table("Jobs, newest first", &columns, html! {
                @for job in &listed.jobs {
                    tr {
                        th scope="row" { a href={ "/jobs/" (job.id) } { (job.label) } br; span.small.soft { (job.kind) @if job.made > 1 { " · attempt " (job.made) " of " (job.attempts) } } }
                        td { (state_badge(job)) }
                        td { (progress(job)) @if let Some(error) = &job.error { p.small.loss { (error) } } }
                        td.nowrap { (ago(job.created_at, now)) }
                        td { (acts(job)) }
                    }
                }
            }))
            (pager("", None, listed.next.as_deref()))
        }
    }
}

fn state_badge(job: &Job) -> Markup {
    let (word, tone) = match job.state {
        JobState::Queued if job.made > 0 => ("waits to try again", Tone::Wait),
        JobState::Queued => ("waits", Tone::Plain),
        JobState::Running if job.cancel_asked => ("stopping", Tone::Wait),
        JobState::Running => ("runs", Tone::Accent),
        JobState::Done => ("done", Tone::Good),
        JobState::Failed => ("failed", Tone::Bad),
        JobState::Cancelled => ("cancelled", Tone::Plain),
    };
    badge(word, tone)
}

fn progress(job: &Job) -> Markup {
    let p = &job.progress;
    let share = if p.total > 0 { p.done as f64 / p.total as f64 } else { 0.0 };
    html! {
        @if job.state == JobState::Running {
            @if p.total > 0 {
                progress max=(p.total) value=(p.done) aria-label={ (p.what) ": " (percent(share)) } {}
            } @else { progress aria-label="Under way" {} }
        }
        @if !p.what.is_empty() && job.state != JobState::Done {
            span.small.soft { (p.what) @if p.total > 0 { " " (whole(p.done)) " of " (whole(p.total)) } }
        }
    }
}

fn acts(job: &Job) -> Markup {
    html! {
        div.row {
            @if !job.state.is_final() && !job.cancel_asked {
                form method="post" action={ "/jobs/" (job.id) "/cancel" } { button.button type="submit" aria-label={ "Cancel " (job.label) } { "Cancel" } }
            }
            @if job.state == JobState::Failed || job.state == JobState::Cancelled {
                form method="post" action={ "/jobs/" (job.id) "/retry" } { button.button type="submit" aria-label={ "Try again: " (job.label) } { "Try again" } }
            }
        }
    }
}

fn one(job: &Job, lines: &[LogLine], now: DateTime<Utc>) -> Markup {
    html! {
        (crumbs(&[("Jobs", "/jobs")]))
        (head(&capital(&job.label), None))
        div id="job" data-asked={ "/jobs/" (job.id) "/state" } data-events="/api/v1/jobs/events" data-only=(job.id) { (state(job, lines, now)) }
    }
}

fn state(job: &Job, lines: &[LogLine], now: DateTime<Utc>) -> Markup {
    html! {
        div.old.stack data-poll=[(!job.state.is_final()).then_some("4")] {
            div.row { (state_badge(job)) (acts(job)) }
            (progress(job))
            @if let Some(error) = &job.error { (notice(Tone::Bad, html! { p { strong { "The last attempt failed" } } p { (capital(error)) } })) }
            dl.facts {
                div { dt { "Asked for" } dd { (moment(job.created_at)) } }
                @if let Some(at) = job.started_at { div { dt { "Last begun" } dd { (moment(at)) } } }
                @if let Some(at) = job.finished_at { div { dt { "Ended" } dd { (moment(at)) } } }
                div { dt { "Attempts" } dd { (job.made) " of " (job.attempts) } }
                div { dt { "Id" } dd { code { (job.id) } } }
            }
            section {
                h2 { "Log" }
                @if lines.is_empty() { p.soft { "It has said nothing yet." } }
                @else {
                    ol.log tabindex="0" aria-label="Log" {
                        @for line in lines { li { time datetime=(line.at.to_rfc3339()) title=(moment(line.at)) { (ago(line.at, now)) } span { (line.message) } } }
                    }
                }
            }
            @if let Some(result) = &job.result {
                details.more { summary { "What came of it" } pre tabindex="0" { (serde_json::to_string_pretty(result).unwrap_or_default()) } }
            }
        }
    }
}

fn schedule_table(all: &[Schedule], now: DateTime<Utc>) -> Markup {
    if all.is_empty() {
        return html! { p.soft { "Nothing is begun by itself. A schedule trains the models that are due, at the times that you say." } };
    }
    let columns = [
        Column::text("Schedule"),
        Column::text("When"),
        Column::text("Next"),
        Column::text("Last job"),
        Column::text("What to do"),
    ];
    table(
        "Schedules",
        &columns,
        html! {
            @for schedule in all {
                @let place = format!("/jobs/schedules/{}", schedule.id);
                @let plan = &schedule.plan;
                tr {
                    th scope="row" { (plan.label) " " @if !plan.enabled { (badge("off", Tone::Wait)) } }
                    td { code { (plan.cron) } " UTC" }
                    td.nowrap { @match schedule.next_at { Some(at) => { (moment(at)) @if at < now { " " span.soft { "(due)" } } } None => { span.soft { "–" } } } }
                    td { @match &schedule.last_job { Some(job) => { a href={ "/jobs/" (job) } { "Open" } } None => { span.soft { "none yet" } } } }
                    td {
                        div.row {
                            form method="post" action={ (place) "/switch" } { button.button type="submit" { @if plan.enabled { "Switch off" } @else { "Switch on" } } }
                            form method="post" action={ (place) "/start" } { button.button type="submit" { "Run now" } }
                            form method="post" action={ (place) "/remove" } data-confirm={ "Remove the schedule “" (plan.label) "”?" } { button.button type="submit" { "Remove" } }
                        }
                    }
                }
            }
        },
    )
}

fn schedule_form(fault: Option<(&ScheduleForm, &str)>) -> Markup {
    let (label, cron) =
        fault.map_or(("", "30 3 * * *"), |(asked, _)| (asked.label.as_str(), asked.cron.as_str()));
    let hint = "Minute, hour, day of month, month, day of week in UTC; or @daily, @weekly, @monthly.";
    html! {
        form.form method="post" action="/jobs/schedules" {
            div.filters {
                (field(&Field { hint: Some("May stay empty."), ..Field::text("label", "Name", label) }))
                (field(&Field { required: true, hint: Some(hint), error: fault.map(|(_, said)| said), ..Field::text("cron", "Train what is due at", cron) }))
                button.button type="submit" { "Make the schedule" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{self, somebody};
    use super::*;
    use marquee_app::platform::JobProgress;

    const HOSTILE: &str = "<script>alert(1)</script>";

    fn job(state: JobState) -> Job {
        Job {
            id: "00112233445566778899aabbccddeeff".parse().expect("an id"),
            kind: "train".to_owned(),
            label: HOSTILE.to_owned(),
            owner: None,
            unique: None,
            payload: json!({}),
            state,
            attempts: 3,
            made: 2,
            cancel_asked: false,
            progress: JobProgress { what: HOSTILE.to_owned(), done: 3, total: 10 },
            next_run: DateTime::UNIX_EPOCH,
            created_at: DateTime::UNIX_EPOCH,
            started_at: Some(DateTime::UNIX_EPOCH),
            finished_at: None,
            lease: None,
            error: Some(HOSTILE.to_owned()),
            result: Some(json!({ "said": HOSTILE })),
        }
    }

    fn schedule() -> Schedule {
        Schedule {
            id: "00112233445566778899aabbccddeeff".parse().expect("an id"),
            plan: NewSchedule { enabled: false, ..NewSchedule::new(HOSTILE, "@daily", "train", json!({})) },
            next_at: None,
            last_job: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn lists_of_jobs_and_schedules_are_sound() {
        let states =
            [JobState::Queued, JobState::Running, JobState::Done, JobState::Failed, JobState::Cancelled];
        for jobs in [vec![], states.map(job).to_vec()] {
            let listed = Listed { jobs, next: Some("/jobs?before=1".to_owned()) };
            let form = ScheduleForm { label: HOSTILE.to_owned(), cron: HOSTILE.to_owned() };
            let fault = Some((&form, HOSTILE));
            let inside =
                body(&somebody("Ana"), (&listed, &Params::default()), &[schedule()], fault, Utc::now());
            let text = page(&somebody("Ana"), PAGE, inside).into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert") && text.contains("Switch on"), "{text}");
        }
    }

    #[test]
    fn a_job_is_shown_with_what_it_said() {
        let line = LogLine { line: 1, at: DateTime::UNIX_EPOCH, message: HOSTILE.to_owned() };
        for (state, button) in [(JobState::Running, "Cancel"), (JobState::Failed, "Try again")] {
            let inside = one(&job(state), std::slice::from_ref(&line), Utc::now());
            let text = page(&somebody("Ana"), PAGE, inside).into_string();
            check::sound(&text);
            assert!(!text.contains("<script>alert") && text.contains(button), "{text}");
        }
    }
}
