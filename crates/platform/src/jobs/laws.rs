//! A law: whatever happens in whatever order, no job is run by two workers at once, none is lost, and none is run after it
//! was cancelled or done. Held against a model that is small enough to be believed.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::lease::pause;
use super::tests::{at, claim, open};
use super::*;

#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        key: Option<u8>,
        attempts: u32,
    },
    Claim,
    /// A worker ends its run; one that lost its job without noticing tries to.
    End {
        run: usize,
        how: How,
    },
    Renew {
        run: usize,
    },
    Cancel {
        job: usize,
    },
    Retry {
        job: usize,
    },
    /// A process dies: its run is never heard of again.
    Crash {
        run: usize,
    },
    Wait {
        seconds: i64,
    },
    TakeBack,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Done,
    Failed,
    Fatal,
    Cancelled,
    GivenBack,
}

#[derive(Debug)]
struct Known {
    id: JobId,
    key: Option<u8>,
    state: JobState,
    attempts: u32,
    made: u32,
    cancel_asked: bool,
    next_run: DateTime<Utc>,
    /// The number of the claim that holds it, and until when.
    held: Option<(i64, i64)>,
    /// How often it was cancelled or done: once is the most.
    ended: u32,
}

struct World {
    jobs: Jobs,
    known: Vec<Known>,
    runs: Vec<Claim>,
    now: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop::sample::select(vec![How::Done, How::Failed, How::Fatal, How::Cancelled, How::GivenBack]);
    prop_oneof![
        3 => (prop::option::of(0..2_u8), 1..4_u32).prop_map(|(key, attempts)| Step::Enqueue { key, attempts }),
        5 => Just(Step::Claim),
        4 => (0..4_usize, how).prop_map(|(run, how)| Step::End { run, how }),
        1 => (0..4_usize).prop_map(|run| Step::Renew { run }),
        1 => (0..8_usize).prop_map(|job| Step::Cancel { job }),
        1 => (0..8_usize).prop_map(|job| Step::Retry { job }),
        1 => (0..4_usize).prop_map(|run| Step::Crash { run }),
        2 => (1..40_i64).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::TakeBack),
    ]
}

impl How {
    fn ending(self) -> Ending {
        let failed = |may_retry| Ending::Failed { reason: "no".into(), may_retry };
        match self {
            Self::Done => Ending::Done(json!(1)),
            Self::Failed => failed(true),
            Self::Fatal => failed(false),
            Self::Cancelled => Ending::Cancelled,
            Self::GivenBack => Ending::GivenBack,
        }
    }
}

impl Known {
    fn is_active(&self) -> bool {
        matches!(self.state, JobState::Queued | JobState::Running)
    }

    fn stand(&mut self, state: JobState) {
        assert!(self.ended == 0, "{self:?} had ended");
        self.state = state;
        self.held = None;
        self.ended += u32::from(matches!(state, JobState::Done | JobState::Cancelled));
    }

    /// The rules of an ending, written once more in other words.
    fn end(&mut self, how: How) {
        let state = match how {
            How::Done => JobState::Done,
            _ if self.cancel_asked => JobState::Cancelled,
            How::Cancelled => JobState::Cancelled,
            How::GivenBack => JobState::Queued,
            How::Failed if self.made < self.attempts => JobState::Queued,
            How::Failed | How::Fatal => JobState::Failed,
        };
        if matches!((how, state), (How::GivenBack, JobState::Queued)) {
            self.made -= 1;
        }
        self.stand(state);
    }
}

impl World {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Enqueue { key, attempts } => self.enqueue(key, attempts).await,
            Step::Claim => drop(self.claim().await),
            Step::End { run, how } if run < self.runs.len() => self.end(run, how).await,
            Step::Renew { run } if run < self.runs.len() => self.renew(run).await,
            Step::Cancel { job } if job < self.known.len() => self.cancel(job).await,
            Step::Retry { job } if job < self.known.len() => self.retry(job).await,
            Step::Crash { run } if run < self.runs.len() => drop(self.runs.remove(run)),
            Step::Wait { seconds } => self.now += seconds,
            Step::TakeBack => self.take_back().await,
            _ => {}
        }
        for known in &self.known {
            let job = self.jobs.get(&known.id).await.unwrap();
            assert_eq!((job.state, job.made), (known.state, known.made), "{known:?}");
        }
    }

    async fn enqueue(&mut self, key: Option<u8>, attempts: u32) {
        let unique = key.map(|key| format!("key {key}"));
        let job = NewJob { unique, attempts, ..NewJob::new("work", "Work", json!({})) };
        let id = self.jobs.enqueue(job, at(self.now)).await.unwrap();
        let there = self.known.iter().find(|known| key.is_some() && known.key == key && known.is_active());
        if let Some(there) = there {
            assert_eq!(id, there.id);
            return;
        }
        assert!(self.known.iter().all(|known| known.id != id));
        let (state, next_run) = (JobState::Queued, at(self.now));
        let known =
            Known { id, key, state, attempts, made: 0, cancel_asked: false, next_run, held: None, ended: 0 };
        self.known.push(known);
    }

    /// Whether there was something to claim.
    async fn claim(&mut self) -> bool {
        let now = at(self.now);
        let Some(run) = claim(&self.jobs, self.now).await else {
            let due = |known: &&Known| known.state == JobState::Queued && known.next_run <= now;
            assert_eq!(self.known.iter().filter(due).count(), 0, "left lying");
            return false;
        };
        let known = self.known.iter_mut().find(|known| known.id == run.job.id).unwrap();
        assert!(known.held.is_none() && known.state == JobState::Queued, "two workers: {known:?}");
        assert!(known.next_run <= now && !known.cancel_asked && known.ended == 0, "{known:?}");
        (known.state, known.made) = (JobState::Running, known.made + 1);
        known.held = Some((run.number.runs, self.now + 30));
        self.runs.push(run);
        true
    }

    async fn end(&mut self, run: usize, how: How) {
        let run = self.runs.remove(run);
        let settled = self.jobs.settle(&run, News::default(), how.ending(), at(self.now)).await.unwrap();
        let known = self.known.iter_mut().find(|known| known.id == run.job.id).unwrap();
        if known.held.is_none_or(|(number, _)| number != run.number.runs) {
            assert_eq!(settled, None, "it spoke for a job of another: {known:?}");
            return;
        }
        known.end(how);
        assert_eq!(settled, Some(known.state));
        let next_run = self.jobs.get(&known.id).await.unwrap().next_run;
        if known.state == JobState::Queued {
            let waits = next_run.timestamp_micros() - at(self.now).timestamp_micros();
            let made = i64::from(known.made);
            let longest = if matches!(how, How::Failed) { pause(made, 0.0) } else { 0 };
            assert!(waits <= longest && waits >= longest - longest / 4, "{waits} µs after {made}");
        }
        known.next_run = next_run;
    }

    async fn renew(&mut self, run: usize) {
        let run = self.runs[run].number.clone();
        let known = self.known.iter_mut().find(|known| known.id == run.job).unwrap();
        let told = self.jobs.renew(run.clone(), News::default(), at(self.now)).await.unwrap();
        let ours = known.held.filter(|(number, _)| *number == run.runs);
        assert_eq!(told, ours.map(|_| known.cancel_asked));
        known.held = known.held.map(|held| if ours.is_some() { (held.0, self.now + 30) } else { held });
    }

    async fn cancel(&mut self, job: usize) {
        let known = &mut self.known[job];
        self.jobs.cancel(&known.id, at(self.now)).await.unwrap();
        match known.state {
            JobState::Queued => known.stand(JobState::Cancelled),
            JobState::Running => known.cancel_asked = true,
            _ => {}
        }
    }

    async fn retry(&mut self, job: usize) {
        let key = self.known[job].key;
        let taken = self.known.iter().any(|known| key.is_some() && known.key == key && known.is_active());
        let known = &mut self.known[job];
        let retried = self.jobs.retry(&known.id, at(self.now)).await;
        let may = known.state == JobState::Failed && !taken;
        assert_eq!(retried.is_ok(), may, "{known:?}");
        if may {
            (known.state, known.made, known.next_run) = (JobState::Queued, 0, at(self.now));
        }
    }

    async fn take_back(&mut self) {
        let taken = self.jobs.take_back(at(self.now)).await.unwrap();
        let mut wanted = 0;
        for known in &mut self.known {
            if known.held.is_none_or(|(_, until)| until >= self.now) {
                continue;
            }
            wanted += 1;
            known.next_run = at(self.now);
            let state = match known {
                Known { cancel_asked: true, .. } => JobState::Cancelled,
                _ if known.made >= known.attempts => JobState::Failed,
                _ => JobState::Queued,
            };
            known.stand(state);
        }
        assert_eq!(taken.len(), wanted);
    }

    /// Everybody who holds a job dies; then one worker does what is left.
    async fn drain(&mut self) {
        self.runs.clear();
        self.now += 7200;
        self.take_back().await;
        while self.claim().await {
            self.end(self.runs.len() - 1, How::Done).await;
        }
        for known in &self.known {
            assert!(self.jobs.get(&known.id).await.unwrap().state.is_final(), "lost: {known:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_job_is_run_twice_at_once_lost_or_run_after_its_end(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let jobs = open(folder.path()).await;
            let mut world = World { jobs, known: Vec::new(), runs: Vec::new(), now: 0 };
            for step in steps {
                world.take(step).await;
            }
            world.drain().await;
            world.jobs.inner.store.close().await;
        });
    }
}
