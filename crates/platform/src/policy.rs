//! The rules behind permits: Cedar policies, the built-in ones and those of the operator, checked against a schema.
//!
//! `policies/default.cedar` is meant to be read by an administrator; `policies/marquee.cedarschema` says what policies may
//! speak of. What is decided here is decided for one account; what a [`Permit`] adds is who asks. Cedar leaves out a
//! policy that fails while it is evaluated; since that could be one that forbids, any such failure refuses here.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};

use marquee_domain::Class;

use crate::{Account, AccountId, Action, Error, Permit};

const SCHEMA: &str = include_str!("../policies/marquee.cedarschema");
const DEFAULT: &str = include_str!("../policies/default.cedar");

/// Something that is held here, as far as a permit needs to know it.
///
/// ```
/// use marquee_platform::{Action, Class, Holding, Permit};
///
/// let slate = Holding { kind: "slate", id: "2027", class: Class::Public, team: "", owner: None, nda: None };
/// assert!(Permit::read_only("guest").sees(&slate));
/// assert!(!Permit::read_only("guest").may_with(Action::Plan, &slate));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding<'a> {
    /// `source`, `project`, `slate`, `deal` or `document`.
    pub kind: &'a str,
    /// Which one.
    pub id: &'a str,
    /// How closely it is held.
    pub class: Class,
    /// Whose it is; empty if no team's.
    pub team: &'a str,
    /// Who made it, or has it now.
    pub owner: Option<&'a AccountId>,
    /// The agreement that covers it.
    pub nda: Option<&'a str>,
}

/// Policies that are ready to decide; clones share them.
///
/// ```
/// use marquee_platform::Policies;
///
/// let night = r#"forbid (principal, action == Marquee::Action::"Train", resource);"#;
/// assert!(Policies::with(night).is_ok());
///
/// let misspelt = "forbid (principal, action, resource)\nwhen { principal.taem == \"east\" };";
/// let refusal = Policies::with(misspelt).unwrap_err().to_string();
/// assert!(refusal.starts_with("line 2 of the policies: attribute `taem`"), "{refusal}");
/// ```
#[derive(Clone)]
pub struct Policies {
    inner: Arc<Inner>,
}

struct Inner {
    own: String,
    policies: PolicySet,
    authorizer: Authorizer,
    names: Names,
}

/// The names that a request is made of, parsed once.
struct Names {
    account: EntityTypeName,
    role: EntityTypeName,
    team: EntityTypeName,
    class: EntityTypeName,
    holding: EntityTypeName,
    action: EntityTypeName,
    workspace: EntityUid,
}

/// An account as Cedar knows it, built once for each permit.
pub(crate) struct Principal {
    uid: Option<EntityUid>,
    entities: Entities,
}

impl Policies {
    /// The policies that Marquee ships.
    ///
    /// # Errors
    /// [`Error::InvalidPolicy`] if they were built in with a fault.
    pub fn built_in() -> Result<Self, Error> {
        Self::with("")
    }

    /// The policies that Marquee ships, and these in addition. They are checked against the schema first.
    ///
    /// # Errors
    /// [`Error::InvalidPolicy`] with the line and what is wrong there: a text that cannot be parsed, an attribute, action,
    /// role or class that does not exist, a policy that could never apply, a template.
    pub fn with(text: &str) -> Result<Self, Error> {
        let fault = |error: &dyn fmt::Display| Error::InvalidPolicy { line: 0, reason: error.to_string() };
        let schema: Schema = SCHEMA.parse().map_err(|error| fault(&error))?;
        let validator = Validator::new(schema);
        let mut policies = checked(&validator, DEFAULT)?;
        let own = checked(&validator, text)?;
        policies.merge(&own, true).map_err(|error| fault(&error))?;
        let names = Names::new()?;
        Ok(Self {
            inner: Arc::new(Inner { own: text.to_owned(), policies, authorizer: Authorizer::new(), names }),
        })
    }

    /// The text of the policies that Marquee ships, with its comments.
    #[must_use]
    pub fn default_text() -> &'static str {
        DEFAULT
    }

    /// The text of the policies that an operator added, with its comments; empty where there are none.
    #[must_use]
    pub fn own_text(&self) -> &str {
        &self.inner.own
    }

    /// The text of the schema that policies are checked against, with its comments.
    #[must_use]
    pub fn schema_text() -> &'static str {
        SCHEMA
    }

    /// What this account may do, narrowed to a token's scopes where there are some. A disabled account may do nothing.
    #[must_use]
    pub fn permit(&self, account: &Account, scopes: Option<&BTreeSet<Action>>) -> Permit {
        let principal = if account.disabled { None } else { self.inner.names.principal(account) };
        let principal = principal.unwrap_or_else(Principal::nobody);
        Permit::ruled(self, (account.id.clone(), &account.name), principal, scopes)
    }

    /// Whether the principal may do this with this thing, or, without one, where it concerns no single thing.
    pub(crate) fn allows(&self, who: &Principal, action: Action, holding: Option<&Holding<'_>>) -> bool {
        self.decide(who, action, holding).unwrap_or(false)
    }

    /// `None` if Cedar could not be asked, which is no permission.
    fn decide(&self, who: &Principal, action: Action, holding: Option<&Holding<'_>>) -> Option<bool> {
        let Inner { policies, authorizer, names, .. } = &*self.inner;
        let with;
        let (entities, resource) = match holding {
            None => (&who.entities, names.workspace.clone()),
            Some(holding) => {
                let entity = names.entity(holding)?;
                let resource = entity.uid();
                with = who.entities.clone().add_entities([entity], None).ok()?;
                (&with, resource)
            }
        };
        let action = uid(&names.action, cedar_name(action));
        let request = Request::new(who.uid.clone()?, action, resource, Context::empty(), None).ok()?;
        let response = authorizer.is_authorized(&request, policies, entities);
        let sound = response.diagnostics().errors().next().is_none();
        Some(sound && response.decision() == Decision::Allow)
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policies({})", self.inner.policies.num_of_policies())
    }
}

impl Principal {
    /// Somebody who does not exist and may do nothing.
    fn nobody() -> Self {
        Self { uid: None, entities: Entities::empty() }
    }
}

impl Names {
    fn new() -> Result<Self, Error> {
        let name = |text: &str| {
            let parsed = EntityTypeName::from_str(text);
            parsed.map_err(|error| Error::InvalidPolicy { line: 0, reason: error.to_string() })
        };
        Ok(Self {
            account: name("Marquee::Account")?,
            role: name("Marquee::Role")?,
            team: name("Marquee::Team")?,
            class: name("Marquee::Class")?,
            holding: name("Marquee::Holding")?,
            action: name("Marquee::Action")?,
            workspace: uid(&name("Marquee::Workspace")?, "here"),
        })
    }

    /// Role and team need no entities of their own: that the account is in them is written on the account.
    fn principal(&self, account: &Account) -> Option<Principal> {
        let clearances = account.clearances.iter().map(|name| text(name));
        let attributes = HashMap::from([
            ("name".to_owned(), text(&account.name)),
            ("role".to_owned(), text(account.role.as_str())),
            ("team".to_owned(), text(&account.team)),
            ("clearances".to_owned(), RestrictedExpression::new_set(clearances)),
        ]);
        let mut groups = HashSet::from([uid(&self.role, account.role.as_str())]);
        if !account.team.is_empty() {
            groups.insert(uid(&self.team, &account.team));
        }
        let id = uid(&self.account, account.id.as_str());
        let entity = Entity::new(id.clone(), attributes, groups).ok()?;
        Some(Principal { uid: Some(id), entities: Entities::from_entities([entity], None).ok()? })
    }

    fn entity(&self, holding: &Holding<'_>) -> Option<Entity> {
        let class = RestrictedExpression::new_entity_uid(uid(&self.class, holding.class.as_str()));
        let mut attributes = HashMap::from([
            ("kind".to_owned(), text(holding.kind)),
            ("class".to_owned(), class),
            ("team".to_owned(), text(holding.team)),
        ]);
        if let Some(owner) = holding.owner {
            let owner = RestrictedExpression::new_entity_uid(uid(&self.account, owner.as_str()));
            attributes.insert("owner".to_owned(), owner);
        }
        if let Some(nda) = holding.nda {
            attributes.insert("nda".to_owned(), text(nda));
        }
        let id = uid(&self.holding, &format!("{}:{}", holding.kind, holding.id));
        Entity::new(id, attributes, HashSet::new()).ok()
    }
}

/// Parses policies and holds them against the schema. Warnings refuse too: a policy that can never apply, or whose letters
/// only look like others, is not what its author meant.
fn checked(validator: &Validator, text: &str) -> Result<PolicySet, Error> {
    let policies = PolicySet::from_str(text).map_err(|error| refusal(text, &DetailedError::from(&error)))?;
    if policies.num_of_templates() > 0 {
        let line = 1 + text
            .lines()
            .position(|line| line.contains("?principal") || line.contains("?resource"))
            .unwrap_or(0);
        let reason = "templates are not used here: name a principal and a resource".to_owned();
        return Err(Error::InvalidPolicy { line, reason });
    }
    let found = validator.validate(&policies, ValidationMode::Strict);
    let errors = found.validation_errors().map(DetailedError::from);
    let warnings = found.validation_warnings().map(DetailedError::from);
    let place = |error: &DetailedError| error.source_locations.first().map(|label| label.loc.start);
    let first = errors.min_by_key(place).or_else(|| warnings.min_by_key(place));
    first.map_or(Ok(policies), |error| Err(refusal(text, &error)))
}

fn refusal(text: &str, error: &DetailedError) -> Error {
    let start = error.source_locations.first().map(|label| label.loc.start.min(text.len()));
    let line =
        start.map_or(0, |start| 1 + text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count());
    // Without the policy's number, which nobody wrote; the line says where.
    let numbered = error.message.strip_prefix("for policy `").and_then(|rest| rest.split_once('`'));
    let message = numbered.map_or(&*error.message, |(_, rest)| rest.trim_start_matches([',', ':', ' ']));
    let help = error.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    Error::InvalidPolicy { line, reason: format!("{message}{help}") }
}

fn cedar_name(action: Action) -> &'static str {
    match action {
        Action::Read => "Read",
        Action::Record => "Record",
        Action::Ingest => "Ingest",
        Action::Train => "Train",
        Action::Plan => "Plan",
        Action::Programme => "Programme",
        Action::Audit => "Audit",
        Action::Administer => "Administer",
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}
