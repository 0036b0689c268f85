//! What an account is, and which names, teams and clearances it may have.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::Error;
use crate::ledger::fill_random;

/// The most characters of a log-in name.
const NAME: usize = 64;
/// The most characters of what is shown: a display name, a team, an agreement, a token's label.
const SHOWN: usize = 100;
/// The most agreements that one account may have signed.
const CLEARANCES: usize = 1000;
/// The most characters of an issuer and a subject.
const EXTERNAL: usize = 1000;

/// Makes a type for one kind of identifier.
macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A new one, from 16 random bytes.
            pub(crate) fn fresh() -> Result<Self, Error> {
                fresh_id().map(Self)
            }

            /// Its 32 digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let fits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if fits { Ok(Self(text.to_owned())) } else { Err(Error::InvalidId { what: $what, text: text.to_owned() }) }
            }
        }
    };
}
pub(crate) use hex_id;

hex_id! {
    /// Names an account, also after its log-in name changed: 32 lower-case hex digits.
    ///
    /// ```
    /// use marquee_platform::AccountId;
    ///
    /// assert!("00112233445566778899aabbccddeeff".parse::<AccountId>().is_ok());
    /// assert!("ana".parse::<AccountId>().is_err());
    /// ```
    AccountId, "account"
}

/// What somebody does here; the policies say what that lets them do.
///
/// ```
/// use marquee_platform::Role;
///
/// assert_eq!("analyst".parse::<Role>()?, Role::Analyst);
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Forecasts and keeps the models.
    Analyst,
    /// Decides what is funded.
    Investor,
    /// Makes titles.
    Producer,
    /// Arranges titles for an audience.
    Programmer,
    /// Keeps Marquee itself.
    Administrator,
}

/// A user of Marquee.
///
/// ```
/// use std::collections::BTreeSet;
/// use marquee_platform::{Account, Role};
///
/// let ana = Account {
///     id: "00112233445566778899aabbccddeeff".parse()?,
///     name: "ana".into(),
///     display: "Ana".into(),
///     role: Role::Analyst,
///     team: "east".into(),
///     clearances: BTreeSet::new(),
///     disabled: false,
///     created_at: chrono::Utc::now(),
///     external: None,
/// };
/// assert_eq!(ana.role.as_str(), "analyst");
/// # Ok::<(), marquee_platform::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Which one.
    pub id: AccountId,
    /// The log-in name; no other account has it in any case.
    pub name: String,
    /// The name that is shown.
    pub display: String,
    /// What they do here.
    pub role: Role,
    /// Whom they work with; empty for nobody.
    pub team: String,
    /// Names of the non-disclosure agreements that they signed.
    pub clearances: BTreeSet<String>,
    /// Whether they are shut out.
    pub disabled: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who they are elsewhere: `issuer|subject`.
    pub external: Option<String>,
}

/// An account to be made.
///
/// ```
/// use marquee_platform::{NewAccount, Role};
///
/// let new = NewAccount { password: Some("four words in a row".into()), ..NewAccount::named("ana", Role::Analyst) };
/// assert!(!format!("{new:?}").contains("four words"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The log-in name: 1 to 64 letters, digits, `.`, `-`, `_`, `@`, `+` or single spaces.
    pub name: String,
    /// The name that is shown; the log-in name if empty.
    pub display: String,
    /// What they do here.
    pub role: Role,
    /// Whom they work with; empty for nobody.
    pub team: String,
    /// Names of the non-disclosure agreements that they signed.
    pub clearances: BTreeSet<String>,
    /// The password; none for who logs in elsewhere.
    pub password: Option<String>,
    /// Who they are elsewhere: `issuer|subject`.
    pub external: Option<String>,
}

/// What is to be changed about an account; what is `None` stays.
///
/// ```
/// use marquee_platform::Change;
///
/// let shut_out = Change { disabled: Some(true), ..Change::default() };
/// assert_eq!(shut_out.role, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The name that is shown.
    pub display: Option<String>,
    /// What they do here.
    pub role: Option<Role>,
    /// Whom they work with; empty for nobody.
    pub team: Option<String>,
    /// All agreements that they signed.
    pub clearances: Option<BTreeSet<String>>,
    /// Whether they are shut out.
    pub disabled: Option<bool>,
}

impl NewAccount {
    /// An account with this name and role and nothing else.
    #[must_use]
    pub fn named(name: impl Into<String>, role: Role) -> Self {
        Self {
            name: name.into(),
            display: String::new(),
            role,
            team: String::new(),
            clearances: BTreeSet::new(),
            password: None,
            external: None,
        }
    }

    /// The account that this makes, if everything about it is accepted.
    pub(crate) fn into_account(self, now: DateTime<Utc>) -> Result<Account, Error> {
        let name = checked_name(&self.name)?;
        let display = if self.display.trim().is_empty() { name.clone() } else { self.display };
        if self.external.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > EXTERNAL) {
            return Err(refuse("log-in elsewhere", format!("use 1 to {EXTERNAL} characters")));
        }
        Ok(Account {
            id: AccountId::fresh()?,
            display: checked_text("display name", &display)?,
            name,
            role: self.role,
            team: checked_text("team", &self.team)?,
            clearances: checked_clearances(&self.clearances)?,
            disabled: false,
            created_at: now,
            external: self.external,
        })
    }
}

impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "…");
        f.debug_struct("NewAccount")
            .field("name", &self.name)
            .field("display", &self.display)
            .field("role", &self.role)
            .field("team", &self.team)
            .field("clearances", &self.clearances)
            .field("password", &password)
            .field("external", &self.external)
            .finish()
    }
}

impl Change {
    /// The account after the change, if everything about it is accepted.
    pub(crate) fn applied_to(self, account: Account) -> Result<Account, Error> {
        let text = |what, text: Option<String>, old| text.map_or(Ok(old), |text| checked_text(what, &text));
        let display = text("display name", self.display, account.display)?;
        Ok(Account {
            display: if display.is_empty() { account.name.clone() } else { display },
            role: self.role.unwrap_or(account.role),
            team: text("team", self.team, account.team)?,
            clearances: self.clearances.map_or(Ok(account.clearances), |names| checked_clearances(&names))?,
            disabled: self.disabled.unwrap_or(account.disabled),
            id: account.id,
            name: account.name,
            created_at: account.created_at,
            external: account.external,
        })
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Analyst, Self::Investor, Self::Producer, Self::Programmer, Self::Administrator];

    /// Its name in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Investor => "investor",
            Self::Producer => "producer",
            Self::Programmer => "programmer",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| Error::UnknownWord { what: "role", text: text.to_owned(), known: known() })
    }
}

/// 16 random bytes as 32 hex digits.
pub(crate) fn fresh_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The name under which a log-in name is found, whatever its case. Upper case first brings letters together that have one
/// capital (σ and ς, s and ſ); each letter by itself, because the lower case of Σ depends on where it stands.
pub(crate) fn name_key(name: &str) -> String {
    let upper = name.trim().chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}

/// A line of text that is shown, without what could garble a page or hide something.
pub(crate) fn checked_text(what: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.chars().count() > SHOWN {
        return Err(refuse(what, format!("use at most {SHOWN} characters")));
    }
    if let Some(found) = text.chars().find(|c| c.is_control() || is_hidden(*c)) {
        return Err(refuse(what, format!("U+{:04X} cannot be seen: leave it out", found as u32)));
    }
    Ok(text.to_owned())
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if !(1..=NAME).contains(&name.chars().count()) {
        return Err(refuse("name", format!("use 1 to {NAME} characters")));
    }
    if let Some(found) = name.chars().find(|c| !is_settled(*c)) {
        let reason = format!("`{}` (U+{:04X}) cannot stand in a name", found.escape_debug(), found as u32);
        return Err(refuse("name", format!("{reason}: use composed letters, digits and . - _ @ +")));
    }
    if name.contains("  ") {
        return Err(refuse("name", "two spaces look like one: use one".to_owned()));
    }
    Ok(name.to_owned())
}

fn checked_clearances(clearances: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
    if clearances.len() > CLEARANCES {
        return Err(refuse("list of agreements", format!("use at most {CLEARANCES}")));
    }
    let checked = clearances.iter().map(|name| match checked_text("agreement", name)? {
        name if name.is_empty() => Err(refuse("agreement", "give it a name".to_owned())),
        name => Ok(name),
    });
    checked.collect()
}

/// Letters and digits that Unicode's normalisation form C leaves as they are, alone and beside each other, so that a name
/// has one spelling and is its own form C: no combining marks, no letters that stand for a sequence, no conjoining jamo.
fn is_settled(c: char) -> bool {
    let block = matches!(c,
        '\u{00C0}'..='\u{02AF}'   // Latin
        | '\u{0370}'..='\u{0373}' | '\u{0376}'..='\u{0377}' | '\u{037B}'..='\u{037D}' | '\u{037F}'
        | '\u{0386}' | '\u{0388}'..='\u{03FF}' // Greek
        | '\u{0400}'..='\u{0482}' | '\u{048A}'..='\u{052F}' // Cyrillic
        | '\u{0531}'..='\u{0586}' // Armenian
        | '\u{05D0}'..='\u{05EA}' // Hebrew
        | '\u{0621}'..='\u{064A}' // Arabic
        | '\u{10A0}'..='\u{10FF}' // Georgian
        | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FE}' // Kana
        | '\u{4E00}'..='\u{9FFF}' // Chinese characters
        | '\u{AC00}'..='\u{D7A3}' // Hangul syllables
    );
    c.is_ascii_alphanumeric()
        || matches!(c, '.' | '-' | '_' | '@' | '+' | ' ')
        || block && c.is_alphanumeric()
}

/// What turns the direction of writing, joins, or takes no room.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

fn refuse(what: &'static str, reason: String) -> Error {
    Error::InvalidField { what, reason }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn check_name(name: &str, wanted: Option<&str>) {
        assert_eq!(checked_name(name).ok().as_deref(), wanted, "{name:?}");
    }

    #[test]
    fn names_have_one_spelling() {
        check_name(" ana ", Some("ana"));
        check_name("Ana.Lópes@example.org", Some("Ana.Lópes@example.org"));
        check_name("佐藤 花", Some("佐藤 花"));
        check_name("Lo\u{301}pes", None); // o and an accent, which is another spelling of ó
        check_name("ana  l", None);
        check_name("a\u{202e}b", None);
        check_name("a\nb", None);
        check_name("", None);
        check_name(&"a".repeat(65), None);
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        for (one, other) in [("Ana", "aNA"), ("ΟΔΟΣ", "οδος"), ("Straße", "STRASSE"), ("ÉLAN", "élan")]
        {
            assert_eq!(name_key(one), name_key(other));
        }
    }

    #[test]
    fn what_is_shown_hides_nothing() {
        assert_eq!(checked_text("team", " East ").unwrap(), "East");
        assert!(checked_text("team", "e\u{200b}ast").is_err());
        assert!(checked_text("team", "e\u{7}ast").is_err());
        let unnamed = BTreeSet::from([" ".to_owned()]);
        assert!(checked_clearances(&unnamed).is_err());
    }

    proptest! {
        #[test]
        fn no_name_panics_and_accepted_names_are_stable(name in any::<String>()) {
            if let Ok(checked) = checked_name(&name) {
                prop_assert_eq!(checked_name(&checked).unwrap(), checked.clone());
                prop_assert_eq!(name_key(&name), name_key(&checked));
            }
        }

        #[test]
        fn ids_round_trip(text in "[0-9a-f]{32}") {
            prop_assert_eq!(text.parse::<AccountId>().unwrap().to_string(), text);
        }
    }
}
