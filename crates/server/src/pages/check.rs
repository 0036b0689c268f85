//! A checker over rendered pages, for tests: what a browser, a keyboard and a screen reader need is there.

use std::collections::{BTreeMap, BTreeSet};

use marquee_app::Permit;
use marquee_app::platform::{Account, Role};

use crate::guard::Caller;

/// Somebody who may do everything.
pub(super) fn somebody(display: &str) -> Caller {
    let account = Account {
        id: "00112233445566778899aabbccddeeff".parse().expect("an id"),
        name: "ana".into(),
        display: display.into(),
        role: Role::Analyst,
        team: "east".into(),
        clearances: BTreeSet::new(),
        disabled: false,
        created_at: chrono::DateTime::UNIX_EPOCH,
        external: None,
    };
    Caller { account, permit: Permit::local_owner() }
}

/// An element's opening tag.
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    /// The text up to the next tag.
    text: String,
}

/// Checks a whole page.
pub(super) fn sound(html: &str) {
    fragment(html);
    let tags = tags(html);
    assert!(html.starts_with("<!DOCTYPE html>"), "a page says what it is");
    let levels: Vec<u32> = tags.iter().filter_map(|tag| level(&tag.name)).collect();
    assert_eq!(levels.first(), Some(&1), "a page begins with its h1: {levels:?}");
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "one h1: {levels:?}");
    assert!(
        tags.iter().any(|tag| tag.attributes.get("id").is_some_and(|id| id == "main")),
        "a main to skip to"
    );
}

/// Checks a part of a page.
pub(super) fn fragment(html: &str) {
    let tags = tags(html);
    balanced(html);
    let levels: Vec<u32> = tags.iter().filter_map(|tag| level(&tag.name)).collect();
    for pair in levels.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "no level of headings is left out: {levels:?}");
    }
    let mut ids = BTreeSet::new();
    for id in tags.iter().filter_map(|tag| tag.attributes.get("id")) {
        assert!(ids.insert(id.as_str()), "two elements are called {id}");
    }
    let labelled: BTreeSet<&str> = tags
        .iter()
        .filter(|tag| tag.name == "label")
        .filter_map(|tag| tag.attributes.get("for").map(String::as_str))
        .collect();
    for tag in &tags {
        let has = |name: &str| tag.attributes.contains_key(name);
        for name in tag.attributes.keys() {
            assert!(!name.starts_with("on"), "the policy allows no handler in a page: <{} {name}>", tag.name);
        }
        for name in ["aria-labelledby", "aria-describedby"] {
            for id in tag.attributes.get(name).into_iter().flat_map(|ids| ids.split(' ')) {
                assert!(ids.contains(id), "{name} names {id}, which is not there");
            }
        }
        match tag.name.as_str() {
            "input" | "select" | "textarea"
                if tag.attributes.get("type").is_none_or(|kind| kind != "hidden") =>
            {
                let named = tag.attributes.get("id").is_some_and(|id| labelled.contains(id.as_str()));
                assert!(named || has("aria-label"), "no label: {:?}", tag.attributes);
            }
            "button" | "a" => {
                let told = has("aria-label") || !tag.text.trim().is_empty() || html.contains("<svg");
                assert!(told, "nothing is written on it: {:?}", tag.attributes);
            }
            "script" => {
                let data = tag.attributes.get("type").is_some_and(|kind| kind == "application/json");
                assert!(data || has("src"), "the policy allows no script in a page: {}", tag.text);
            }
            "svg" => assert!(has("aria-hidden") || has("aria-label"), "a drawing says what it shows"),
            "th" if !tag.text.is_empty() => {
                assert!(has("scope"), "a heading of a table says of what: {}", tag.text);
            }
            _ => {}
        }
    }
}

fn level(name: &str) -> Option<u32> {
    name.strip_prefix('h').and_then(|digit| digit.parse().ok()).filter(|level| (1..=6).contains(level))
}

fn balanced(html: &str) {
    const VOID: [&str; 5] = ["meta", "link", "input", "br", "hr"];
    let mut open: Vec<String> = Vec::new();
    for piece in html.split('<').skip(1) {
        let inside = piece.split('>').next().unwrap_or("");
        if inside.starts_with('!') {
            continue;
        }
        match inside.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name.trim()), "tags nest: …<{piece}"),
            None => {
                let name: String = inside.chars().take_while(|c| !c.is_whitespace() && *c != '/').collect();
                if !VOID.contains(&name.as_str()) && !inside.ends_with('/') {
                    open.push(name);
                }
            }
        }
    }
    assert!(open.is_empty(), "still open: {open:?}");
}

/// The opening tags. What is rendered by `maud` has every value in double quotes and no `<` or `>` in any.
fn tags(html: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    for piece in html.split('<').skip(1).filter(|piece| !piece.starts_with(['/', '!'])) {
        let (inside, text) = piece.split_once('>').unwrap_or((piece, ""));
        let name: String = inside.chars().take_while(|c| !c.is_whitespace()).collect();
        let mut attributes = BTreeMap::new();
        let mut rest = inside[name.len()..].trim();
        while !rest.is_empty() {
            let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            let key = rest[..end].to_owned();
            rest = &rest[end..];
            let value = match rest.strip_prefix("=\"") {
                Some(quoted) => {
                    let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                    rest = after;
                    value.to_owned()
                }
                None => String::new(),
            };
            attributes.insert(key, value);
            rest = rest.trim_start().trim_start_matches('/');
        }
        found.push(Tag { name, attributes, text: text.to_owned() });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsound_is_found() {
        for (html, word) in [
            ("<p id=\"a\"></p><p id=\"a\"></p>", "two elements"),
            ("<input name=\"a\">", "no label"),
            ("<h2>A</h2><h4>B</h4>", "no level"),
            ("<p onclick=\"x\"></p>", "no handler"),
            ("<script>x</script>", "no script"),
            ("<p><b></p></b>", "tags nest"),
            ("<p>", "still open"),
            ("<svg></svg>", "a drawing"),
        ] {
            let found = std::panic::catch_unwind(|| fragment(html)).expect_err(html);
            let said = found
                .downcast_ref::<String>()
                .cloned()
                .or(found.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            assert!(said.is_some_and(|said| said.contains(word)), "{html}");
        }
    }
}
