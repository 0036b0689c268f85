//! `marquee serve`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use marquee_app::types::Deal;
use marquee_app::{OfficeSettings, Workspace};
use marquee_server::{Running, Settings, Tls};
use tracing_subscriber::EnvFilter;

use crate::context::{Context, say};

/// Flags of `marquee serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: marquee serve --listen 127.0.0.1:8080\n\nWithout --tls-certificate it speaks plain HTTP: keep it on this machine, or put a proxy with TLS before it and name\nthat by --proxy. Logs go to standard error; MARQUEE_LOG sets how much (info, debug, marquee=debug)."
)]
pub(crate) struct Args {
    /// Address and port to listen on; 127.0.0.1:8080 where nobody says.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The chain of certificates, PEM.
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// A proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; may be given several times.
    #[arg(long, value_name = "ADDR")]
    proxy: Vec<IpAddr>,
    /// Policies in Cedar, beside the built-in ones.
    #[arg(long, value_name = "FILE")]
    policies: Option<PathBuf>,
    /// The keys that confidential documents are sealed under (or MARQUEE_SEAL_KEYS: the keys themselves); a file in the data
    /// folder by default.
    #[arg(long, value_name = "FILE")]
    seal_keys: Option<PathBuf>,
    /// Where people reach the pages, such as https://marquee.example: links in webhooks begin with it.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Let webhooks go to addresses that are not public: where the network behind this server is trusted.
    #[arg(long)]
    webhooks_to_private: bool,
    /// Jobs that run at the same time; one where nobody says.
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Requests a minute by one account, or by one address that is not logged in; 6,000 where nobody says.
    #[arg(long, value_name = "N")]
    requests_per_minute: Option<u32>,
    /// The largest body of a request in bytes; 2 MiB where nobody says.
    #[arg(long, value_name = "BYTES")]
    body_limit: Option<usize>,
    /// The largest upload of tables in bytes; 2 GiB where nobody says.
    #[arg(long, value_name = "BYTES")]
    upload_limit: Option<usize>,
    /// Log lines as JSON.
    #[arg(long)]
    log_json: bool,
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<ExitCode> {
    let file = context.config.serve.clone();
    log(args.log_json || file.log_json.unwrap_or(false));
    let (certificate, key) = (args.tls_certificate.or(file.tls_certificate), args.tls_key.or(file.tls_key));
    let tls = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (None, None) => None,
        _ => bail!("a certificate and its key go together: give tls_certificate and tls_key"),
    };
    let usual = Settings::default();
    let listen = args.listen.or(file.listen).unwrap_or(usual.listen);
    let proxies = if args.proxy.is_empty() { file.proxy } else { args.proxy };
    if !listen.ip().is_loopback() && tls.is_none() && proxies.is_empty() {
        bail!(
            "{listen} can be reached from other machines, and passwords would cross the network in the clear: give \
             --tls-certificate and --tls-key, or name the proxy before it by --proxy"
        );
    }
    let a_minute = args.requests_per_minute.or(file.requests_per_minute);
    let settings = Settings {
        listen,
        secure_cookies: tls.is_some() || !proxies.is_empty(),
        tls,
        trusted_proxies: proxies,
        workers: args.workers.or(file.workers).unwrap_or(usual.workers).max(1),
        requests_per_minute: a_minute.unwrap_or(usual.requests_per_minute),
        body_limit: args.body_limit.or(file.body_limit).unwrap_or(usual.body_limit),
        upload_limit: args.upload_limit.or(file.upload_limit).unwrap_or(usual.upload_limit),
        seed: context.seed(),
        ..usual
    };
    let office = OfficeSettings {
        seal_keys: args.seal_keys.or(file.seal_keys),
        seal_key_text: std::env::var("MARQUEE_SEAL_KEYS").ok().filter(|text| !text.is_empty()),
        policies: args.policies.or(file.policies),
        webhooks_to_private: args.webhooks_to_private || file.webhooks_to_private.unwrap_or(false),
        public_url: args.public_url.or(file.public_url),
    };
    serve(&context.workspace, context.deal()?, office, settings).await
}

/// Serves until somebody interrupts, then ends in good order.
pub(crate) async fn serve(
    workspace: &Workspace,
    deal: Deal,
    office: OfficeSettings,
    settings: Settings,
) -> Result<ExitCode> {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let running = marquee_server::start(workspace.clone(), &office, deal, settings).await?;
    say(greeting(&running, scheme, workspace).as_bytes())?;
    interrupted().await?;
    say(b"\nstopping: requests under way are finished first\n")?;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn greeting(running: &Running, scheme: &str, workspace: &Workspace) -> String {
    let (address, data) = (running.address(), workspace.folder().display());
    let mut said = format!("Marquee serves {data} at {scheme}://{address}\n");
    if let Some(code) = running.set_up_code() {
        said += &format!(
            "There is no account yet. Make the first one at {scheme}://{address}/set-up with the code {code}\n"
        );
    }
    said + "Ctrl-C stops it.\n"
}

/// Waits for Ctrl-C, or for the signal by which a service is stopped.
async fn interrupted() -> Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.context("cannot listen for Ctrl-C"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("cannot listen for Ctrl-C")
}

/// Begins to log to standard error.
fn log(json: bool) {
    let filter = EnvFilter::try_from_env("MARQUEE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // Somebody who logs already goes on doing so.
    let _ = if json { lines.json().try_init() } else { lines.try_init() };
}
