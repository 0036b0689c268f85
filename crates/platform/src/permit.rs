//! Who may do what: the value that every use case asks for before it fetches or writes anything.
//!
//! A permit is made once, for the person at the keyboard, for a named reader, or by [`Policies`](crate::Policies) for an
//! account, and cannot be widened afterwards. It is not authentication: whoever can open the data folder can make a
//! [`Permit::local_owner`].

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::policy::Principal;
use crate::{AccountId, Class, Error, Holding, Policies};

/// What somebody wants to do.
///
/// ```
/// use marquee_platform::Action;
///
/// assert_eq!("train".parse::<Action>()?, Action::Train);
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Look at titles, forecasts, the track record, what-ifs, SQL.
    Read,
    /// Commit a forecast to the track record.
    Record,
    /// Take in files.
    Ingest,
    /// Tune, promote and retrain models.
    Train,
    /// Edit projects, slates and deals.
    Plan,
    /// Edit shelves and work on audiences.
    Programme,
    /// Read the audit.
    Audit,
    /// Accounts, policies, erasure, backups.
    Administer,
}

impl Action {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Record,
        Self::Ingest,
        Self::Train,
        Self::Plan,
        Self::Programme,
        Self::Audit,
        Self::Administer,
    ];

    /// Its name in lower case, as in a token's scopes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Record => "record",
            Self::Ingest => "ingest",
            Self::Train => "train",
            Self::Plan => "plan",
            Self::Programme => "programme",
            Self::Audit => "audit",
            Self::Administer => "administer",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|action| action.as_str() == text);
        found.ok_or_else(|| Error::UnknownWord { what: "action", text: text.to_owned(), known: known() })
    }
}

/// Permission held by a named actor. It cannot be widened after it was made.
///
/// ```
/// use marquee_platform::{Action, Class, Holding, Permit};
///
/// let guest = Permit::read_only("guest");
/// assert!(guest.require(Action::Read).is_ok());
/// let refusal = guest.require(Action::Train).unwrap_err();
/// assert_eq!(
///     refusal.to_string(),
///     "guest may not train: ask an administrator, or the owner of the data folder, for a permit to train"
/// );
///
/// let deal = Holding { kind: "deal", id: "7", class: Class::Confidential, team: "west", owner: None, nda: None };
/// assert_eq!(guest.require_with(Action::Read, &deal).unwrap_err().to_string(), "there is no deal `7`");
/// ```
#[derive(Clone)]
pub struct Permit {
    actor: Arc<str>,
    actions: Actions,
    sight: Sight,
}

/// What single things a holder may do something with.
#[derive(Clone)]
enum Sight {
    /// Everything.
    All,
    /// What is public or internal.
    Open,
    /// What the policies say.
    Ruled(Arc<Ruled>),
}

struct Ruled {
    account: AccountId,
    policies: Policies,
    principal: Principal,
    /// What a token leaves of it; all actions without one.
    scopes: Actions,
}

/// A set of actions.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Actions(u16);

impl Permit {
    /// The person at the keyboard, who owns the data folder: may do everything and sees everything.
    #[must_use]
    pub fn local_owner() -> Self {
        Self { actor: "local owner".into(), actions: Action::ALL.into_iter().collect(), sight: Sight::All }
    }

    /// Somebody who may look at what is public or internal, and change nothing.
    #[must_use]
    pub fn read_only(actor: impl Into<String>) -> Self {
        let actions = [Action::Read].into_iter().collect();
        Self { actor: actor.into().into(), actions, sight: Sight::Open }
    }

    /// What the policies leave to this principal, whose rights were worked out for the workspace as a whole.
    pub(crate) fn ruled(
        policies: &Policies,
        account: (AccountId, &str),
        principal: Principal,
        scopes: Option<&BTreeSet<Action>>,
    ) -> Self {
        let (id, name) = account;
        let given = |action: &Action| scopes.is_none_or(|set| set.contains(action));
        let scopes: Actions = Action::ALL.into_iter().filter(given).collect();
        let allowed =
            |action: &Action| scopes.contains(*action) && policies.allows(&principal, *action, None);
        let actions = Action::ALL.into_iter().filter(allowed).collect();
        let ruled = Ruled { account: id, policies: policies.clone(), principal, scopes };
        Self { actor: name.into(), actions, sight: Sight::Ruled(Arc::new(ruled)) }
    }

    /// The holder's name, as an audit entry should show it.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The account that holds it; none for the local owner and for a named reader.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        match &self.sight {
            Sight::Ruled(ruled) => Some(&ruled.account),
            Sight::All | Sight::Open => None,
        }
    }

    /// Whether the holder may do this where it concerns no single thing.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.actions.contains(action)
    }

    /// Passes if the holder may do this where it concerns no single thing.
    ///
    /// # Errors
    /// [`Error::Denied`], naming the actor and the action.
    pub fn require(&self, action: Action) -> Result<(), Error> {
        if self.may(action) { Ok(()) } else { Err(self.denied(action)) }
    }

    /// Whether the holder may see this thing.
    #[must_use]
    pub fn sees(&self, holding: &Holding<'_>) -> bool {
        self.may_with(Action::Read, holding)
    }

    /// Whether the holder may do this with this thing.
    #[must_use]
    pub fn may_with(&self, action: Action, holding: &Holding<'_>) -> bool {
        match &self.sight {
            Sight::All => true,
            Sight::Open => self.may(action) && matches!(holding.class, Class::Public | Class::Internal),
            Sight::Ruled(ruled) => {
                ruled.scopes.contains(action)
                    && ruled.policies.allows(&ruled.principal, action, Some(holding))
            }
        }
    }

    /// Passes if the holder may do this with this thing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a thing that the holder may not even see, as if there were no such thing;
    /// [`Error::Denied`] for one that the holder sees.
    pub fn require_with(&self, action: Action, holding: &Holding<'_>) -> Result<(), Error> {
        if self.may_with(action, holding) {
            return Ok(());
        }
        if action != Action::Read && self.sees(holding) {
            return Err(self.denied(action));
        }
        Err(Error::NotFound { kind: holding.kind.to_owned(), id: holding.id.to_owned() })
    }

    fn denied(&self, action: Action) -> Error {
        Error::Denied { actor: self.actor.to_string(), action }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sight: &dyn fmt::Debug = match &self.sight {
            Sight::All => &"everything",
            Sight::Open => &"public and internal",
            Sight::Ruled(ruled) => &ruled.account,
        };
        let mut shown = f.debug_struct("Permit");
        shown.field("actor", &self.actor).field("actions", &self.actions).field("sight", sight).finish()
    }
}

impl Actions {
    fn contains(self, action: Action) -> bool {
        self.0 & Self::bit(action) != 0
    }

    fn bit(action: Action) -> u16 {
        1 << action as u16
    }
}

impl FromIterator<Action> for Actions {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(actions.into_iter().fold(0, |set, action| set | Self::bit(action)))
    }
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Action::ALL.into_iter().filter(|action| self.contains(*action));
        f.debug_set().entries(held).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(class: Class) -> Holding<'static> {
        Holding { kind: "project", id: "p", class, team: "east", owner: None, nda: Some("n") }
    }

    fn check(permit: &Permit, allowed: &[Action], seen: [bool; 4]) {
        for action in Action::ALL {
            assert_eq!(permit.may(action), allowed.contains(&action), "{action}");
            assert_eq!(permit.require(action).is_ok(), allowed.contains(&action), "{action}");
        }
        assert_eq!(Class::ALL.iter().map(|class| permit.sees(&holding(*class))).collect::<Vec<_>>(), seen);
    }

    #[test]
    fn the_owner_may_do_everything_and_a_reader_may_read() {
        check(&Permit::local_owner(), &Action::ALL, [true; 4]);
        check(&Permit::read_only("guest"), &[Action::Read], [true, true, false, false]);
    }

    #[test]
    fn what_is_not_seen_is_not_there() {
        let reader = Permit::read_only("guest");
        let closed = reader.require_with(Action::Plan, &holding(Class::Nda));
        assert!(matches!(closed, Err(Error::NotFound { .. })));
        let open = reader.require_with(Action::Plan, &holding(Class::Public));
        assert!(matches!(open, Err(Error::Denied { action: Action::Plan, .. })));
    }

    #[test]
    fn a_permit_can_be_shared_and_shown() {
        fn shared<T: Send + Sync + Clone>(_: &T) {}
        let reader = Permit::read_only("guest");
        shared(&reader);
        assert_eq!(
            format!("{reader:?}"),
            r#"Permit { actor: "guest", actions: {Read}, sight: "public and internal" }"#
        );
    }

    #[test]
    fn an_unknown_action_is_told_the_known_ones() {
        let told = "write".parse::<Action>().err().map(|error| error.to_string());
        let wanted = "`write` is no action: use one of read, record, ingest, train, plan, programme, audit, administer";
        assert_eq!(told.as_deref(), Some(wanted));
    }
}
