//! Tokens for programs: `mq_<id>_<secret><checksum>`.
//!
//! The id is 32 hex digits, the secret 43 letters of base64url, the checksum the first 8 hex digits of the SHA-256 of what
//! stands before it, so that a scanner can tell a leaked token from a look-alike
//! (`mq_[0-9a-f]{32}_[A-Za-z0-9_-]{43}[0-9a-f]{8}`) and a mistyped one is refused without a look at the store.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use super::account::{checked_text, fresh_id, hex_id};
use super::{Account, AccountId, Accounts, secret};
use crate::{Action, Error};

const PREFIX: &str = "mq_";
/// Letters of the secret and of the checksum.
const SECRET: usize = 43;
const CHECKSUM: usize = 8;
/// Use is noted at most so often.
const TOUCH: TimeDelta = TimeDelta::minutes(5);

hex_id! {
    /// Names a token; it opens nothing.
    ///
    /// ```
    /// use marquee_platform::TokenId;
    ///
    /// assert!("00112233445566778899aabbccddeeff".parse::<TokenId>().is_ok());
    /// ```
    TokenId, "token"
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Which one.
    pub id: TokenId,
    /// Whose.
    pub account: AccountId,
    /// What it is for, as its owner put it.
    pub label: String,
    /// What it may be used for at most; it never gives more than its account may do.
    pub scopes: BTreeSet<Action>,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// From when on it is void.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to five minutes.
    pub used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Accounts {
    /// Issues a token. Its text is given here and never again.
    ///
    /// # Errors
    /// [`Error::InvalidField`] for a label that is not accepted, no scopes, or an end that is over;
    /// [`Error::NotFound`]; what the store says; [`Error::NoRandomness`].
    pub async fn issue_token(
        &self,
        account: &AccountId,
        label: &str,
        scopes: BTreeSet<Action>,
        expires: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(Token, String), Error> {
        let refuse = |what, reason: &str| Error::InvalidField { what, reason: reason.to_owned() };
        let label = checked_text("label", label)?;
        if scopes.is_empty() {
            return Err(refuse("list of scopes", "name at least one action"));
        }
        if expires.is_some_and(|at| at <= now) {
            return Err(refuse("end of a token", "it is over: name a later time"));
        }
        self.stored_or_missing(account).await?;
        let token = Token {
            id: TokenId::fresh()?,
            account: account.clone(),
            label,
            scopes,
            created_at: now,
            expires_at: expires,
            used_at: None,
            revoked_at: None,
        };
        let text = sealed(format!("{PREFIX}{}_{}", token.id, secret::fresh_text()?));
        let (stored, hash) = (token.clone(), secret::hash(&text));
        self.write(move |mut rows| Box::pin(async move { rows.insert_token(&stored, &hash).await })).await?;
        Ok((token, text))
    }

    /// The token of this text with its account, if it is valid and the account is not shut out.
    ///
    /// # Errors
    /// What the store says.
    pub async fn token(&self, text: &str, now: DateTime<Utc>) -> Result<Option<(Token, Account)>, Error> {
        let Some(id) = id_in(text) else {
            return Ok(None);
        };
        let mut connection = self.reader().await?;
        let found = self.rows(&mut connection).token(&id).await?;
        drop(connection);
        let Some((mut token, account, hash)) = found else {
            return Ok(None);
        };
        let right = self.inner.secret.equal(&secret::hash(text), &hash);
        if !right || !token.is_valid(now) || account.disabled {
            return Ok(None);
        }
        if token.used_at.is_none_or(|used| now.signed_duration_since(used) >= TOUCH) {
            self.write(move |mut rows| Box::pin(async move { rows.touch_token(&id, now).await })).await?;
            token.used_at = Some(now);
        }
        Ok(Some((token, account)))
    }

    /// The tokens of an account, the newest first, also those that are void.
    ///
    /// # Errors
    /// What the store says.
    pub async fn tokens(&self, account: &AccountId) -> Result<Vec<Token>, Error> {
        let mut connection = self.reader().await?;
        self.rows(&mut connection).tokens(account).await
    }

    /// Makes a token void for good.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the account has no such token; what the store says.
    pub async fn revoke(&self, account: &AccountId, id: &TokenId, now: DateTime<Utc>) -> Result<(), Error> {
        let (account, wanted) = (account.clone(), id.clone());
        let revoked = self
            .write(move |mut rows| Box::pin(async move { rows.revoke_token(&account, &wanted, now).await }))
            .await?;
        if revoked { Ok(()) } else { Err(Error::NotFound { kind: "token".to_owned(), id: id.to_string() }) }
    }
}

impl Token {
    /// Whether it is neither revoked nor over.
    #[must_use]
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

/// The text with its checksum behind it.
fn sealed(mut text: String) -> String {
    text.push_str(&checksum(&text));
    text
}

fn checksum(text: &str) -> String {
    secret::hash(text).iter().take(CHECKSUM / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// The id in a text that has the form of a token and the right checksum.
fn id_in(text: &str) -> Option<TokenId> {
    let (body, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
    let (id, secret) = body.strip_prefix(PREFIX)?.split_once('_')?;
    (secret.len() == SECRET && checksum(body) == sum).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// A known answer, so that scanners that were told the form keep finding tokens.
    #[test]
    fn the_form_of_a_token_stays() {
        let text = sealed(format!("mq_{}_{}", "0123456789abcdef0123456789abcdef", "A".repeat(43)));
        let sum = "7f873c73";
        assert_eq!(text, format!("mq_0123456789abcdef0123456789abcdef_{}{sum}", "A".repeat(43)));
        assert_eq!(id_in(&text).unwrap().as_str(), "0123456789abcdef0123456789abcdef");
    }

    proptest! {
        #[test]
        fn one_wrong_letter_is_no_token(at in 0..87_usize, letter in "[0-9a-zA-Z_-]") {
            let text = sealed(format!("mq_{}_{}", TokenId::fresh().unwrap(), secret::fresh_text().unwrap()));
            let mut other = text.clone();
            other.replace_range(at..=at, &letter);
            prop_assert_eq!(id_in(&other).is_some(), other == text);
        }

        #[test]
        fn no_text_panics(text in ".{0,100}") {
            prop_assert!(id_in(&text).is_none());
        }
    }
}
