//! A webhook call: one POST to an address that an administrator gave, signed, without following anything.
//!
//! Whoever may name an address could make this house ask others in its network (server-side request forgery, OWASP), so
//! that addresses that are not public are refused, by what a name resolves to at the moment of the call: the connection
//! goes to the addresses that were looked at. No proxy is used and no redirect followed, for the same reason. Which ranges
//! are not public is IANA's, "IPv4 and IPv6 Special-Purpose Address Registry" (RFC 6890 and its updates).
//! The address is a secret, as chat services make it one: nothing here shows it, errors included.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, config::Config};

use crate::Error;

/// How long a call may take, from looking the name up to the answer's head.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an address.
const LONG: usize = 2_000;

/// The header that carries [`sign`](crate::sign)'s proof.
const SIGNATURE: &str = "marquee-signature";
/// The header that tells a repeated call from a new one.
const DELIVERY: &str = "marquee-delivery";

/// An address to post to.
///
/// ```
/// use marquee_platform::Hook;
///
/// let hook = Hook::parse("https://hooks.example.com/services/T0/B0/secret")?;
/// assert_eq!(format!("{hook:?}"), "Hook(…)");
/// assert!(Hook::parse("file:///etc/passwd").is_err());
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    url: String,
}

/// What is posted.
#[derive(Clone)]
pub struct Call {
    /// Where to.
    pub hook: Hook,
    /// The JSON.
    pub body: Vec<u8>,
    /// The value of `Marquee-Signature`.
    pub signature: String,
    /// The value of `Marquee-Delivery`: the same for each attempt at one call.
    pub delivery: String,
    /// Whether the address may be one that is not public.
    pub to_private: bool,
}

/// Why a call was not taken. It does not say where it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    /// The receiver answered something else than 2xx.
    #[error("the receiver answered {0}")]
    Answered(u16),
    /// The name resolves to an address that is not public.
    #[error(
        "the receiver's address is not a public one: an operator who trusts the network lets webhooks go there"
    )]
    Private,
    /// The name resolves to nothing.
    #[error("the receiver's name is not known")]
    Unknown,
    /// It took too long.
    #[error("the receiver did not answer within {} seconds", PATIENCE.as_secs())]
    TimedOut,
    /// There is nobody, or the line broke.
    #[error("the receiver could not be reached")]
    Unreachable,
    /// No trusted connection could be made.
    #[error("no trusted TLS connection to the receiver could be made")]
    Tls,
    /// What came back is not HTTP.
    #[error("the receiver did not speak HTTP")]
    NotHttp,
}

impl Hook {
    /// Passes for an `http` or `https` address without a name and password in it.
    ///
    /// # Errors
    /// [`Error::InvalidHook`], which does not show the address.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason| Err(Error::InvalidHook { reason });
        let text = text.trim();
        if text.len() > LONG {
            return refuse("is longer than 2,000 bytes");
        }
        let Ok(uri) = text.parse::<Uri>() else {
            return refuse("cannot be read: `https://HOST/PATH` is wanted");
        };
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return refuse("begins with neither `https://` nor `http://`");
        }
        match uri.authority() {
            Some(authority) if authority.as_str().contains('@') => {
                refuse("holds a name or a password before its host: leave them out")
            }
            Some(authority) if !authority.host().is_empty() => Ok(Self { url: text.to_owned() }),
            _ => refuse("names no host"),
        }
    }

    /// The address itself, to be sealed or posted to.
    pub(crate) fn reveal(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook(…)")
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl NotDelivered {
    /// Whether another attempt would be of no use: the receiver refused what was said, or must not be asked.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Answered(408 | 429) => false,
            Self::Answered(status) => (300..500).contains(&status),
            Self::Private => true,
            Self::Unknown | Self::TimedOut | Self::Unreachable | Self::Tls | Self::NotHttp => false,
        }
    }
}

/// Posts a call once, on a thread of its own; the status, which is 2xx.
///
/// ```no_run
/// # async fn tell(body: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
/// use marquee_platform::{Call, Hook, deliver, sign};
///
/// let signature = sign("whsec_of_this_hook", chrono::Utc::now(), &body);
/// let hook = Hook::parse("https://hooks.example.com/services/T0/B0/secret")?;
/// let call = Call { hook, body, signature, delivery: "1".to_owned(), to_private: false };
/// assert!((200..300).contains(&deliver(call).await?));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`NotDelivered`].
pub async fn deliver(call: Call) -> Result<u16, NotDelivered> {
    let posted = tokio::task::spawn_blocking(move || post(&call)).await;
    posted.unwrap_or(Err(NotDelivered::Unreachable))
}

fn post(call: &Call) -> Result<u16, NotDelivered> {
    let config = Config::builder()
        .timeout_global(Some(PATIENCE))
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("marquee/", env!("CARGO_PKG_VERSION")))
        .build();
    let resolver = Guarded { inner: DefaultResolver::default(), to_private: call.to_private };
    let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
    let request = agent.post(call.hook.reveal()).content_type("application/json");
    let request = request.header(SIGNATURE, &call.signature).header(DELIVERY, &call.delivery);
    match request.send(&call.body[..]) {
        Ok(answer) if answer.status().is_success() => Ok(answer.status().as_u16()),
        Ok(answer) => Err(NotDelivered::Answered(answer.status().as_u16())),
        Err(error) => Err(reason(&error)),
    }
}

/// What went wrong, without what the library says of it: that may name the address.
fn reason(error: &ureq::Error) -> NotDelivered {
    use ureq::Error as E;
    match error {
        E::StatusCode(status) => NotDelivered::Answered(*status),
        E::HostNotFound => NotDelivered::Unknown,
        E::Timeout(_) => NotDelivered::TimedOut,
        E::Other(cause) if cause.is::<NotPublic>() => NotDelivered::Private,
        E::Tls(_) | E::Rustls(_) | E::Pem(_) | E::TlsRequired => NotDelivered::Tls,
        E::Protocol(_) | E::LargeResponseHeader(..) | E::BodyStalled => NotDelivered::NotHttp,
        // TLS faults of a handshake come wrapped in one of reading.
        E::Io(cause) if cause.kind() == std::io::ErrorKind::InvalidData => NotDelivered::Tls,
        _ => NotDelivered::Unreachable,
    }
}

/// Looks names up and refuses what is not public.
#[derive(Debug)]
struct Guarded {
    inner: DefaultResolver,
    to_private: bool,
}

/// A name led to an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("not a public address")]
struct NotPublic;

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        // One among several is refused too: which of them is taken is not ours to say.
        if self.to_private || found.iter().all(|address| is_public(address.ip())) {
            return Ok(found);
        }
        Err(ureq::Error::Other(Box::new(NotPublic)))
    }
}

/// Whether an address is one that anybody in the world may be asked at.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let closed = match address.octets() {
        // This network, private use, shared (carrier-grade NAT), loopback, link-local.
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] => true,
        [100, b, ..] => (64..128).contains(&b),
        [172, b, ..] => (16..32).contains(&b),
        // Protocol assignments, documentation, 6to4 relays, benchmarks.
        [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [198, b, ..] => (18..20).contains(&b),
        // Multicast, reserved, broadcast.
        [a, ..] => a >= 224,
    };
    !closed
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        // What stands for an address of IPv4 is judged as that: mapped, translated (NAT64).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        // 6to4 and documentation.
        [0x2002 | 0x3fff, ..] | [0x2001, 0xdb8, ..] => false,
        // Protocol assignments, Teredo among them.
        [0x2001, b, ..] if b < 0x200 => false,
        // Of the rest only global unicast is public.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests;
