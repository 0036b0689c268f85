//! What jobs, runners and schedules do, example by example. The time is handed in; nothing sleeps.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use super::runner::Worker;
use super::*;

/// So many seconds after the beginning.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000 + seconds, 0).unwrap()
}

pub(super) async fn open(folder: &Path) -> Jobs {
    Jobs::open(StateStore::open(folder.join("state.db").to_str().unwrap()).await.unwrap())
}

/// A worker with one handler for the kind `work`, and what keeps it from stopping.
fn worker<F, R>(jobs: &Jobs, now: i64, handler: F) -> (Worker, watch::Sender<bool>)
where
    F: Fn(JobRun) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, JobError>> + Send + 'static,
{
    let (stop, stopping) = watch::channel(false);
    let handlers = Handlers::default().on("work", handler).unwrap();
    let runner = Runner::new(jobs.clone(), handlers, 1).with_clock(Clock::new(move || at(now)));
    (runner.worker("w".into(), stopping), stop)
}

fn work() -> NewJob {
    NewJob::new("work", "Work", json!({}))
}

pub(super) async fn claim(jobs: &Jobs, now: i64) -> Option<Claim> {
    let kinds = ["work".to_owned()];
    jobs.claim(Arc::new(kinds), "w".into(), at(now)).await.unwrap()
}

async fn check(jobs: &Jobs, id: &JobId, state: JobState, made: u32) -> Job {
    let job = jobs.get(id).await.unwrap();
    assert_eq!((job.state, job.made), (state, made), "{job:?}");
    job
}

/// Waits until a job stands so.
async fn wait_for(events: &mut broadcast::Receiver<JobEvent>, wanted: JobState) {
    while events.recv().await.unwrap().change != Change::State(wanted) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_with_one_key_are_one_job_also_from_two_processes() {
    let folder = tempfile::tempdir().unwrap();
    let both = [open(folder.path()).await, open(folder.path()).await];
    let mut asking = JoinSet::new();
    for number in 0..50 {
        let jobs = both[number % 2].clone();
        let job = NewJob { unique: Some("ingest-films".into()), ..work() };
        asking.spawn(async move { jobs.enqueue(job, at(0)).await.unwrap() });
    }
    let mut ids = asking.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(both[0].list(&JobFilter::default(), 99).await.unwrap().len(), 1);

    // Once it is done, there is room for the next one.
    let run = claim(&both[1], 0).await.unwrap();
    both[1].settle(&run, News::default(), Ending::Done(json!(1)), at(1)).await.unwrap();
    let job = NewJob { unique: Some("ingest-films".into()), ..work() };
    assert_ne!(both[0].enqueue(job, at(2)).await.unwrap(), ids[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_the_jobs_and_none_is_run_twice() {
    let folder = tempfile::tempdir().unwrap();
    let both = [open(folder.path()).await, open(folder.path()).await];
    for _ in 0..40 {
        both[0].enqueue(work(), at(0)).await.unwrap();
    }
    let mut claiming = JoinSet::new();
    for number in 0..6 {
        let jobs = both[number % 2].clone();
        claiming.spawn(async move {
            let mut ours = Vec::new();
            while let Some(run) = claim(&jobs, 1).await {
                ours.push(run.job.id);
            }
            ours
        });
    }
    let mut ids = claiming.join_all().await.concat();
    ids.sort();
    let all = ids.len();
    ids.dedup();
    assert_eq!((all, ids.len()), (40, 40));
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_up_again_and_the_attempt_counts() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let id = jobs.enqueue(NewJob { attempts: 2, ..work() }, at(0)).await.unwrap();
    let first = claim(&jobs, 0).await.unwrap();
    assert_eq!(jobs.renew(first.number.clone(), News::default(), at(10)).await.unwrap(), Some(false));
    assert!(jobs.take_back(at(40)).await.unwrap().is_empty(), "renewed until then");
    assert!(claim(&jobs, 40).await.is_none());

    assert_eq!(jobs.take_back(at(41)).await.unwrap().len(), 1);
    let job = check(&jobs, &id, JobState::Queued, 1).await;
    assert!(job.error.unwrap().starts_with("its worker stopped"));
    let second = claim(&jobs, 41).await.unwrap();
    check(&jobs, &id, JobState::Running, 2).await;

    // The first worker comes back: it can neither keep nor end what another one has.
    assert_eq!(jobs.renew(first.number.clone(), News::default(), at(42)).await.unwrap(), None);
    let end = jobs.settle(&first, News::default(), Ending::Done(json!("late")), at(42)).await;
    assert_eq!(end.unwrap(), None);
    check(&jobs, &id, JobState::Running, 2).await;

    assert_eq!(second.job.made, 2);
    jobs.take_back(at(99)).await.unwrap();
    check(&jobs, &id, JobState::Failed, 2).await;
}

#[tokio::test]
async fn a_job_survives_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let killed = open(folder.path()).await;
    let id = killed.enqueue(NewJob { attempts: 2, ..work() }, at(0)).await.unwrap();
    claim(&killed, 0).await.unwrap();
    killed.inner.store.close().await;

    let jobs = open(folder.path()).await;
    let handlers = Handlers::default().on("work", |_| async { Ok(json!("again")) }).unwrap();
    let mut keeper = Runner::new(jobs.clone(), handlers, 1).keeper();
    keeper.round(at(30)).await.unwrap();
    check(&jobs, &id, JobState::Running, 1).await;
    keeper.round(at(31)).await.unwrap();
    check(&jobs, &id, JobState::Queued, 1).await;
    let (worker, _stop) = worker(&jobs, 31, |_| async { Ok(json!("again")) });
    assert_eq!(worker.turn().await.unwrap(), Some(id.clone()));
    assert_eq!(check(&jobs, &id, JobState::Done, 2).await.result, Some(json!("again")));
}

#[tokio::test]
async fn what_failed_waits_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let id = jobs.enqueue(NewJob { attempts: 2, ..work() }, at(0)).await.unwrap();
    let fails = |_| async { Err(JobError::Failed("no network".into())) };
    worker(&jobs, 0, fails).0.turn().await.unwrap();
    let job = check(&jobs, &id, JobState::Queued, 1).await;
    assert_eq!(job.error.as_deref(), Some("no network"));
    assert!((at(3)..=at(5)).contains(&job.next_run), "{}", job.next_run);
    assert_eq!(worker(&jobs, 3, fails).0.turn().await.unwrap(), None);
    worker(&jobs, 5, fails).0.turn().await.unwrap();
    check(&jobs, &id, JobState::Failed, 2).await;

    let job = jobs.retry(&id, at(9)).await.unwrap();
    assert_eq!((job.state, job.made, job.finished_at), (JobState::Queued, 0, None));
    let refused = jobs.retry(&id, at(9)).await.unwrap_err().to_string();
    assert!(refused.ends_with("cannot be tried again: it is queued, and only failed jobs are"), "{refused}");
    worker(&jobs, 9, |_| async { Err(JobError::Fatal("no such file".into())) }).0.turn().await.unwrap();
    check(&jobs, &id, JobState::Failed, 1).await;
}

#[tokio::test]
async fn a_job_is_not_tried_again_beside_one_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let keyed = NewJob { unique: Some("k".into()), ..work() };
    let id = jobs.enqueue(keyed.clone(), at(0)).await.unwrap();
    worker(&jobs, 0, |_| async { Err(JobError::Failed("no".into())) }).0.turn().await.unwrap();
    jobs.enqueue(keyed, at(1)).await.unwrap();
    let refused = jobs.retry(&id, at(2)).await.unwrap_err();
    assert!(matches!(refused, Error::NotRetryable { .. }), "{refused}");
    let nobody = JobId::fresh().unwrap();
    assert!(matches!(jobs.retry(&nobody, at(2)).await, Err(Error::NoSuchJob { .. })));
    assert!(matches!(jobs.cancel(&nobody, at(2)).await, Err(Error::NoSuchJob { .. })));
}

#[tokio::test]
async fn a_queued_job_is_cancelled_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let id = jobs.enqueue(work(), at(0)).await.unwrap();
    assert_eq!(jobs.cancel(&id, at(1)).await.unwrap().state, JobState::Cancelled);
    assert!(claim(&jobs, 2).await.is_none());
    assert_eq!(jobs.cancel(&id, at(9)).await.unwrap().finished_at, Some(at(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_is_asked_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let mut events = jobs.watch();
    // One waits for the word, one polls as a synchronous computation does.
    let waits = |run: JobRun| async move {
        run.cancel_flag().wait().await;
        Err(JobError::Cancelled)
    };
    let polls = |run: JobRun| async move {
        let computed = tokio::task::spawn_blocking(move || {
            while !run.is_cancelled() {
                std::thread::yield_now();
            }
            Err(JobError::Cancelled)
        });
        computed.await.unwrap()
    };
    for (worker, _stop) in [worker(&jobs, 0, waits), worker(&jobs, 0, polls)] {
        let id = jobs.enqueue(NewJob { attempts: 3, ..work() }, at(0)).await.unwrap();
        let turn = tokio::spawn(async move { worker.turn().await.unwrap() });
        wait_for(&mut events, JobState::Running).await;
        let job = jobs.cancel(&id, at(1)).await.unwrap();
        assert!(job.state == JobState::Running && job.cancel_asked);
        turn.await.unwrap();
        check(&jobs, &id, JobState::Cancelled, 1).await;
        wait_for(&mut events, JobState::Cancelled).await;
    }
    assert!(jobs.live().is_empty());
}

#[tokio::test]
async fn a_cancelled_job_whose_worker_died_is_not_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let id = jobs.enqueue(NewJob { attempts: 3, ..work() }, at(0)).await.unwrap();
    let run = claim(&jobs, 0).await.unwrap();
    jobs.cancel(&id, at(1)).await.unwrap();
    assert_eq!(jobs.renew(run.number, News::default(), at(2)).await.unwrap(), Some(true));
    jobs.take_back(at(60)).await.unwrap();
    check(&jobs, &id, JobState::Cancelled, 1).await;
}

#[tokio::test]
async fn a_panic_fails_the_job_and_not_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let bad = jobs.enqueue(NewJob { attempts: 3, payload: json!(0), ..work() }, at(0)).await.unwrap();
    let good = jobs.enqueue(NewJob { payload: json!(2), ..work() }, at(1)).await.unwrap();
    let (worker, _stop) = worker(&jobs, 1, |run| async move {
        let parts = run.payload().as_i64().unwrap_or(0);
        assert!(parts > 0, "cannot share by {parts}");
        Ok(json!(10 / parts))
    });
    assert_eq!(worker.turn().await.unwrap(), Some(bad.clone()));
    assert_eq!(worker.turn().await.unwrap(), Some(good.clone()));
    let error = check(&jobs, &bad, JobState::Failed, 1).await.error;
    assert_eq!(error.as_deref(), Some("its handler panicked: cannot share by 0"));
    assert_eq!(check(&jobs, &good, JobState::Done, 1).await.result, Some(json!(5)));
}

#[tokio::test]
async fn a_result_that_is_too_long_fails() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let id = jobs.enqueue(work(), at(0)).await.unwrap();
    worker(&jobs, 0, |_| async { Ok(json!("x".repeat(1 << 20))) }).0.turn().await.unwrap();
    let error = check(&jobs, &id, JobState::Failed, 1).await.error.unwrap();
    assert!(error.starts_with("its result has more than 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn progress_and_log_are_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let mut events = jobs.watch();
    let id = jobs.enqueue(NewJob { owner: Some("ann".into()), ..work() }, at(0)).await.unwrap();
    let (worker, _stop) = worker(&jobs, 7, |run| async move {
        for step in 0..=10_000 {
            run.progress("fitting", step, 10_000);
            run.log(format!("step {step}"));
        }
        Err(JobError::Fatal("a\0b".into()))
    });
    worker.turn().await.unwrap();
    let job = check(&jobs, &id, JobState::Failed, 1).await;
    assert_eq!(job.progress, Progress { what: "fitting".into(), done: 10_000, total: 10_000 });
    assert_eq!(job.error.as_deref(), Some("a\u{fffd}b"));
    let first = LogLine { line: 1, at: at(7), message: "step 0".into() };
    assert_eq!(jobs.log(&id, 1).await.unwrap()[0], first);
    let last: Vec<LogLine> = jobs.log(&id, 9_999).await.unwrap();
    let last: Vec<&str> = last.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(last, ["step 9998", "further lines are left out"]);

    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        assert_eq!((&event.job, event.owner.as_deref()), (&id, Some("ann")));
        told.push(event.change);
    }
    let states: Vec<&Change> = told.iter().filter(|change| matches!(change, Change::State(_))).collect();
    let wanted = [JobState::Queued, JobState::Running, JobState::Failed].map(Change::State);
    assert_eq!(states, wanted.iter().collect::<Vec<_>>());
    assert!((101..110).contains(&(told.len() - 3)), "one a per cent: {}", told.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_gives_running_jobs_back() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let mut events = jobs.watch();
    let id = jobs.enqueue(work(), Utc::now()).await.unwrap();
    let handlers = Handlers::default().on("work", |run: JobRun| async move {
        run.cancel_flag().wait().await;
        Err(JobError::Cancelled)
    });
    jobs.run(handlers.unwrap(), 2, wait_for(&mut events, JobState::Running)).await.unwrap();
    let job = check(&jobs, &id, JobState::Queued, 0).await;
    assert_eq!(job.lease, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_does_what_it_knows_and_leaves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let mut events = jobs.watch();
    let other = jobs.enqueue(NewJob::new("else", "Else", json!({})), Utc::now()).await.unwrap();
    for number in 0..20 {
        jobs.enqueue(NewJob { payload: json!(number), ..work() }, Utc::now()).await.unwrap();
    }
    let handlers =
        Handlers::default().on("work", |run: JobRun| async move { Ok(run.payload().clone()) }).unwrap();
    let all = async {
        for _ in 0..20 {
            wait_for(&mut events, JobState::Done).await;
        }
    };
    jobs.run(handlers, 3, all).await.unwrap();
    check(&jobs, &other, JobState::Queued, 0).await;
    let done = JobFilter { state: Some(JobState::Done), ..JobFilter::default() };
    assert_eq!(jobs.list(&done, 99).await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_runner_ends_with_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    jobs.inner.store.close().await;
    let ended = jobs.run(Handlers::default(), 1, std::future::pending()).await;
    assert!(matches!(ended, Err(Error::Closed)), "{ended:?}");
}

#[tokio::test]
async fn jobs_are_listed_newest_first_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    for number in 0..7_i64 {
        let owner = (number % 2 == 0).then(|| "ann".to_owned());
        // Two at a time, so that a page may end between jobs of one moment.
        jobs.enqueue(NewJob { payload: json!(number), owner, ..work() }, at(number / 2)).await.unwrap();
    }
    let mut filter = JobFilter::default();
    let mut pages = Vec::new();
    loop {
        let page = jobs.list(&filter, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.before = Some(last.cursor().to_string().parse().unwrap());
        pages.push(page);
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let mut numbers: Vec<i64> = pages.concat().iter().filter_map(|job| job.payload.as_i64()).collect();
    assert!(numbers.is_sorted_by_key(|number| -(number / 2)), "{numbers:?}");
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
    let anns = JobFilter { owner: Some("ann".into()), kind: Some("work".into()), ..JobFilter::default() };
    assert_eq!(jobs.list(&anns, 99).await.unwrap().len(), 4);
    let none = JobFilter { kind: Some("else".into()), ..JobFilter::default() };
    assert!(jobs.list(&none, 99).await.unwrap().is_empty());
}

#[tokio::test]
async fn old_jobs_are_pruned_with_their_logs() {
    let day = 86_400;
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let old = jobs.enqueue(work(), at(0)).await.unwrap();
    let logs = |run: JobRun| async move {
        run.log("done");
        Ok(json!(1))
    };
    worker(&jobs, 0, logs).0.turn().await.unwrap();
    let waiting = jobs.enqueue(NewJob { run_after: Some(at(99 * day)), ..work() }, at(0)).await.unwrap();
    assert_eq!(jobs.prune(at(30 * day)).await.unwrap(), 0);
    assert_eq!(jobs.log(&old, 1).await.unwrap().len(), 1);
    assert_eq!(jobs.prune(at(30 * day + 1)).await.unwrap(), 1);
    assert!(matches!(jobs.get(&old).await, Err(Error::NoSuchJob { .. })));
    assert!(jobs.log(&old, 1).await.unwrap().is_empty());
    check(&jobs, &waiting, JobState::Queued, 0).await;
}

/// Daily at three; the beginning is 15 June 2025, 15:06:40.
fn daily() -> NewSchedule {
    NewSchedule { attempts: 3, ..NewSchedule::new("Nightly work", "0 3 * * *", "work", json!({"all": true})) }
}

#[tokio::test]
async fn a_schedule_missed_for_a_week_runs_once() {
    let folder = tempfile::tempdir().unwrap();
    let schedule = {
        let jobs = open(folder.path()).await;
        let schedule = jobs.schedules().create(daily(), at(0)).await.unwrap();
        assert_eq!(schedule.next_at, Some("2025-06-16T03:00:00Z".parse().unwrap()));
        assert!(jobs.schedules().start_due(at(60)).await.unwrap().is_empty());
        jobs.inner.store.close().await;
        schedule
    };
    let jobs = open(folder.path()).await;
    let week = at(7 * 86_400);
    let started = jobs.schedules().start_due(week).await.unwrap();
    assert_eq!(started.len(), 1);
    assert!(jobs.schedules().start_due(week).await.unwrap().is_empty());
    let job = jobs.get(&started[0]).await.unwrap();
    assert_eq!((job.label.as_str(), job.payload, job.attempts), ("Nightly work", json!({"all": true}), 3));
    let kept = jobs.schedules().get(&schedule.id).await.unwrap();
    assert_eq!(kept.last_job, Some(started[0].clone()));
    assert_eq!(kept.next_at, Some("2025-06-23T03:00:00Z".parse().unwrap()));
    assert_eq!(kept.updated_at, at(0));
}

#[tokio::test]
async fn runs_of_a_schedule_do_not_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let both = [open(folder.path()).await, open(folder.path()).await];
    let id = both[0].schedules().create(daily(), at(0)).await.unwrap().id;
    let first = both[0].schedules().start_due(at(86_400)).await.unwrap();
    assert!(both[1].schedules().start_due(at(2 * 86_400)).await.unwrap().is_empty(), "the first one waits");
    let again = both[1].schedules().start(&id, at(2 * 86_400)).await.unwrap();
    assert_eq!(first, std::slice::from_ref(&again));
    both[1].cancel(&again, at(2 * 86_400)).await.unwrap();
    assert_ne!(both[1].schedules().start_due(at(3 * 86_400)).await.unwrap(), first);
}

#[tokio::test]
async fn schedules_are_changed_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let schedules = open(folder.path()).await.schedules();
    let made = schedules.create(daily(), at(0)).await.unwrap();
    assert_eq!(schedules.list().await.unwrap(), std::slice::from_ref(&made));

    let asleep = NewSchedule { enabled: false, ..daily() };
    let changed = schedules.update(&made.id, asleep, at(5)).await.unwrap();
    assert_eq!((changed.next_at, changed.created_at, changed.updated_at), (None, at(0), at(5)));
    assert!(schedules.start_due(at(86_400)).await.unwrap().is_empty());
    let awake = schedules.update(&made.id, daily(), at(86_400)).await.unwrap();
    assert_eq!(awake.next_at, Some("2025-06-17T03:00:00Z".parse().unwrap()), "nothing is caught up");

    let wrong = NewSchedule { cron: "0 3 * *".into(), ..daily() };
    let refused = schedules.update(&made.id, wrong, at(6)).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("`0 3 * *` is no schedule: it has 4 fields where five are wanted"),
        "{refused}"
    );
    assert_eq!(schedules.get(&made.id).await.unwrap(), awake);

    schedules.remove(&made.id).await.unwrap();
    for gone in [schedules.remove(&made.id).await.err(), schedules.get(&made.id).await.err()] {
        assert!(matches!(gone, Some(Error::NoSuchSchedule { .. })));
    }
    assert!(schedules.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_worker_that_is_held_up_does_not_speak_for_its_job() {
    let folder = tempfile::tempdir().unwrap();
    let (jobs, other) = (open(folder.path()).await, open(folder.path()).await);
    let id = jobs.enqueue(NewJob { attempts: 9, ..work() }, at(0)).await.unwrap();
    // While the handler works, another process takes the job.
    let (worker, _stop) = worker(&jobs, 0, move |_| {
        let other = other.clone();
        async move {
            other.take_back(at(60)).await.unwrap();
            assert!(claim(&other, 60).await.is_some());
            Ok(json!("late"))
        }
    });
    worker.turn().await.unwrap();
    let job = check(&jobs, &id, JobState::Running, 2).await;
    assert_eq!((job.result, job.lease.map(|lease| lease.until)), (None, Some(at(90))));
}

#[tokio::test]
async fn a_computer_that_slept_goes_on_with_its_jobs() {
    let folder = tempfile::tempdir().unwrap();
    let jobs = open(folder.path()).await;
    let id = jobs.enqueue(work(), at(0)).await.unwrap();
    let keeper = jobs.clone();
    let (worker, _stop) = worker(&jobs, 0, move |_| {
        let keeper = keeper.clone();
        async move {
            assert!(keeper.take_back(at(3600)).await.unwrap().is_empty());
            Ok(json!("rested"))
        }
    });
    worker.turn().await.unwrap();
    check(&jobs, &id, JobState::Done, 1).await;
}
