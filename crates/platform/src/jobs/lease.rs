//! How a job changes hands: claimed, kept, given up, taken from a worker that is gone.
//!
//! A claim is a lease for 30 seconds that its worker renews. Each claim of a job has a number, and whatever a worker
//! writes about the job is written only while that claim is the newest and the job is running: a worker that lost its
//! lease can neither end nor change a job that another one has. What a lease cannot do is to stop a computation in a
//! process that was held up for 30 seconds; it is asked to stop as soon as it looks up. Processes that share a store must
//! have clocks that agree within some seconds.

use chrono::TimeDelta;
use serde_json::Value;
use sqlx::Row as _;

use super::job::{Job, JobId, JobState, Progress};
use super::rows::{self, append_log, columns};
use crate::store::Connection;

/// How long a claim lasts without being renewed.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often it is renewed.
pub(super) const RENEWAL: TimeDelta = TimeDelta::seconds(10);

/// The pause after the first failed attempt, in microseconds.
const FIRST_PAUSE: i64 = 5_000_000;
/// The longest pause, in microseconds.
const LONGEST_PAUSE: i64 = 3_600_000_000;
/// How often a settlement is tried anew because somebody cancelled in between.
const TRIES: usize = 4;
/// What is said of a job whose worker did not come back.
const GONE: &str = "its worker stopped or lost touch with the store before it was done";

/// A job that is ours for now.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) job: Job,
    pub(super) number: ClaimId,
}

/// Which claim of which job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClaimId {
    pub(super) job: JobId,
    pub(super) runs: i64,
}

/// What a worker writes about its job while it runs, and once more with its end.
#[derive(Debug, Clone, Default)]
pub(super) struct News {
    pub(super) progress: Progress,
    /// Lines for the log: when, what.
    pub(super) lines: Vec<(i64, String)>,
}

/// How a run ended, as its worker saw it.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    Done(Value),
    Failed {
        reason: String,
        may_retry: bool,
    },
    Cancelled,
    /// It was interrupted by a shutdown: the attempt does not count.
    GivenBack,
}

/// What becomes of a job whose run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settlement {
    pub(super) state: JobState,
    pub(super) made: i64,
    /// When it is tried again.
    pub(super) next_run: Option<i64>,
    pub(super) error: Option<String>,
    pub(super) result: Option<String>,
}

/// What was known of a job when its end was settled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) made: i64,
    pub(super) attempts: i64,
    pub(super) cancel_asked: bool,
}

/// Takes the job that has waited longest among those that are due and of these kinds.
pub(super) async fn claim(
    connection: &mut Connection,
    kinds: &[String],
    worker: &str,
    now: i64,
) -> Result<Option<Claim>, sqlx::Error> {
    let sql = format!(
        "UPDATE job SET state = 'running', runs = runs + 1, made = made + 1, worker = $1, lease_until = $2, \
         started_at = $3, progress_what = '', progress_done = 0, progress_total = 0 \
         WHERE state = 'queued' AND id = (SELECT id FROM job WHERE state = 'queued' AND next_run <= $3 AND kind IN ({}) \
         ORDER BY next_run, created_at, id LIMIT 1) RETURNING {}",
        placeholders(4, kinds.len()),
        columns!()
    );
    // Only numbers of parameters were put in.
    let claim =
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(worker.to_owned()).bind(later(now, LEASE)).bind(now);
    let claim = kinds.iter().fold(claim, |claim, kind| claim.bind(kind.clone()));
    let Some(row) = claim.fetch_optional(connection).await? else {
        return Ok(None);
    };
    let job = rows::job(&row)?;
    let number = ClaimId { job: job.id.clone(), runs: rows::runs(&row)? };
    Ok(Some(Claim { job, number }))
}

/// How many jobs of these kinds are due, counted up to `most`.
pub(super) async fn count_due(
    connection: &mut Connection,
    kinds: &[String],
    now: i64,
    most: i64,
) -> Result<i64, sqlx::Error> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT id FROM job WHERE state = 'queued' AND next_run <= $1 AND kind IN ({}) \
         LIMIT $2) AS due",
        placeholders(3, kinds.len())
    );
    let count = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now).bind(most);
    let count = kinds.iter().fold(count, |count, kind| count.bind(kind.clone()));
    count.fetch_one(connection).await?.try_get(0)
}

/// Renews a lease and writes the news; whether the job is to stop, or `None` if the lease is lost.
pub(super) async fn renew(
    connection: &mut Connection,
    claim: &ClaimId,
    news: &News,
    now: i64,
) -> Result<Option<bool>, sqlx::Error> {
    let renew = sqlx::query(
        "UPDATE job SET lease_until = $3, progress_what = $4, progress_done = $5, progress_total = $6 \
         WHERE id = $1 AND runs = $2 AND state = 'running' RETURNING cancel_asked",
    );
    let renew = renew
        .bind(claim.job.as_str().to_owned())
        .bind(claim.runs)
        .bind(later(now, LEASE))
        .bind(news.progress.what.clone())
        .bind(count(news.progress.done))
        .bind(count(news.progress.total));
    let Some(row) = renew.fetch_optional(&mut *connection).await? else {
        return Ok(None);
    };
    append_log(connection, &claim.job, &news.lines).await?;
    Ok(Some(row.try_get::<i64, _>(0)? != 0))
}

/// Ends a run and says how the job stands then, or `None` if the lease is lost and this run has no say.
pub(super) async fn settle(
    connection: &mut Connection,
    claim: &ClaimId,
    news: &News,
    ending: &Ending,
    now: i64,
) -> Result<Option<JobState>, sqlx::Error> {
    for _ in 0..TRIES {
        let Some(standing) = standing(connection, claim).await? else {
            return Ok(None);
        };
        let settlement = settlement(ending, standing, now, jitter(claim));
        if write(connection, claim, news, standing, &settlement, now).await? {
            append_log(connection, &claim.job, &news.lines).await?;
            return Ok(Some(settlement.state));
        }
        // Somebody asked for it to stop in between, which must not be forgotten.
    }
    Err(sqlx::Error::Protocol("the job changed again and again".to_owned()))
}

/// Takes back the jobs whose lease ran out: queued again if there are attempts left. How each stands then. Claims of which
/// it is known that their workers live are renewed instead: a computer that was asleep has held them up, not ended them.
pub(super) async fn take_back(
    connection: &mut Connection,
    live: &[ClaimId],
    now: i64,
) -> Result<Vec<Job>, sqlx::Error> {
    for claim in live {
        let renew = "UPDATE job SET lease_until = $3 WHERE id = $1 AND runs = $2 AND state = 'running' \
                     AND lease_until < $4";
        let renew = sqlx::query(renew).bind(claim.job.as_str().to_owned()).bind(claim.runs);
        renew.bind(later(now, LEASE)).bind(now).execute(&mut *connection).await?;
    }
    let take = sqlx::query(concat!(
        "UPDATE job SET worker = NULL, lease_until = NULL, next_run = $1, \
         state = CASE WHEN cancel_asked = 1 THEN 'cancelled' WHEN made >= attempts THEN 'failed' ELSE 'queued' END, \
         finished_at = CASE WHEN cancel_asked = 1 OR made >= attempts THEN $1 ELSE NULL END, \
         error = CASE WHEN cancel_asked = 1 THEN error ELSE $2 END \
         WHERE state = 'running' AND lease_until < $1 RETURNING ",
        columns!()
    ));
    let rows = take.bind(now).bind(GONE).fetch_all(connection).await?;
    rows.iter().map(rows::job).collect()
}

/// Whether there is a lease that ran out.
pub(super) async fn any_gone(connection: &mut Connection, now: i64) -> Result<bool, sqlx::Error> {
    let gone = sqlx::query("SELECT id FROM job WHERE state = 'running' AND lease_until < $1 LIMIT 1");
    Ok(gone.bind(now).fetch_optional(connection).await?.is_some())
}

/// What becomes of a job whose run ended so.
pub(super) fn settlement(ending: &Ending, standing: Standing, now: i64, jitter: f64) -> Settlement {
    let Standing { made, attempts, cancel_asked } = standing;
    let end = |state, error| Settlement { state, made, next_run: None, error, result: None };
    match ending {
        // It was done before it heard that it should stop.
        Ending::Done(value) => Settlement { result: Some(value.to_string()), ..end(JobState::Done, None) },
        _ if cancel_asked => end(JobState::Cancelled, None),
        Ending::Cancelled => end(JobState::Cancelled, None),
        Ending::GivenBack => {
            let made = (made - 1).max(0);
            Settlement { made, next_run: Some(now), ..end(JobState::Queued, None) }
        }
        Ending::Failed { reason, may_retry: true } if made < attempts => {
            let next_run = Some(now.saturating_add(pause(made, jitter)));
            Settlement { next_run, ..end(JobState::Queued, Some(reason.clone())) }
        }
        Ending::Failed { reason, .. } => end(JobState::Failed, Some(reason.clone())),
    }
}

/// The pause after so many failed attempts, in microseconds: 5 s, 10 s, 20 s, …, at most an hour, less up to a quarter of
/// it, so that jobs which failed together do not come back together.
pub(super) fn pause(made: i64, jitter: f64) -> i64 {
    let doublings = made.saturating_sub(1).clamp(0, 20);
    let whole = (FIRST_PAUSE << doublings).min(LONGEST_PAUSE);
    whole - (whole as f64 / 4.0 * jitter.clamp(0.0, 1.0)) as i64
}

/// A number in [0, 1) that differs from job to job and from run to run. A job's name is random, so that no other source is
/// needed (and the pause of a run can be computed again).
fn jitter(claim: &ClaimId) -> f64 {
    let seed = u64::from_str_radix(&claim.job.as_str()[..16], 16).unwrap_or(0);
    let mixed = (seed ^ claim.runs.unsigned_abs()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// What is known of a job, if it is still in this claim.
async fn standing(connection: &mut Connection, claim: &ClaimId) -> Result<Option<Standing>, sqlx::Error> {
    let find =
        "SELECT made, attempts, cancel_asked FROM job WHERE id = $1 AND runs = $2 AND state = 'running'";
    let find = sqlx::query(find).bind(claim.job.as_str().to_owned()).bind(claim.runs);
    let Some(row) = find.fetch_optional(connection).await? else {
        return Ok(None);
    };
    let cancel_asked = row.try_get::<i64, _>(2)? != 0;
    Ok(Some(Standing { made: row.try_get(0)?, attempts: row.try_get(1)?, cancel_asked }))
}

/// Writes a settlement if what it was made from still holds.
async fn write(
    connection: &mut Connection,
    claim: &ClaimId,
    news: &News,
    standing: Standing,
    settlement: &Settlement,
    now: i64,
) -> Result<bool, sqlx::Error> {
    let update = sqlx::query(
        "UPDATE job SET state = $4, made = $5, next_run = COALESCE($6, next_run), error = $7, result = $8, \
         finished_at = $9, progress_what = $10, progress_done = $11, progress_total = $12, worker = NULL, \
         lease_until = NULL WHERE id = $1 AND runs = $2 AND cancel_asked = $3 AND state = 'running'",
    );
    let update = update
        .bind(claim.job.as_str().to_owned())
        .bind(claim.runs)
        .bind(i64::from(standing.cancel_asked))
        .bind(settlement.state.as_str().to_owned())
        .bind(settlement.made)
        .bind(settlement.next_run)
        .bind(settlement.error.clone())
        .bind(settlement.result.clone())
        .bind(settlement.state.is_final().then_some(now))
        .bind(news.progress.what.clone())
        .bind(count(news.progress.done))
        .bind(count(news.progress.total));
    Ok(update.execute(connection).await?.rows_affected() == 1)
}

/// A time after another one, in microseconds.
fn later(now: i64, by: TimeDelta) -> i64 {
    now.saturating_add(by.num_microseconds().unwrap_or(i64::MAX))
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// `$4, $5, $6` for three from four on; `NULL`, which nothing is in, for none.
fn placeholders(from: usize, number: usize) -> String {
    if number == 0 {
        return "NULL".to_owned();
    }
    (from..from + number).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds = |made, jitter| pause(made, jitter) / SECOND;
        let whole: Vec<i64> = (1..=12).map(|made| seconds(made, 0.0)).collect();
        assert_eq!(whole, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
        assert_eq!([seconds(3, 1.0), seconds(3, 0.5), seconds(3, f64::NAN)], [15, 17, 20]);
        assert_eq!([seconds(0, 0.0), seconds(i64::MIN + 1, 0.0), seconds(i64::MAX, 0.0)], [5, 5, 3600]);
    }

    #[test]
    fn jitter_differs_and_stays_below_one() {
        let claim = |job: &str, runs| {
            let job = job.parse().unwrap_or_else(|error| unreachable!("{error}"));
            jitter(&ClaimId { job, runs })
        };
        let (a, b) = ("ffffffffffffffffffffffffffffffff", "0123456789abcdef0123456789abcdef");
        let all = [claim(a, 1), claim(a, 2), claim(b, 1), claim(b, 2)];
        assert!(all.iter().all(|jitter| (0.0..1.0).contains(jitter)), "{all:?}");
        assert!(
            all.iter().enumerate().all(|(n, x)| all.iter().skip(n + 1).all(|y| (x - y).abs() > 1e-3)),
            "{all:?}"
        );
    }

    fn failed(may_retry: bool) -> Ending {
        Ending::Failed { reason: "no network".into(), may_retry }
    }

    fn check(
        ending: &Ending,
        made: i64,
        cancel_asked: bool,
        state: JobState,
        made_then: i64,
        next: Option<i64>,
    ) {
        let standing = Standing { made, attempts: 3, cancel_asked };
        let found = settlement(ending, standing, 7 * SECOND, 0.0);
        assert_eq!((found.state, found.made, found.next_run), (state, made_then, next), "{ending:?}");
    }

    #[test]
    fn what_becomes_of_a_run() {
        use JobState::{Cancelled, Done, Failed, Queued};
        check(&Ending::Done(Value::Null), 1, true, Done, 1, None);
        check(&failed(true), 1, false, Queued, 1, Some(12 * SECOND));
        check(&failed(true), 2, false, Queued, 2, Some(17 * SECOND));
        check(&failed(true), 3, false, Failed, 3, None);
        check(&failed(false), 1, false, Failed, 1, None);
        check(&failed(true), 1, true, Cancelled, 1, None);
        check(&Ending::Cancelled, 1, false, Cancelled, 1, None);
        check(&Ending::GivenBack, 2, false, Queued, 1, Some(7 * SECOND));
        check(&Ending::GivenBack, 2, true, Cancelled, 2, None);
    }
}
