//! What can be wrong with a document that came in, beyond what its form already tells: where, what, and what to do.

use marquee_domain::{Day, DomainError, Money};

/// Why a document was refused that has the right form.
///
/// ```
/// use marquee_server::wire::project::Project;
/// let written: Project = serde_json::from_str(r#"{"name": "1408", "budget": "-3M", "release_date": "2007-06-22"}"#)?;
/// let said = written.read().err().map(|why| why.to_string());
/// assert!(said.is_some_and(|said| said.contains("1408")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A value that may not exist.
    #[error(transparent)]
    Value(#[from] DomainError),
    /// Something in a field of the document.
    #[error("{field}: {why}")]
    Field {
        /// Its key.
        field: &'static str,
        /// What is wrong there.
        why: Box<WireError>,
    },
    /// Something in one of the projects.
    #[error("project `{name}`: {why}")]
    Project {
        /// The project's name.
        name: String,
        /// What is wrong there.
        why: Box<WireError>,
    },
    /// Something in one of the stages of a project.
    #[error("stage `{name}`: {why}")]
    Stage {
        /// The stage's name.
        name: String,
        /// What is wrong there.
        why: Box<WireError>,
    },
    /// An amount in another currency than the one that Marquee forecasts in.
    #[error("{0} is not in US dollars, in which Marquee forecasts: write what it is in dollars")]
    NotDollars(Money),
    /// A list of projects without any.
    #[error("there is no project: give at least one, with name, budget and release_date")]
    NoProject,
    /// Two projects of one name: answers could not say which is meant.
    #[error("two projects are called `{0}`: give each its own name")]
    TwoProjects(String),
    /// A rule names a project that is not there.
    #[error("no project is called `{0}`: rules may name only projects that are given")]
    NotAProject(String),
    /// A cost that says nothing.
    #[error("give money such as \"2M\" or a part of the budget or marketing")]
    NoCost,
    /// Two fields that exclude each other.
    #[error("give {0} or {1}, not both")]
    Both(&'static str, &'static str),
    /// Two fields of which one is needed and none is given.
    #[error("give {0} or {1}")]
    Neither(&'static str, &'static str),
    /// A span of days that ends before it begins.
    #[error("{to} is before {from}: give the earlier day first")]
    Backwards {
        /// Its first day.
        from: Day,
        /// Its last day.
        to: Day,
    },
    /// A number outside what is allowed.
    #[error("{value} is not possible: it must be {least} to {most}")]
    Range {
        /// The number.
        value: u64,
        /// The least that is allowed.
        least: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// What a project costs to release cannot be reckoned.
    #[error("the marketing of `{name}` cannot be reckoned: {why}")]
    Marketing {
        /// The project's name.
        name: String,
        /// What the deal says.
        why: String,
    },
}

impl WireError {
    /// The same, with the field that it is in.
    pub(crate) fn within(field: &'static str) -> impl FnOnce(Self) -> Self {
        move |why| Self::Field { field, why: Box::new(why) }
    }
}
