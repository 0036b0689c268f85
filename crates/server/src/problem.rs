//! Errors as the outside sees them: problem details of RFC 9457 with a stable code, and nothing of the inside.
//!
//! What the server itself is to blame for (a file, a database) goes to the log under the request's id; the answer names
//! that id and no more.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use marquee_app::{AppError, platform};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::WireError;

/// Why a request was not done: what, and what to do about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "about:blank", "title": "Not Found", "status": 404, "code": "no_title",
    "detail": "no title matches `Gigly`: search with GET /api/v1/titles?text=…",
    "request": "01J9ZQ4T7M"
}))]
pub(crate) struct Problem {
    /// Always `about:blank`: the code tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, as a word for programs. Codes do not change.
    code: &'static str,
    /// What is wrong and what to do, in words for people.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// Seconds after which to come again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// The request's id, as the log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    request: Option<Box<str>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            code,
            detail: detail.into().into_boxed_str(),
            retry_after: None,
            request: None,
        }
    }

    /// A request that cannot be understood.
    pub(crate) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A request that is understood and cannot be done as it stands.
    pub(crate) fn unfit(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail = "log in, or send a token as `Authorization: Bearer mq_…`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// The server's own fault: what happened is for the log alone.
    pub(crate) fn internal(said: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %said, "a request failed");
        let detail = "the server could not do this; its log says why under this request's id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// A request that is to come again.
    pub(crate) fn later(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
        seconds: u64,
    ) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..Self::new(status, code, detail) }
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn of_request(self, id: &str) -> Self {
        Self { request: Some(id.into()), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Whoever shows pages makes one of it, and the outermost layer puts the request's id in.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        use AppError as E;
        let said = || said(&error);
        match &error {
            E::Empty(_) => {
                let detail = "nothing is in the lake yet that you may see: ingest a table first";
                Self::new(StatusCode::CONFLICT, "empty", detail)
            }
            E::NoTitle(asked) => {
                let detail = format!("no title matches `{asked}`: search for it, or name it by its id");
                Self::new(StatusCode::NOT_FOUND, "no_title", detail)
            }
            E::NoGame(_) | E::NoModel { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", said()),
            E::ManyTitles { .. } | E::ManyGames { .. } => {
                Self::new(StatusCode::CONFLICT, "ambiguous", said())
            }
            E::Fitting => Self::later(StatusCode::SERVICE_UNAVAILABLE, "training", said(), 20),
            E::Platform(inner) => inner.into(),
            _ if error.is_fault() => Self::internal(&error),
            _ if error.is_stop() => Self::stopped(),
            _ => Self::unfit("cannot_be_done", said()),
        }
    }
}

impl Problem {
    fn stopped() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopped",
            "this was stopped before it was done: ask again",
        )
    }
}

impl From<&platform::Error> for Problem {
    fn from(error: &platform::Error) -> Self {
        use platform::Error as E;
        match error {
            E::Denied { .. } => Self::new(StatusCode::FORBIDDEN, "denied", error.to_string()),
            E::NotFound { .. } | E::NoSuchEntry { .. } => Self::not_found(error.to_string()),
            _ if error.is_fault() => Self::internal(error),
            _ => Self::unfit("cannot_be_done", error.to_string()),
        }
    }
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        Self::unfit("invalid_value", error.to_string())
    }
}

impl From<platform::Error> for Problem {
    fn from(error: platform::Error) -> Self {
        (&error).into()
    }
}

/// An error with its causes, without what the command line advises and the API does not have.
fn said(error: &AppError) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = inner.source();
    }
    said
}
