//! What a server is told before it starts: where to listen, whom to trust, how much to take.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// Certificate and key, PEM; without them the server speaks plain HTTP, for the machine itself or a proxy before it.
    pub tls: Option<Tls>,
    /// Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Nobody else's are.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether session cookies go over TLS alone: where the server or the proxy before it speaks TLS.
    pub secure_cookies: bool,
    /// How long a request may take before it is told to come again; what it asked for goes on being computed.
    pub request_timeout: Duration,
    /// How long a client may take between two pieces of a request, and for its headers as a whole.
    pub slow_timeout: Duration,
    /// The largest body of a request, also after it was decompressed. Uploads have their own limit.
    pub body_limit: usize,
    /// The largest upload of a table.
    pub upload_limit: usize,
    /// How long requests that are under way may go on when the server is told to stop.
    pub grace: Duration,
    /// Requests a minute by one account, or by one address that is not logged in.
    pub requests_per_minute: u32,
    /// Jobs that run at the same time.
    pub workers: usize,
    /// The seed of all randomness.
    pub seed: u64,
}

/// Where a certificate and its key lie.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The chain of certificates, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            tls: None,
            trusted_proxies: Vec::new(),
            secure_cookies: false,
            request_timeout: Duration::from_secs(60),
            slow_timeout: Duration::from_secs(15),
            body_limit: 2 << 20,
            upload_limit: 2 << 30,
            grace: Duration::from_secs(20),
            requests_per_minute: 6_000,
            workers: 1,
            seed: 1,
        }
    }
}
