//! What pages load: styles, scripts, charts, the icon, the manifest. All of it is in the binary.
//!
//! An address carries the hash of what it leads to, so that browsers keep it for a year and still get what is new.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::problem::Problem;
use crate::routes::{Routes, Rule};

/// A file that pages load.
struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
    hash: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let script = "text/javascript; charset=utf-8";
    vec![
        asset("style.css", "text/css; charset=utf-8", include_str!("style.css")),
        asset("boot.js", script, include_str!("boot.js")),
        asset("app.js", script, include_str!("app.js")),
        asset("icon.svg", "image/svg+xml", include_str!("icon.svg")),
        asset("plotly.js", script, plotly()),
    ]
});

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/assets/{name}", Rule::Open, serve).get("/manifest.webmanifest", Rule::Open, manifest)
}

/// Where an asset is found, with its hash.
pub(crate) fn url(name: &str) -> String {
    let hash = ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.hash);
    format!("/assets/{name}?v={hash}")
}

async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::not_found(format!("there is no asset `{name}`")))?;
    let tag = format!("\"{}\"", asset.hash);
    let kept = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let fixed = [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, tag.clone()),
        (header::CONTENT_TYPE, asset.kind.to_owned()),
    ];
    // A proxy that compresses may have made the tag a weak one.
    let known = |one: &str| one.trim().trim_start_matches("W/") == tag;
    Ok(match kept.is_some_and(|tags| tags.split(',').any(known)) {
        true => (StatusCode::NOT_MODIFIED, fixed).into_response(),
        false => (fixed, asset.body).into_response(),
    })
}

async fn manifest() -> Response {
    let icon = json!({ "src": url("icon.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any" });
    let body = json!({
        "name": "Marquee", "short_name": "Marquee", "lang": "en-GB",
        "description": "What a title is likely to do, how sure that is, why, and what to do about it.",
        "id": "/", "start_url": "/", "scope": "/", "display": "standalone",
        "background_color": "#faf9f5", "theme_color": "#faf9f5", "icons": [icon],
    });
    let fixed = [
        (header::CONTENT_TYPE, "application/manifest+json"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (fixed, body.to_string()).into_response()
}

fn asset(name: &'static str, kind: &'static str, body: &'static str) -> Asset {
    Asset { name, kind, body, hash: format!("{:016x}", fnv(body.as_bytes())) }
}

/// `plotly.js` out of the script elements that the `plotly` crate keeps for pages without a network.
fn plotly() -> &'static str {
    let whole = plotly::Plot::offline_js_sources();
    let script = whole
        .split_once("<script type=\"text/javascript\">")
        .and_then(|(_, rest)| rest.split_once("</script>"));
    let script = script.map_or_else(String::new, |(script, _)| script.to_owned());
    drop(whole);
    Box::leak(script.into_boxed_str())
}

/// FNV-1a of 64 bits: tells versions of our own files apart, and guards nothing.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plotly_is_whole_and_alone() {
        let script = plotly();
        assert!(script.trim_start().starts_with("/**\n* plotly.js") && script.len() > 1 << 20);
        assert!(!script.contains("<script type=") && script.contains("Plotly"));
    }

    #[test]
    fn every_asset_has_an_address_of_its_own() {
        for asset in ASSETS.iter() {
            assert!(!asset.body.is_empty() && url(asset.name).ends_with(&asset.hash), "{}", asset.name);
        }
    }

    /// The Content-Security-Policy allows scripts of this server alone.
    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for asset in ASSETS.iter().filter(|asset| asset.name != "plotly.js") {
            let places =
                asset.body.matches("http").count() - asset.body.matches("http://www.w3.org/2000/svg").count();
            assert_eq!(places, 0, "{}", asset.name);
        }
    }
}
