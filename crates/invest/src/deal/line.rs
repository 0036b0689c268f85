//! Where in the text of a deal something stands, so that a refusal can name the line.

use toml::de::{DeTable, DeValue};

/// A step of a path into a deal: a key, or a number in a list of tables.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    At(usize),
}

/// The line (from 1) of the last step of `path` that is there; none where the text is not TOML or the first is missing.
pub(crate) fn line_of(text: &str, path: &[Step<'_>]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut start = None;
    let mut table = Some(root.get_ref());
    let mut list = None;
    for step in path {
        let value = match step {
            Step::Key(key) => {
                let Some((name, value)) =
                    table.and_then(|t| t.iter().find(|(k, _)| k.get_ref().as_ref() == *key))
                else {
                    break;
                };
                start = Some(name.span().start);
                value.get_ref()
            }
            Step::At(index) => {
                let Some(value) = list.and_then(|l: &toml::de::DeArray<'_>| l.get(*index)) else { break };
                start = Some(value.span().start);
                value.get_ref()
            }
        };
        table = DeValue::as_table(value);
        list = DeValue::as_array(value);
    }
    start.map(|at| text[..at.min(text.len())].matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_key_of_a_table_of_a_list() {
        let text = "a = 1\n[[p]]\nname = \"x\"\n\n[[p]]\nname = \"y\"\nrate = 3\n[t]\nk = { value = 2 }\n";
        let at = |path: &[Step<'_>]| line_of(text, path);
        assert_eq!(at(&[Step::Key("a")]), Some(1));
        assert_eq!(at(&[Step::Key("p"), Step::At(1), Step::Key("rate")]), Some(7));
        assert_eq!(at(&[Step::Key("p"), Step::At(1), Step::Key("missing")]), Some(5));
        assert_eq!(at(&[Step::Key("t"), Step::Key("k"), Step::Key("value")]), Some(9));
        assert_eq!(at(&[Step::Key("none")]), None);
        assert_eq!(line_of("not = [toml", &[Step::Key("not")]), None);
    }
}
