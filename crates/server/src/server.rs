//! What a server is made of, how it starts and how it stops.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use chrono::{DateTime, Utc};
use marquee_app::platform::{self, RateLimit, Runner};
use marquee_app::types::Deal;
use marquee_app::watching::Terms;
use marquee_app::{AppError, Office, OfficeSettings, Workspace, work};
use marquee_domain::Day;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::http;
use crate::measures;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::wire;

/// Everything that handlers need; clones share it.
#[derive(Clone)]
pub(crate) struct Server(Arc<Inner>);

/// What a server holds.
pub(crate) struct Inner {
    pub(crate) workspace: Workspace,
    pub(crate) office: Office,
    pub(crate) settings: Settings,
    /// The deal terms in force.
    pub(crate) deal: Deal,
    pub(crate) measures: PrometheusHandle,
    pub(crate) started: Instant,
    rates: Mutex<RateLimit>,
    /// When the track record was last scored for the measurements.
    scored: Mutex<Option<Instant>>,
}

impl Server {
    /// Opens what a server needs; nothing listens yet.
    pub(crate) async fn open(
        workspace: Workspace,
        office: &OfficeSettings,
        deal: Deal,
        settings: Settings,
    ) -> Result<Self, ServeError> {
        let office = Office::open(&workspace, office).await?;
        let a_minute = settings.requests_per_minute.max(1);
        let rates = Mutex::new(RateLimit::new(a_minute, Duration::from_secs(60) / a_minute));
        let measures = measures::install().map_err(ServeError::Measures)?;
        let inner = Inner {
            workspace,
            office,
            settings,
            deal,
            measures,
            started: Instant::now(),
            rates,
            scored: Mutex::default(),
        };
        Ok(Self(Arc::new(inner)))
    }
}

impl Deref for Server {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// The moment of asking.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// What the looks of alert rules rest on.
    pub(crate) fn terms(&self) -> Terms {
        Terms { deal: self.deal.clone(), seed: self.settings.seed, read: wire::alerts::read_document }
    }

    /// The day of asking, UTC.
    pub(crate) fn today(&self) -> Day {
        Day::from_epoch_days((self.now().timestamp() / 86_400) as i32).unwrap_or(Day::MAX)
    }

    /// Whether so much time has gone by since this last said so.
    pub(crate) fn is_due(&self, age: Duration) -> bool {
        let mut last = self.scored.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= age);
        if due {
            *last = Some(Instant::now());
        }
        due
    }

    /// Counts a request against what one account or address may ask for in a minute.
    pub(crate) fn allow(&self, key: &str) -> Result<(), Problem> {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.take(key, self.now()).map_err(|wait| {
            let detail = "too many requests in a short time: come again a little later";
            Problem::later(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail, wait.seconds())
        })
    }
}

/// Why a server could not be started or went down.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({source}): choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the certificate {} or its key cannot be used: {source}", certificate.display())]
    Tls {
        /// The certificate's file.
        certificate: std::path::PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// Measurements cannot be kept.
    #[error("measurements cannot be kept: {0}")]
    Measures(String),
    /// The workspace or the office cannot be opened.
    #[error(transparent)]
    App(#[from] AppError),
    /// The state store cannot be read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

/// What runs jobs, and how it is told to stop.
type Background = (oneshot::Sender<()>, JoinHandle<Result<(), platform::Error>>);

/// A server that listens.
pub struct Running {
    address: SocketAddr,
    set_up_code: Option<String>,
    handle: Handle<SocketAddr>,
    grace: Duration,
    ended: oneshot::Receiver<std::io::Result<()>>,
    /// Tells the runner of jobs to stop, and waits for it.
    jobs: Option<Background>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The code that makes the first administrator, while there is none.
    #[must_use]
    pub fn set_up_code(&self) -> Option<&str> {
        self.set_up_code.as_deref()
    }

    /// Takes no more requests, finishes those that are under way, lets jobs go back to the queue, and ends.
    pub async fn stop(self) {
        self.handle.graceful_shutdown(Some(self.grace));
        // Whether it ended well or not, it has ended.
        let _ = self.ended.await;
        if let Some((stop, jobs)) = self.jobs {
            stop.send(()).ok();
            let _ = tokio::time::timeout(self.grace, jobs).await;
        }
    }
}

/// Starts a server; it runs until it is told to [`Running::stop`].
///
/// # Errors
/// [`ServeError`], saying what to change.
pub async fn start(
    workspace: Workspace,
    office: &OfficeSettings,
    deal: Deal,
    settings: Settings,
) -> Result<Running, ServeError> {
    let server = Server::open(workspace, office, deal, settings).await?;
    let first = server.office.accounts.is_empty().await?;
    let set_up_code = first.then(|| server.office.accounts.set_up_code().to_owned());
    let (stop_jobs, stopped) = oneshot::channel::<()>();
    let handlers = work::handlers(&server.workspace, &server.office, &server.terms())?;
    work::Watching::schedule(&server.office, server.now()).await?;
    let runner = Runner::new(server.office.jobs.clone(), handlers, server.settings.workers);
    let runner = runner.reporting(|error| tracing::error!(%error, "a job could not be kept track of"));
    let jobs = tokio::spawn(runner.run(async {
        // The sender is gone too once the server is.
        stopped.await.ok();
    }));
    let running = listen(server, set_up_code).await?;
    Ok(Running { jobs: Some((stop_jobs, jobs)), ..running })
}

async fn listen(server: Server, set_up_code: Option<String>) -> Result<Running, ServeError> {
    let settings = server.settings.clone();
    let address = settings.listen;
    let failed = |source| ServeError::Listen { address, source };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let handle = Handle::new();
    let app = http::app(&server).into_make_service_with_connect_info::<SocketAddr>();
    let (tell, ended) = oneshot::channel();
    match &settings.tls {
        None => {
            let mut plain = axum_server::from_tcp(listener).map_err(failed)?.handle(handle.clone());
            http::patience(plain.http_builder(), settings.slow_timeout);
            let plain = plain.first_request_timeout(settings.slow_timeout);
            tokio::spawn(async move { tell.send(plain.serve(app).await) });
        }
        Some(tls) => {
            let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await;
            let certificate = tls.certificate.clone();
            let config = config.map_err(|source| ServeError::Tls { certificate, source })?;
            let mut sealed =
                axum_server::from_tcp_rustls(listener, config).map_err(failed)?.handle(handle.clone());
            http::patience(sealed.http_builder(), settings.slow_timeout);
            tokio::spawn(async move { tell.send(sealed.serve(app).await) });
        }
    }
    Ok(Running { address, set_up_code, handle, grace: settings.grace, ended, jobs: None })
}
