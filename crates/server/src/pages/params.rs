//! What an address says after its question mark, read without complaint: what cannot be used is as if it were not there.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use marquee_domain::{Day, Population, Target};

/// The pairs of a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        Ok(Self(pairs.map(|Query(pairs)| pairs).unwrap_or_default()))
    }
}

impl Params {
    /// The pairs as given: for tests and forms.
    pub(crate) fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// What a key says, without blanks around it; the last time that it says anything.
    pub(crate) fn get(&self, key: &str) -> &str {
        let said = self.0.iter().rev().filter(|(own, _)| own == key).map(|(_, value)| value.trim());
        said.into_iter().find(|value| !value.is_empty()).unwrap_or("")
    }

    /// Whether a key stands there at all, be it empty.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(own, _)| own == key)
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.get(key).parse().ok()
    }

    pub(crate) fn day(&self, key: &str) -> Option<Day> {
        self.number(key)
    }

    /// What is predicted: worldwide where nothing is said.
    pub(crate) fn target(&self) -> Target {
        self.number("target").unwrap_or(Target::Worldwide)
    }

    pub(crate) fn population(&self) -> Option<Population> {
        self.number("population")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_not_there() {
        let pairs = [("from", " 2015 "), ("to", "soon"), ("text", ""), ("text", "a"), ("text", " ")];
        let params = Params::of(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec());
        assert_eq!(params.number::<i32>("from"), Some(2015));
        assert_eq!(
            (params.number::<i32>("to"), params.get("text"), params.target()),
            (None, "a", Target::Worldwide)
        );
        assert!(params.has("to") && !params.has("genre") && params.day("from").is_none());
    }
}
