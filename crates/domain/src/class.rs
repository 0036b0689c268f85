//! Confidentiality: how widely a thing may be seen.

use crate::words::closed_words;

closed_words! {
    /// How widely a source, a project or a document may be seen, least confidential first. Who may see what of a class is a
    /// matter of policy.
    Class ("confidentiality class") {
        /// Anybody may know it.
        Public = "public",
        /// Everybody with an account may see it.
        Internal = "internal",
        /// Only its team may see it.
        Confidential = "confidential",
        /// Only those of its team who signed its non-disclosure agreement may see it.
        Nda = "nda",
    }
}

/// Under what a thing is held: its class, and the team that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Held {
    /// How widely it may be seen.
    pub class: Class,
    /// Whose it is; nobody's in particular where it is empty.
    pub team: String,
}

impl Default for Held {
    /// Internal, of no team: what was there before anybody said otherwise.
    fn default() -> Self {
        Self { class: Class::Internal, team: String::new() }
    }
}
