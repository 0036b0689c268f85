//! Documents: projects, slates, deals and reports that people keep.

use marquee_app::platform::{Document, DocumentHeader};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What is to be kept.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "kind": "project", "name": "The Lighthouse Keeper", "class": "confidential", "team": "acquisitions",
    "body": { "name": "The Lighthouse Keeper", "budget": "25M", "release_date": "2027-06-18" }
}))]
pub struct DocumentBody {
    /// project, slate, deal or report; only for a new one.
    pub kind: Option<String>,
    /// Its name, up to 200 characters.
    pub name: String,
    /// public, internal, confidential or nda; internal where it is left out.
    pub class: Option<String>,
    /// The team that it belongs to.
    #[serde(default)]
    pub team: String,
    /// The non-disclosure agreement that covers it, for class nda.
    pub nda: Option<String>,
    /// What it says: any JSON, up to the body limit.
    pub body: Value,
}

/// A document without what it says.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentHead {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: String,
    /// The team that it belongs to.
    pub team: String,
    /// The id of the account that made it.
    pub owner: Option<String>,
    /// The non-disclosure agreement that covers it.
    pub nda: Option<String>,
    /// Which revision this is, from 1.
    pub revision: u64,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When this revision was kept.
    pub updated_at: String,
}

/// A document.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentView {
    /// Everything but what it says.
    #[serde(flatten)]
    pub head: DocumentHead,
    /// What it says.
    pub body: Value,
}

/// Documents, a page at a time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DocumentPage {
    /// The documents of this page, newest first.
    pub documents: Vec<DocumentHead>,
    /// What to send as `cursor` for the next page; none after the last.
    pub next: Option<String>,
}

impl From<&DocumentHeader> for DocumentHead {
    fn from(header: &DocumentHeader) -> Self {
        Self {
            id: header.id.clone(),
            kind: header.kind.clone(),
            name: header.name.clone(),
            class: header.class.clone(),
            team: header.team.clone(),
            owner: header.owner.clone(),
            nda: header.nda.clone(),
            revision: header.revision,
            created_at: header.created_at.to_rfc3339(),
            updated_at: header.updated_at.to_rfc3339(),
        }
    }
}

impl From<&Document> for DocumentView {
    fn from(document: &Document) -> Self {
        Self { head: DocumentHead::from(&document.header), body: document.body.clone() }
    }
}
