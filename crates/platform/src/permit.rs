//! Who may do what: the value that every use case asks for before it fetches or writes anything.
//!
//! This first cut knows two holders: the person at the keyboard, who owns the data folder and may do everything, and a
//! named reader. It is not authentication: whoever can open the folder can make a [`Permit::local_owner`].

use std::fmt;

use crate::Error;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Look at titles, forecasts, the track record, the audit.
    Read,
    /// Ingest, record a forecast, correct a fact.
    Write,
    /// Erase a payload, migrate, change who may do what.
    Administer,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Administer => "administer",
        })
    }
}

/// Permission held by a named actor. It cannot be widened after it was made.
///
/// ```
/// use marquee_platform::{Action, Permit};
///
/// let analyst = Permit::read_only("analyst");
/// assert!(analyst.require(Action::Read).is_ok());
/// let refusal = analyst.require(Action::Write).unwrap_err();
/// assert_eq!(refusal.to_string(), "analyst may not write: ask the owner of the data folder for a permit to write");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    actor: String,
    actions: &'static [Action],
}

impl Permit {
    /// The person at the keyboard, who owns the data folder: may read, write and administer.
    #[must_use]
    pub fn local_owner() -> Self {
        Self { actor: "local owner".to_owned(), actions: &[Action::Read, Action::Write, Action::Administer] }
    }

    /// Somebody who may look and change nothing.
    #[must_use]
    pub fn read_only(actor: impl Into<String>) -> Self {
        Self { actor: actor.into(), actions: &[Action::Read] }
    }

    /// The holder's name, as an audit entry should show it.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Whether the holder may do this.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }

    /// Passes if the holder may do this.
    ///
    /// # Errors
    /// [`Error::Denied`], naming the actor and the action.
    pub fn require(&self, action: Action) -> Result<(), Error> {
        if self.may(action) {
            return Ok(());
        }
        Err(Error::Denied { actor: self.actor.clone(), action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(permit: &Permit, allowed: [bool; 3]) {
        let actions = [Action::Read, Action::Write, Action::Administer];
        assert_eq!(actions.map(|action| permit.may(action)), allowed);
        assert_eq!(actions.map(|action| permit.require(action).is_ok()), allowed);
    }

    #[test]
    fn the_owner_may_do_everything_and_a_reader_may_read() {
        check(&Permit::local_owner(), [true, true, true]);
        check(&Permit::read_only("analyst"), [true, false, false]);
    }
}
