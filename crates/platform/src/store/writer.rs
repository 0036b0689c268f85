//! The writer task: takes everything that waits in its queue, runs it in one transaction, commits once, then
//! acknowledges each write. A write that fails is undone alone, by its savepoint. A connection that is lost fails the group
//! that was running; the next one connects again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sqlx::Connection as _;
use tokio::sync::{mpsc, oneshot};

use super::target::{Backend, Target};
use super::{Connection, Counters, schema};
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
    /// Runs the work and remembers its result; true if what it wrote is to be kept.
    fn run<'a>(&'a mut self, connection: &'a mut Connection) -> BoxFuture<'a, bool>;
    /// Replaces the result: what was written could not be kept.
    fn refuse(&mut self, error: Error);
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
    F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Error>> + Send,
    A: FnOnce(Result<T, Error>) + Send,
{
    fn run<'a>(&'a mut self, connection: &'a mut Connection) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.result = Some(work(connection).await);
            }
            matches!(self.result, Some(Ok(_)))
        })
    }

    fn refuse(&mut self, error: Error) {
        self.result = Some(Err(error));
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
    pub(super) fn start(connection: Connection, target: Arc<Target>, counters: Arc<Counters>) -> Self {
        let (queue, commands) = mpsc::channel(QUEUE);
        let task = Task { connection: Some(connection), target, counters };
        tokio::spawn(task.serve(commands));
        Self { queue }
    }

    pub(super) async fn submit<T, F, A>(&self, work: F, acknowledge: A) -> Result<(), Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
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
    /// `None` once it was lost, until the next group.
    connection: Option<Connection>,
    target: Arc<Target>,
    counters: Arc<Counters>,
}

/// Why no write of a group may be acknowledged.
enum Failure {
    /// Nothing was stored.
    NotCommitted(sqlx::Error),
    /// The commit was sent, and the connection lost before it was answered.
    Unknown(sqlx::Error),
}

impl Failure {
    /// The same where the connection still stands: what the database answered is the truth.
    fn heard(self) -> Self {
        match self {
            Self::NotCommitted(error) | Self::Unknown(error) => Self::NotCommitted(error),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::NotCommitted(error)
    }
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
                        let done = self.checkpoint().await;
                        let done = done.map_err(|source| self.target.failed("clear what was erased", source));
                        tell.send(done).ok();
                    }
                    Command::Close(tell) => {
                        self.commit(group).await;
                        commands.close();
                        self.disconnect().await;
                        tell.send(()).ok();
                        return;
                    }
                }
            }
            self.commit(group).await;
        }
        self.disconnect().await;
    }

    async fn commit(&mut self, mut group: Vec<Box<dyn Step>>) {
        if group.is_empty() {
            return;
        }
        let committed = self.apply(&mut group).await;
        if let Ok(kept) = &committed {
            self.count(*kept);
        }
        let failure = committed.err();
        for step in group {
            let place = self.target.location.clone();
            step.finish(failure.as_ref().map(|failure| match failure {
                Failure::NotCommitted(error) => Error::NotCommitted { place, reason: error.to_string() },
                Failure::Unknown(error) => Error::CommitUnknown { place, reason: error.to_string() },
            }));
        }
    }

    /// Runs the group in one transaction; the number of writes that were kept.
    async fn apply(&mut self, group: &mut [Box<dyn Step>]) -> Result<u64, Failure> {
        let mut connection = self.take_connection().await?;
        let outcome = run(&mut connection, &self.target, group).await;
        if outcome.is_ok() || self.target.is_usable(&mut connection).await {
            self.connection = Some(connection);
            return outcome.map_err(Failure::heard);
        }
        outcome
    }

    /// The connection, or a new one where it was lost, be it while nothing was written.
    async fn take_connection(&mut self) -> Result<Connection, sqlx::Error> {
        if let Some(mut connection) = self.connection.take()
            && self.target.is_usable(&mut connection).await
        {
            return Ok(connection);
        }
        self.target.connect().await
    }

    fn count(&self, kept: u64) {
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        self.counters.writes.fetch_add(kept, Ordering::Relaxed);
        let largest = &self.counters.largest_group;
        largest.fetch_max(kept, Ordering::Relaxed);
    }

    async fn checkpoint(&mut self) -> Result<(), sqlx::Error> {
        let mut connection = self.take_connection().await?;
        let done = clear(&mut connection, self.target.backend).await;
        self.connection = Some(connection);
        done
    }

    async fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await.ok();
        }
    }
}

async fn run(
    connection: &mut Connection,
    target: &Target,
    group: &mut [Box<dyn Step>],
) -> Result<u64, Failure> {
    let mut transaction = target.backend.begin(connection).await?;
    let mut kept = 0;
    for step in group {
        let mut savepoint = transaction.begin().await?;
        if !step.run(&mut savepoint).await {
            savepoint.rollback().await?;
            continue;
        }
        match savepoint.commit().await {
            Ok(()) => kept += 1,
            // PostgreSQL refuses where a write passed over an error of the database. Dropped, the savepoint is undone.
            Err(error) if target.is_usable(&mut transaction).await => {
                step.refuse(target.failed("keep a write", error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    transaction.commit().await.map_err(Failure::Unknown)?;
    Ok(kept)
}

/// Sees to it that what was erased is not kept: SQLite's write-ahead log is moved into the database file and emptied, the
/// old versions of PostgreSQL's rows are freed.
async fn clear(connection: &mut Connection, backend: Backend) -> Result<(), sqlx::Error> {
    let clear = match backend {
        Backend::Sqlite => "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
        Backend::Postgres => {
            let tables = schema::tables(&mut *connection, backend).await?;
            let tables: Vec<_> = tables.iter().map(|name| schema::quoted(name)).collect();
            format!("VACUUM {}", tables.join(", "))
        }
    };
    sqlx::raw_sql(sqlx::AssertSqlSafe(clear)).execute(connection).await.map(|_| ())
}
