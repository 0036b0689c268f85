//! What every request goes through on its way to a route and back: an id, time limits, size limits, compression, safe
//! headers, measurements; and what a connection may take its time for.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::guard::Origin;
use crate::problem::Problem;
use crate::server::Server;
use crate::{api, measures, pages};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that the server answers.
pub(crate) fn app(server: &Server) -> Router {
    let (api, ..) = api::routes(server).finish();
    let (pages, ..) = pages::routes(server).finish();
    Router::new()
        .merge(api)
        .merge(pages)
        .fallback(nowhere)
        .method_not_allowed_fallback(not_that_way)
        .with_state(server.clone())
        .layer(DefaultBodyLimit::max(server.settings.body_limit))
        .layer(RequestDecompressionLayer::new())
        .layer(RequestBodyTimeoutLayer::new(server.settings.slow_timeout))
        .layer(middleware::from_fn_with_state(server.clone(), within_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(CsrfLayer::new().with_rejection_response(|_| cross_site()))
        .layer(middleware::from_fn(measured))
        .layer(middleware::from_fn(pages::as_page))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(server.clone(), framed))
}

/// How long a connection may take to send its headers, and an idle one may stay.
pub(crate) fn patience(
    builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>,
    slow: Duration,
) {
    builder.http1().header_read_timeout(slow).keep_alive(true).max_buf_size(64 << 10);
    builder.http2().max_header_list_size(64 << 10).keep_alive_interval(slow).keep_alive_timeout(slow);
}

/// The outermost layer: gives a request its id and its origin, and the answer its headers; a problem learns the id.
async fn framed(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let id = new_id();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let origin = origin(&server, request.headers(), peer, &id);
    let secure = origin.secure;
    request.extensions_mut().insert(origin);
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let mut response = {
        use tracing::Instrument as _;
        next.run(request).instrument(span).await
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let (mut parts, _) = response.into_parts();
        let body = serde_json::to_vec(&problem.of_request(&id)).unwrap_or_default();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.remove(header::CONTENT_ENCODING);
        response = Response::from_parts(parts, Body::from(body));
    }
    put_headers(response.headers_mut(), &id, secure);
    response
}

fn put_headers(headers: &mut HeaderMap, id: &str, secure: bool) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// From where a request came. What a proxy says is believed of trusted ones alone, and of their chain the last address
/// that is not a proxy's.
fn origin(server: &Server, headers: &HeaderMap, peer: Option<IpAddr>, id: &str) -> Origin {
    let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let trusted = &server.settings.trusted_proxies;
    let request = id.to_owned();
    if !trusted.contains(&peer) {
        return Origin { address: peer, request, secure: server.settings.tls.is_some() };
    }
    let said = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let chain: Vec<IpAddr> = said.flat_map(|v| v.split(',')).filter_map(|a| a.trim().parse().ok()).collect();
    let address = chain.iter().rev().find(|a| !trusted.contains(a)).copied().unwrap_or(peer);
    let proto = headers.get("x-forwarded-proto").and_then(|v| v.to_str().ok());
    Origin { address, request, secure: proto == Some("https") }
}

/// Tells a request that takes too long to come again. What it asked for is still computed, and kept where it is kept.
async fn within_time(State(server): State<Server>, request: Request, next: Next) -> Response {
    // Streams of events and uploads have no end that could be waited for.
    let path = request.uri().path();
    if path.ends_with("/events") || path.ends_with("/ingests") {
        return next.run(request).await;
    }
    match tokio::time::timeout(server.settings.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail =
                "this takes longer than a request may: it goes on being worked out; ask again in a minute";
            Problem::later(StatusCode::SERVICE_UNAVAILABLE, "still_working", detail, 30).into_response()
        }
    }
}

/// Counts and times each request by its route.
async fn measured(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |p| p.as_str().to_owned());
    let response = next.run(request).await;
    measures::request(&method, &route, response.status(), began.elapsed());
    response
}

#[allow(clippy::needless_pass_by_value)] // as the layer hands it over
fn panicked(what: Box<dyn std::any::Any + Send>) -> Response {
    let said = what.downcast_ref::<&str>().copied().or(what.downcast_ref::<String>().map(String::as_str));
    Problem::internal(&said.unwrap_or("a handler panicked")).into_response()
}

fn cross_site() -> Response {
    let detail = "this was sent by a page of another site: open Marquee itself and do it there";
    Problem::new(StatusCode::FORBIDDEN, "cross_site", detail).into_response()
}

async fn nowhere(request: Request) -> Response {
    Problem::not_found(format!("there is nothing at {}", request.uri().path())).into_response()
}

async fn not_that_way(request: Request) -> Response {
    let detail = format!("{} cannot be asked by {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).into_response()
}

/// A request's id: sixteen hexadecimal digits, unguessable enough to be shown and to be searched for.
fn new_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static STATE: std::sync::LazyLock<RandomState> = std::sync::LazyLock::new(RandomState::new);
    format!("{:016x}", STATE.hash_one(NEXT.fetch_add(1, Ordering::Relaxed)))
}
