//! The writer task: takes everything that waits in its queue, runs it in one transaction, commits once, then
//! acknowledges each write. A write that fails is undone alone, by its savepoint.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::Counters;
use crate::Error;

/// A boxed future that may be sent between threads.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Writes that may wait; beyond that, callers wait before they may queue.
const QUEUE: usize = 1024;
/// The most writes that share a commit, so that the first of them does not wait for ever.
const GROUP: usize = 256;

#[derive(Debug, Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Command>,
}

enum Command {
    Write(Box<dyn Step>),
    Checkpoint(oneshot::Sender<Result<(), Error>>),
    Close(oneshot::Sender<()>),
}

/// One queued write, whatever it returns.
trait Step: Send {
    /// Runs the work and keeps its result; true if what it wrote is to be kept.
    fn run<'a>(&'a mut self, connection: &'a mut SqliteConnection) -> BoxFuture<'a, bool>;
    /// Acknowledges: with the result of the work, or with why the whole group failed.
    fn finish(self: Box<Self>, failure: Option<Error>);
}

struct Write<T, F, A> {
    work: Option<F>,
    result: Option<Result<T, Error>>,
    acknowledge: A,
}

impl<T, F, A> Step for Write<T, F, A>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Error>> + Send,
    A: FnOnce(Result<T, Error>) + Send,
{
    fn run<'a>(&'a mut self, connection: &'a mut SqliteConnection) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.result = Some(work(connection).await);
            }
            matches!(self.result, Some(Ok(_)))
        })
    }

    fn finish(self: Box<Self>, failure: Option<Error>) {
        let outcome = match (self.result, failure) {
            // What was wrong with this write says more than that the group failed too.
            (Some(Err(own)), _) => Err(own),
            (_, Some(failure)) => Err(failure),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(Error::Closed),
        };
        (self.acknowledge)(outcome);
    }
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection, path: PathBuf, counters: Arc<Counters>) -> Self {
        let (queue, commands) = mpsc::channel(QUEUE);
        let task = Task { connection, path, counters };
        tokio::spawn(task.serve(commands));
        Self { queue }
    }

    pub(super) async fn submit<T, F, A>(&self, work: F, acknowledge: A) -> Result<(), Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        A: FnOnce(Result<T, Error>) + Send + 'static,
    {
        let step = Write { work: Some(work), result: None, acknowledge };
        self.send(Command::Write(Box::new(step))).await
    }

    pub(super) async fn checkpoint(&self, tell: oneshot::Sender<Result<(), Error>>) -> Result<(), Error> {
        self.send(Command::Checkpoint(tell)).await
    }

    pub(super) async fn close(&self) {
        let (tell, told) = oneshot::channel();
        if self.send(Command::Close(tell)).await.is_ok() {
            // An error means that the task had ended before, which is what was wanted.
            told.await.ok();
        }
    }

    async fn send(&self, command: Command) -> Result<(), Error> {
        self.queue.send(command).await.map_err(|_| Error::Closed)
    }
}

struct Task {
    connection: SqliteConnection,
    path: PathBuf,
    counters: Arc<Counters>,
}

impl Task {
    async fn serve(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(GROUP);
        while commands.recv_many(&mut waiting, GROUP).await > 0 {
            let mut group = Vec::with_capacity(waiting.len());
            for command in waiting.drain(..) {
                match command {
                    Command::Write(step) => group.push(step),
                    Command::Checkpoint(tell) => {
                        self.commit(std::mem::take(&mut group)).await;
                        tell.send(self.checkpoint().await).ok();
                    }
                    Command::Close(tell) => {
                        self.commit(group).await;
                        commands.close();
                        self.connection.close().await.ok();
                        tell.send(()).ok();
                        return;
                    }
                }
            }
            self.commit(group).await;
        }
        self.connection.close().await.ok();
    }

    async fn commit(&mut self, mut group: Vec<Box<dyn Step>>) {
        if group.is_empty() {
            return;
        }
        let committed = self.apply(&mut group).await;
        if let Ok(kept) = &committed {
            self.count(*kept);
        }
        let reason = committed.err().map(|error| error.to_string());
        for step in group {
            step.finish(
                reason
                    .as_ref()
                    .map(|reason| Error::NotCommitted { path: self.path.clone(), reason: reason.clone() }),
            );
        }
    }

    /// Runs the group in one transaction; the number of writes that were kept.
    async fn apply(&mut self, group: &mut [Box<dyn Step>]) -> Result<u64, sqlx::Error> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut kept = 0;
        for step in group {
            let mut savepoint = transaction.begin().await?;
            if step.run(&mut savepoint).await {
                savepoint.commit().await?;
                kept += 1;
            } else {
                savepoint.rollback().await?;
            }
        }
        transaction.commit().await?;
        Ok(kept)
    }

    fn count(&self, kept: u64) {
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.counters.writes.fetch_add(kept, Ordering::Relaxed);
        let largest = &self.counters.largest_group;
        largest.fetch_max(kept, Ordering::Relaxed);
    }

    async fn checkpoint(&mut self) -> Result<(), Error> {
        let truncate = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)");
        let done = truncate.execute(&mut self.connection).await;
        done.map(|_| ())
            .map_err(|source| Error::database("empty the write-ahead log", self.path.clone(), source))
    }
}
