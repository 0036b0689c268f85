//! Who takes part in a deal: what is written is checked, and put in the order in which it is paid.
//!
//! A participant is paid after those that it names in `after`. Its level is one more than the highest of theirs;
//! participants of one level are paid side by side, in proportion to what they are owed.

use marquee_domain::{Currency, Money, PriceYear};

use super::Fault;
use super::line::Step;
use super::text::{Kind, Text, Written, WrittenAmount};

/// The most that a fixed amount may be, USD.
const MOST_AMOUNT: f64 = 1e12;

/// How much a participant puts in or is owed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Amount {
    /// Cents.
    Fixed(i64),
    OfBudget(f64),
    OfMarketing(f64),
    /// Of what nobody else finances, overruns included.
    OfRest(f64),
}

/// What a participant does and is owed; streams are numbered territories first, then windows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Role {
    Loan { amount: Amount, interest: f64, fee: f64, repaid_from: Vec<usize> },
    Equity { amount: Amount, premium: f64 },
    Guarantee { amount: Amount, fee: f64, covers: Vec<usize> },
    Commission { share: f64, covers: Vec<usize> },
    Expenses { amount: Amount },
    Deferral { amount: Amount },
    Profit,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Participant {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
    /// Share of what is left when everybody is paid what is owed.
    pub(crate) profit: f64,
    pub(crate) level: usize,
}

impl Participant {
    /// Whether it finances or shares; agents are outside, as cinemas are.
    pub(crate) fn is_inside(&self) -> bool {
        !matches!(self.role, Role::Commission { .. })
    }
}

/// Reads and orders the participants of a deal.
pub(super) fn read(text: &Text) -> Result<Vec<Participant>, Fault> {
    if text.participant.is_empty() {
        let said = "nobody finances anything: write at least one [[participant]]".to_owned();
        return Err(Fault::new(&[Step::Key("participant")], said));
    }
    let roles = text.participant.iter().enumerate().map(|(i, w)| role(text, i, w));
    let roles = roles.collect::<Result<Vec<_>, Fault>>()?;
    let levels = levels(text)?;
    let all = text.participant.iter().zip(roles).zip(levels).map(|((written, role), level)| Participant {
        name: written.name.clone(),
        kind: written.kind,
        role,
        profit: written
            .profit
            .or(if written.kind == Kind::Profit { written.share } else { None })
            .unwrap_or(0.0),
        level,
    });
    let all: Vec<Participant> = all.collect();
    check_together(text, &all)?;
    Ok(all)
}

/// A fault of participant `index` at `key`.
fn fault(index: usize, key: &'static str, said: String) -> Fault {
    Fault::new(&[Step::Key("participant"), Step::At(index), Step::Key(key)], said)
}

fn role(text: &Text, index: usize, w: &Written) -> Result<Role, Fault> {
    let name = &w.name;
    foreign_keys(index, w)?;
    let amount = || -> Result<Amount, Fault> {
        match &w.amount {
            Some(written) => amount(index, w, written),
            None if w.interest.is_some() => Err(fault(
                index,
                "interest",
                format!("`{name}` has interest without a principal: give its `amount`"),
            )),
            None => Err(fault(
                index,
                "kind",
                format!("`{name}` has no `amount`: say how much it puts in or is owed"),
            )),
        }
    };
    let fraction = |key: &'static str, value: Option<f64>, most: f64| match value.unwrap_or(0.0) {
        v if (0.0..=most).contains(&v) => Ok(v),
        v => Err(fault(index, key, format!("`{key}` of `{name}` is {v}, it must be in [0, {most}]"))),
    };
    Ok(match w.kind {
        Kind::Loan => Role::Loan {
            amount: amount()?,
            interest: fraction("interest", w.interest, 1.0)?,
            fee: fraction("fee", w.fee, 0.5)?,
            repaid_from: named(index, "repaid_from", w.repaid_from.as_deref(), &incentives(text), vec![])?,
        },
        Kind::Equity => Role::Equity { amount: amount()?, premium: fraction("premium", w.premium, 5.0)? },
        Kind::Guarantee => Role::Guarantee {
            amount: amount()?,
            fee: fraction("fee", w.fee, 0.9)?,
            covers: covered(text, index, w)?,
        },
        Kind::Commission => {
            let Some(share) = w.share else {
                return Err(fault(
                    index,
                    "kind",
                    format!("`{name}` takes a commission of what `share`? give one"),
                ));
            };
            Role::Commission { share: fraction("share", Some(share), 0.9)?, covers: covered(text, index, w)? }
        }
        Kind::Expenses => Role::Expenses { amount: amount()? },
        Kind::Deferral => Role::Deferral { amount: amount()? },
        Kind::Profit => {
            if w.share.or(w.profit).is_none() {
                return Err(fault(
                    index,
                    "kind",
                    format!("`{name}` has what `share` of what is left? give one"),
                ));
            }
            fraction("share", w.share, 1.0)?;
            Role::Profit
        }
    })
    .and_then(|role| fraction("profit", w.profit, 1.0).map(|_| role))
}

/// Refuses keys that a participant's kind does not have.
fn foreign_keys(index: usize, w: &Written) -> Result<(), Fault> {
    use Kind::{Commission, Deferral, Equity, Expenses, Guarantee, Loan, Profit};
    let keys: [(&'static str, bool, &[Kind]); 7] = [
        ("amount", w.amount.is_some(), &[Loan, Equity, Guarantee, Expenses, Deferral]),
        ("interest", w.interest.is_some(), &[Loan]),
        ("fee", w.fee.is_some(), &[Loan, Guarantee]),
        ("premium", w.premium.is_some(), &[Equity]),
        ("share", w.share.is_some(), &[Commission, Profit]),
        ("covers", w.covers.is_some(), &[Guarantee, Commission]),
        ("repaid_from", w.repaid_from.is_some(), &[Loan]),
    ];
    for (key, given, kinds) in keys {
        if given && !kinds.contains(&w.kind) {
            let kind = w.kind.as_str();
            return Err(fault(
                index,
                key,
                format!("`{}` is {kind}, which has no `{key}`: take it out", w.name),
            ));
        }
    }
    if w.kind == Commission && w.profit.is_some() {
        let said = format!(
            "`{}` takes a commission off the top; name a second participant of kind profit for its share of what is left",
            w.name
        );
        return Err(fault(index, "profit", said));
    }
    if w.kind == Profit && w.share.is_some() && w.profit.is_some() {
        return Err(fault(index, "profit", format!("`{}` has both `share` and `profit`: keep one", w.name)));
    }
    Ok(())
}

fn amount(index: usize, w: &Written, written: &WrittenAmount) -> Result<Amount, Fault> {
    let refuse = |said: String| Err(fault(index, "amount", format!("the amount of `{}` {said}", w.name)));
    match written {
        WrittenAmount::Money(text) => {
            let money: Money = match text.parse() {
                Ok(money) => money,
                Err(e) => return refuse(format!("is not understood: {e}")),
            };
            if money.currency() != Currency::USD || money.price_year() != PriceYear::Nominal {
                return refuse(format!("is {money}: write what it is in US dollars, in which a deal is reckoned"));
            }
            if money.minor() <= 0 {
                return refuse(format!("is {money}, it must be above zero"));
            }
            if money.major() > MOST_AMOUNT {
                return refuse(format!("is {money}, more than there is: at most a million millions"));
            }
            Ok(Amount::Fixed(money.minor()))
        }
        WrittenAmount::Number(usd) if *usd > 0.0 && *usd <= MOST_AMOUNT => {
            Ok(Amount::Fixed((usd * 100.0).round() as i64))
        }
        WrittenAmount::Number(usd) => refuse(format!("is {usd}, it must be above zero and at most a million millions")),
        WrittenAmount::Of(of) => match (of.budget, of.marketing, of.rest) {
            (Some(v), None, None) if v > 0.0 && v <= 2.0 => Ok(Amount::OfBudget(v)),
            (None, Some(v), None) if v > 0.0 && v <= 2.0 => Ok(Amount::OfMarketing(v)),
            (None, None, Some(v)) if v > 0.0 && v <= 1.0 => {
                if matches!(w.kind, Kind::Loan | Kind::Equity) {
                    return Ok(Amount::OfRest(v));
                }
                refuse("is a part of the rest, which only loans and equity finance".to_owned())
            }
            _ => refuse(
                "must be money such as \"6M\", or one of { budget = … }, { marketing = … }, { rest = … } with a fraction"
                    .to_owned(),
            ),
        },
    }
}

fn incentives(text: &Text) -> Vec<&str> {
    text.incentive.iter().map(|i| i.name.as_str()).collect()
}

/// Territories, then windows.
pub(super) fn streams(text: &Text) -> Vec<&str> {
    let territories = text.territory.iter().map(|t| t.name.as_str());
    territories.chain(text.window.iter().map(|w| w.name.as_str())).collect()
}

fn covered(text: &Text, index: usize, w: &Written) -> Result<Vec<usize>, Fault> {
    let streams = streams(text);
    let all = (0..streams.len()).collect();
    named(index, "covers", w.covers.as_deref(), &streams, all)
}

/// The numbers of what is named, or `otherwise` where nothing is.
fn named(
    index: usize,
    key: &'static str,
    names: Option<&[String]>,
    known: &[&str],
    otherwise: Vec<usize>,
) -> Result<Vec<usize>, Fault> {
    let Some(names) = names else { return Ok(otherwise) };
    let find = |name: &String| {
        known.iter().position(|k| k == name).ok_or_else(|| {
            fault(index, key, format!("`{key}` names `{name}`, which is none of: {}", known.join(", ")))
        })
    };
    names.iter().map(find).collect()
}

/// The level of each participant: one more than the highest of those that come before it.
fn levels(text: &Text) -> Result<Vec<usize>, Fault> {
    let names: Vec<&str> = text.participant.iter().map(|w| w.name.as_str()).collect();
    let mut before = Vec::with_capacity(names.len());
    for (i, w) in text.participant.iter().enumerate() {
        before.push(named(i, "after", Some(&w.after), &names, vec![])?);
    }
    let mut level = vec![0; names.len()];
    // A chain without a cycle has at most as many links as there are participants.
    for _ in 0..=names.len() {
        let next: Vec<usize> =
            before.iter().map(|b| b.iter().map(|j| level[*j] + 1).max().unwrap_or(0)).collect();
        if next == level {
            return Ok(level);
        }
        level = next;
    }
    let cycle = cycle(&before);
    let said: Vec<&str> = cycle.iter().map(|i| names[*i]).collect();
    let first = cycle.first().copied().unwrap_or(0);
    Err(fault(
        first,
        "after",
        format!(
            "recoupment goes in a circle: {}: each waits for the next; take one `after` out",
            said.join(" after ")
        ),
    ))
}

/// A circle among participants, its first one repeated at the end: following any `after` long enough ends in one.
fn cycle(before: &[Vec<usize>]) -> Vec<usize> {
    // Those without anybody before them, and whoever waits for these alone, are not part of a circle.
    let mut open: Vec<usize> = (0..before.len()).collect();
    loop {
        let waits = |i: &usize| before[*i].iter().any(|j| open.contains(j));
        let left: Vec<usize> = open.iter().copied().filter(waits).collect();
        if left.len() == open.len() {
            break;
        }
        open = left;
    }
    let Some(start) = open.first() else { return vec![] };
    let mut path = vec![*start];
    while let Some(next) = path.last().and_then(|i| before[*i].iter().find(|j| open.contains(j))) {
        if let Some(at) = path.iter().position(|i| i == next) {
            let mut circle = path.split_off(at);
            circle.push(*next);
            return circle;
        }
        path.push(*next);
    }
    path
}

/// What must hold of all together: shares of profit, of the rest, off the top, and one guarantee for a stream.
fn check_together(text: &Text, all: &[Participant]) -> Result<(), Fault> {
    let last = all.len().saturating_sub(1);
    let profit: f64 = all.iter().map(|p| p.profit).sum();
    if (profit - 1.0).abs() > 1e-9 {
        let at = all.iter().rposition(|p| p.profit > 0.0).unwrap_or(last);
        let key = if text.participant[at].profit.is_some() { "profit" } else { "share" };
        let why = if profit > 1.0 { "more than there is" } else { "nobody gets what is left" };
        let said =
            format!("shares of profit add up to {:.2}%: {why}; they must add up to 100%", profit * 100.0);
        return Err(fault(at, key, said));
    }
    let rest = |p: &Participant| match p.role {
        Role::Loan { amount: Amount::OfRest(v), .. } | Role::Equity { amount: Amount::OfRest(v), .. } => {
            Some(v)
        }
        _ => None,
    };
    let shares: f64 = all.iter().filter_map(rest).sum();
    if (shares - 1.0).abs() > 1e-9 {
        let at = all.iter().rposition(|p| rest(p).is_some()).unwrap_or(last);
        let said = format!(
            "those who finance {{ rest = … }} take {:.2}% of it: they must add up to 100%, so that a budget and its overruns are paid",
            shares * 100.0
        );
        return Err(fault(at, "amount", said));
    }
    check_streams(text, all)
}

fn check_streams(text: &Text, all: &[Participant]) -> Result<(), Fault> {
    for (s, name) in streams(text).iter().enumerate() {
        let mut taken = text.distribution.fee.value;
        let mut guarantor: Option<&str> = None;
        for (i, p) in all.iter().enumerate() {
            match &p.role {
                Role::Commission { share, covers } if covers.contains(&s) => taken += share,
                Role::Guarantee { fee, covers, .. } if covers.contains(&s) => {
                    if let Some(other) = guarantor.replace(&p.name) {
                        let said = format!("`{other}` and `{}` both guarantee `{name}`: one may", p.name);
                        return Err(fault(i, "covers", said));
                    }
                    taken += fee;
                }
                _ => {}
            }
            if taken > 1.0 {
                let said = format!(
                    "with `{}`, fees and commissions on `{name}` add up to {:.1}%, more than 100%",
                    p.name,
                    taken * 100.0
                );
                return Err(fault(i, "share", said));
            }
        }
    }
    Ok(())
}
