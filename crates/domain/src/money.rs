//! Money: whole minor units of one currency, in the prices of one year.
//!
//! Adding dollars to euros, or dollars of 1980 to dollars of 2010, is refused: the caller converts or deflates first and
//! says so by the price year of the result.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::DomainError;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// United States dollars.
    pub const USD: Self = Self(*b"USD");

    /// Minor units (cents) in one major unit.
    #[must_use]
    pub fn minor_per_major(self) -> i64 {
        match &self.0 {
            b"JPY" | b"KRW" | b"ISK" | b"VND" | b"CLP" | b"HUF" => 1,
            b"KWD" | b"BHD" | b"OMR" | b"JOD" | b"TND" => 1000,
            _ => 100,
        }
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|x| x.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(DomainError::Currency(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

/// The year whose prices an amount is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceYear {
    /// The prices of the day that the amount was paid: not deflated.
    Nominal,
    /// Deflated to the prices of this year.
    Real(i32),
}

impl fmt::Display for PriceYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nominal => f.write_str("nominal"),
            Self::Real(year) => write!(f, "{year}"),
        }
    }
}

/// An amount of money: whole minor units of a currency, in the prices of a year.
///
/// ```
/// use marquee_domain::{Currency, Money};
/// let budget = Money::from_major(200e6, Currency::USD)?;
/// let marketing = Money::from_major(80e6, Currency::USD)?;
/// assert_eq!(budget.checked_add(marketing)?.to_string(), "$280.0M");
/// let euros = Money::from_major(1.0, "EUR".parse()?)?;
/// assert!(budget.checked_add(euros).is_err());
/// # Ok::<(), marquee_domain::DomainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
    price_year: PriceYear,
}

impl Money {
    /// A nominal amount in whole minor units (cents).
    #[must_use]
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency, price_year: PriceYear::Nominal }
    }

    /// A nominal amount in major units (dollars), rounded to the nearest minor unit.
    ///
    /// # Errors
    /// [`DomainError::Amount`] for NaN, infinities and what 64-bit minor units cannot hold.
    pub fn from_major(amount: f64, currency: Currency) -> Result<Self, DomainError> {
        let minor = (amount * currency.minor_per_major() as f64).round();
        // 2^63 as a float: the first amount that does not fit.
        if minor.is_nan() || minor.abs() >= 9_223_372_036_854_775_808.0 {
            return Err(DomainError::Amount(amount));
        }
        Ok(Self::from_minor(minor as i64, currency))
    }

    /// The same number of units, said to be in the prices of another year (after the caller has deflated it).
    #[must_use]
    pub fn in_prices_of(self, price_year: PriceYear) -> Self {
        Self { price_year, ..self }
    }

    /// Whole minor units (cents).
    #[must_use]
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// Major units (dollars).
    #[must_use]
    pub fn major(self) -> f64 {
        self.minor as f64 / self.currency.minor_per_major() as f64
    }

    /// The currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The year whose prices the amount is in.
    #[must_use]
    pub fn price_year(self) -> PriceYear {
        self.price_year
    }

    /// The sum of two amounts of the same currency and price year.
    ///
    /// # Errors
    /// [`DomainError::Currencies`], [`DomainError::PriceYears`], or [`DomainError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, DomainError> {
        self.must_match(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(DomainError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// This amount less another of the same currency and price year.
    ///
    /// # Errors
    /// As [`Money::checked_add`].
    pub fn checked_sub(self, other: Self) -> Result<Self, DomainError> {
        self.must_match(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(DomainError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// This amount times a factor, rounded to the nearest minor unit.
    ///
    /// # Errors
    /// [`DomainError::Amount`] where the product cannot be kept.
    pub fn checked_mul(self, factor: f64) -> Result<Self, DomainError> {
        let product = Self::from_major(self.major() * factor, self.currency)?;
        Ok(product.in_prices_of(self.price_year))
    }

    fn must_match(self, other: Self) -> Result<(), DomainError> {
        if self.currency != other.currency {
            return Err(DomainError::Currencies(self.currency, other.currency));
        }
        if self.price_year != other.price_year {
            return Err(DomainError::PriceYears(self.price_year, other.price_year));
        }
        Ok(())
    }
}

/// Reads amounts as people write them: `200M`, `$1.5B`, `850k`, `12,500,000`, `EUR 3.2M`. Without a currency: US dollars.
impl FromStr for Money {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || DomainError::Word {
            what: "amount of money",
            word: text.to_owned(),
            known: "200M, $1.5B, 850k, 12500000, EUR 3.2M".to_owned(),
        };
        let trimmed = text.trim();
        let (currency, number) = match trimmed.get(..3).map(str::parse::<Currency>) {
            Some(Ok(currency)) => (currency, &trimmed[3..]),
            _ => (Currency::USD, trimmed),
        };
        let number = number.trim().trim_start_matches('$').replace([',', '_'], "");
        let (digits, scale) = match number.chars().last() {
            Some('k' | 'K') => (&number[..number.len() - 1], 1e3),
            Some('m' | 'M') => (&number[..number.len() - 1], 1e6),
            Some('b' | 'B') => (&number[..number.len() - 1], 1e9),
            _ => (number.as_str(), 1.0),
        };
        let amount: f64 = digits.trim().parse().map_err(|_| refused())?;
        Self::from_major(amount * scale, currency)
    }
}

/// Short and readable: `$12.3M`, `-$850k`, `EUR 1.2B`; a price year in brackets where the amount is deflated.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.major();
        let (scaled, unit) = match amount.abs() {
            a if a >= 999.95e6 => (a / 1e9, "B"),
            a if a >= 999.5e3 => (a / 1e6, "M"),
            a if a >= 1e3 => (a / 1e3, "k"),
            a => (a, ""),
        };
        let digits = match unit {
            "B" => 2,
            "M" => 1,
            _ => 0,
        };
        let sign = if amount < 0.0 { "-" } else { "" };
        match self.currency {
            Currency::USD => write!(f, "{sign}${scaled:.digits$}{unit}")?,
            currency => write!(f, "{currency} {sign}{scaled:.digits$}{unit}")?,
        }
        match self.price_year {
            PriceYear::Nominal => Ok(()),
            PriceYear::Real(year) => write!(f, " ({year} prices)"),
        }
    }
}

macro_rules! kind_of_money {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Money);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

kind_of_money! {
    /// What audiences paid: box office, before anybody's share.
    Gross,
    /// What reaches the studio or fund from a gross.
    StudioShare,
    /// What a title costs to make (negative cost).
    Budget,
    /// What is spent to release a title: prints and advertising.
    Spend,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(amount: f64) -> Money {
        Money::from_major(amount, Currency::USD).expect("an amount")
    }

    #[test]
    fn price_years_do_not_mix() {
        let real = usd(1.0).in_prices_of(PriceYear::Real(2010));
        assert_eq!(
            usd(1.0).checked_add(real),
            Err(DomainError::PriceYears(PriceYear::Nominal, PriceYear::Real(2010)))
        );
    }

    #[test]
    fn reads_what_people_write() {
        for (text, dollars) in
            [("200M", 200e6), ("$1.5B", 1.5e9), ("850k", 850e3), ("12,500,000", 12.5e6), ("USD 3", 3.0)]
        {
            assert_eq!(text.parse::<Money>(), Ok(usd(dollars)), "{text}");
        }
        for text in ["", "M", "ten", "1e400", "NaN", "€5", "💰"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn shows_amounts_shortly() {
        let shown = [12_345_678.0, -850_000.0, 1.2e9, 999_960_000.0, 12.0].map(|a| usd(a).to_string());
        assert_eq!(shown, ["$12.3M", "-$850k", "$1.20B", "$1.00B", "$12"]);
    }

    proptest! {
        #[test]
        fn addition_is_exact_and_undone_by_subtraction(a in -1_000_000_000_000i64..1_000_000_000_000, b in -1_000_000_000_000i64..1_000_000_000_000) {
            let (a, b) = (Money::from_minor(a, Currency::USD), Money::from_minor(b, Currency::USD));
            let sum = a.checked_add(b).expect("same currency");
            prop_assert_eq!(sum.checked_sub(b), Ok(a));
        }

        #[test]
        fn any_text_is_money_or_an_error(text in ".{0,30}") {
            let _ = text.parse::<Money>();
        }
    }
}
