//! Documents: the projects, slates and deals that people make and keep, each under a class and a team.

use marquee_domain::{Class, Held};
use marquee_platform::{
    AccountId, Action, Contents, Document, DocumentHeader, Edit, Error as PlatformError, Holding, Permit,
};
use serde_json::Value;

use chrono::{DateTime, Utc};

use crate::error::AppError;
use crate::office::Office;

/// The kinds of document that there are.
pub const KINDS: [&str; 4] = ["project", "slate", "deal", "report"];

/// What is to be kept.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Under what it is held.
    pub held: Held,
    /// The non-disclosure agreement that covers it, for class `nda`.
    pub nda: Option<String>,
    /// What it says.
    pub body: Value,
}

/// A page of documents.
#[derive(Debug)]
pub struct Found {
    /// Those that may be seen, newest first.
    pub documents: Vec<DocumentHeader>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Keeps a new document, owned by whoever asks.
///
/// # Errors
/// A kind that there is not; a class and team under which its maker would not see it.
pub async fn create(
    office: &Office,
    kind: &str,
    draft: &Draft,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<DocumentHeader, AppError> {
    permit.require(Action::Plan)?;
    if !KINDS.contains(&kind) {
        let known = KINDS.join(", ");
        let text = kind.to_owned();
        return Err(PlatformError::UnknownWord { what: "kind of document", text, known }.into());
    }
    let owner = permit.account().map(ToString::to_string);
    Ok(office.documents.create(kind, &contents(draft, owner), now).await?)
}

/// One document, at its newest revision or an earlier one.
///
/// # Errors
/// [`PlatformError::NotFound`] where there is none, or none that may be seen.
pub async fn get(
    office: &Office,
    id: &str,
    revision: Option<u64>,
    permit: &Permit,
) -> Result<Document, AppError> {
    permit.require(Action::Read)?;
    let current = seen(office, id, permit).await?;
    let Some(revision) = revision else { return Ok(current) };
    let earlier = office.documents.at(id, revision).await?.ok_or_else(|| missing(id))?;
    visible(&earlier.header, permit)?;
    Ok(earlier)
}

/// Documents of a kind that may be seen, newest first.
///
/// # Errors
/// A cursor that is none.
pub async fn list(
    office: &Office,
    kind: &str,
    (after, limit): (Option<&str>, usize),
    permit: &Permit,
) -> Result<Found, AppError> {
    permit.require(Action::Read)?;
    let mut found = Found { documents: Vec::new(), next: after.map(str::to_owned) };
    loop {
        let room = limit - found.documents.len();
        let page = office.documents.list(kind, found.next.as_deref(), room).await?;
        found.documents.extend(page.documents.into_iter().filter(|header| visible(header, permit).is_ok()));
        found.next = page.next;
        if found.next.is_none() || found.documents.len() >= limit {
            return Ok(found);
        }
    }
}

/// The revisions of a document that may be seen, newest first.
///
/// # Errors
/// As [`get`].
pub async fn history(office: &Office, id: &str, permit: &Permit) -> Result<Vec<DocumentHeader>, AppError> {
    permit.require(Action::Read)?;
    seen(office, id, permit).await?;
    let mut all = office.documents.history(id).await?;
    all.retain(|header| visible(header, permit).is_ok());
    Ok(all)
}

/// Keeps a further revision, if the current one is the expected one; gives the document as it was before.
///
/// # Errors
/// As [`get`]; a class and team under which whoever asks would not see it any more.
pub async fn update(
    office: &Office,
    (id, expected): (&str, u64),
    draft: &Draft,
    now: DateTime<Utc>,
    permit: &Permit,
) -> Result<(Document, Edit), AppError> {
    permit.require(Action::Plan)?;
    let before = seen(office, id, permit).await?;
    let edit =
        office.documents.update(id, expected, &contents(draft, before.header.owner.clone()), now).await?;
    Ok((before, edit))
}

/// Removes a document with all its revisions, if the current one is the expected one; gives the document as it was.
///
/// # Errors
/// As [`get`].
pub async fn remove(
    office: &Office,
    (id, expected): (&str, u64),
    permit: &Permit,
) -> Result<(Document, Edit), AppError> {
    permit.require(Action::Plan)?;
    let before = seen(office, id, permit).await?;
    let edit = office.documents.remove(id, expected).await?;
    Ok((before, edit))
}

/// Whether a document is one that whoever reads it is to be named for.
#[must_use]
pub fn is_sensitive(header: &DocumentHeader) -> bool {
    matches!(class(header), Class::Confidential | Class::Nda)
}

async fn seen(office: &Office, id: &str, permit: &Permit) -> Result<Document, AppError> {
    let document = office.documents.get(id).await?.ok_or_else(|| missing(id))?;
    visible(&document.header, permit)?;
    Ok(document)
}

/// Refuses what may not be seen as if it were not there.
fn visible(header: &DocumentHeader, permit: &Permit) -> Result<(), AppError> {
    let owner = header.owner.as_deref().and_then(|id| id.parse::<AccountId>().ok());
    let holding = Holding {
        kind: &header.kind,
        id: &header.id,
        class: class(header),
        team: &header.team,
        owner: owner.as_ref(),
        nda: header.nda.as_deref(),
    };
    if permit.sees(&holding) { Ok(()) } else { Err(missing(&header.id)) }
}

/// A class that this version does not know counts as the closest.
fn class(header: &DocumentHeader) -> Class {
    header.class.parse().unwrap_or(Class::Nda)
}

fn missing(id: &str) -> AppError {
    PlatformError::NotFound { kind: "document".to_owned(), id: id.to_owned() }.into()
}

fn contents(draft: &Draft, owner: Option<String>) -> Contents {
    Contents {
        name: draft.name.clone(),
        class: draft.held.class.to_string(),
        team: draft.held.team.clone(),
        owner,
        nda: draft.nda.clone(),
        body: draft.body.clone(),
    }
}
