//! Documents: projects, slates, deals and reports that people keep. Changes name the revision that they are made to, as
//! `If-Match`, so that nobody overwrites what they have not seen.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use marquee_app::platform::{Document, Edit};
use marquee_app::use_cases::documents::{self, Draft};
use marquee_domain::{Class, Held};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::accounts::deed;
use crate::api::{Body, Query, Refused, whole};
use crate::guard::{Caller, Deed};
use crate::problem::Problem;
use crate::server::Server;
use crate::wire::documents::{DocumentBody, DocumentHead, DocumentPage, DocumentView};

/// Which documents are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DocumentSearch {
    /// project, slate, deal or report.
    kind: String,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// The most documents; 50 where it is not said, at most 500.
    limit: Option<usize>,
}

/// Which revision is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Revision {
    /// An earlier revision, from 1; the newest where it is not said.
    #[param(minimum = 1)]
    revision: Option<i64>,
}

/// Documents of a kind that you may see, newest first.
#[utoipa::path(
    get, path = "/api/v1/documents", tag = "documents", params(DocumentSearch),
    responses((status = 200, body = DocumentPage), Refused)
)]
pub(crate) async fn list(
    State(server): State<Server>,
    caller: Caller,
    Query(wanted): Query<DocumentSearch>,
) -> Result<Json<DocumentPage>, Problem> {
    let place = (wanted.cursor.as_deref(), wanted.limit.unwrap_or(50).clamp(1, 500));
    let found = documents::list(&server.office, &wanted.kind, place, &caller.permit).await?;
    Ok(Json(DocumentPage {
        documents: found.documents.iter().map(DocumentHead::from).collect(),
        next: found.next,
    }))
}

/// Keeps a new document.
#[utoipa::path(
    post, path = "/api/v1/documents", tag = "documents", request_body = DocumentBody,
    responses((status = 201, body = DocumentHead), Refused)
)]
pub(crate) async fn create(
    State(server): State<Server>,
    caller: Caller,
    Body(body): Body<DocumentBody>,
) -> Result<Response, Problem> {
    let kind = body.kind.clone().ok_or_else(|| Problem::unfit("invalid_value", "kind: say what it is"))?;
    let header =
        documents::create(&server.office, &kind, &draft(body)?, server.now(), &caller.permit).await?;
    let head = DocumentHead::from(&header);
    let (object, after) = (format!("{}:{}", header.kind, header.id), serde_json::to_value(&head).ok());
    Ok(deed((StatusCode::CREATED, tag(header.revision), Json(head)).into_response(), object, None, after))
}

/// One document. Reading a confidential one is written to the audit.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}", tag = "documents",
    params(("id" = String, Path, description = "The document's id"), Revision),
    responses((status = 200, body = DocumentView), Refused)
)]
pub(crate) async fn one(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<Revision>,
) -> Result<Response, Problem> {
    let document =
        documents::get(&server.office, &id, whole("revision", wanted.revision)?, &caller.permit).await?;
    let object = format!("{}:{}", document.header.kind, document.header.id);
    let sensitive = documents::is_sensitive(&document.header);
    let mut response = (tag(document.header.revision), Json(DocumentView::from(&document))).into_response();
    response.extensions_mut().insert(Deed { object, sensitive, ..Deed::default() });
    Ok(response)
}

/// The revisions of a document, newest first.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/revisions", tag = "documents",
    params(("id" = String, Path, description = "The document's id")),
    responses((status = 200, body = [DocumentHead]), Refused)
)]
pub(crate) async fn revisions(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Vec<DocumentHead>>, Problem> {
    let all = documents::history(&server.office, &id, &caller.permit).await?;
    Ok(Json(all.iter().map(DocumentHead::from).collect()))
}

/// Keeps a further revision of a document. `If-Match` names the revision that was changed.
#[utoipa::path(
    put, path = "/api/v1/documents/{id}", tag = "documents", request_body = DocumentBody,
    params(
        ("id" = String, Path, description = "The document's id"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the revision that was changed, such as \"3\"; without it the answer is 428")
    ),
    responses((status = 204), Refused)
)]
pub(crate) async fn update(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(body): Body<DocumentBody>,
) -> Result<Response, Problem> {
    let at = (id.as_str(), expected(&headers)?);
    let draft = draft(body)?;
    let (before, edit) = documents::update(&server.office, at, &draft, server.now(), &caller.permit).await?;
    edited(&id, &before, edit, Some(&draft))
}

/// Removes a document with all its revisions. `If-Match` names its newest revision.
#[utoipa::path(
    delete, path = "/api/v1/documents/{id}", tag = "documents",
    params(
        ("id" = String, Path, description = "The document's id"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the newest revision, such as \"3\"; without it the answer is 428")
    ),
    responses((status = 204), Refused)
)]
pub(crate) async fn remove(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let at = (id.as_str(), expected(&headers)?);
    let (before, edit) = documents::remove(&server.office, at, &caller.permit).await?;
    edited(&id, &before, edit, None)
}

/// The answer to a change. What a confidential document says stays out of the audit.
fn edited(id: &str, before: &Document, edit: Edit, draft: Option<&Draft>) -> Result<Response, Problem> {
    let revision = match edit {
        Edit::Done { revision } => revision,
        Edit::Changed { revision } => {
            let detail = format!("the document is at revision {revision} by now: look at that first");
            return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "changed_meanwhile", detail));
        }
        Edit::Missing => return Err(Problem::not_found(format!("there is no document `{id}`"))),
    };
    let sensitive = documents::is_sensitive(&before.header);
    let was = (!sensitive).then(|| serde_json::to_value(DocumentView::from(before)).ok()).flatten();
    let after = draft.filter(|draft| matches!(draft.held.class, Class::Public | Class::Internal));
    let after = after.map(|draft| serde_json::json!({ "name": draft.name, "body": draft.body }));
    let mut response = (StatusCode::NO_CONTENT, tag(revision)).into_response();
    let object = format!("{}:{id}", before.header.kind);
    response.extensions_mut().insert(Deed { object, before: was, after, sensitive, ..Deed::default() });
    Ok(response)
}

fn draft(body: DocumentBody) -> Result<Draft, Problem> {
    let class = body.class.map(|class| class.parse::<Class>()).transpose();
    let class = class.map_err(|error| Problem::unfit("invalid_value", format!("class: {error}")))?;
    let held = Held { class: class.unwrap_or(Class::Internal), team: body.team };
    Ok(Draft { name: body.name, held, nda: body.nda, body: body.body })
}

/// A revision as an ETag.
fn tag(revision: u64) -> [(header::HeaderName, HeaderValue); 1] {
    let text = format!("\"{revision}\"");
    [(header::ETAG, HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"0\"")))]
}

/// The revision that `If-Match` names.
fn expected(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        let detail = "say which revision you changed: send its ETag as If-Match";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_needed", detail));
    };
    let revision = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
    revision.ok_or_else(|| {
        Problem::unfit("invalid_if_match", "If-Match is no revision: send the ETag that you got")
    })
}
