//! Nothing unfinished: no macro that stands for missing code or for a look at a value while debugging.

use anyhow::Result;

use super::{Finding, Report, tokens};
use crate::tree::{SourceFile, Tree};

const UNFINISHED: [(&str, &str); 3] = [
    ("todo", "write the code, or return an error that says what is not supported"),
    ("unimplemented", "write the code, or return an error that says what is not supported"),
    ("dbg", "remove it, or report the value through `tracing`"),
];

pub(super) fn check(tree: &Tree) -> Result<Report> {
    let files = tree.rust_files("")?;
    let findings = files.iter().flat_map(judge).collect();
    Ok(Report { looked_at: format!("{} Rust files", files.len()), findings })
}

fn judge(file: &SourceFile) -> Vec<Finding> {
    let tokens = match tokens::read(&file.text) {
        Ok(tokens) => tokens,
        Err(error) => return vec![Finding::new(&file.path, error.to_string(), "mend its syntax")],
    };
    let mut findings = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        for (name, remedy) in UNFINISHED {
            let opens = ["(", "[", "{"].iter().any(|open| tokens::reads(&tokens, at, &[name, "!", open]));
            if opens {
                let place = format!("{}:{}", file.path, token.line);
                findings.push(Finding::new(place, format!("`{name}!` is used"), remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, lines: &[usize]) {
        let found = judge(&SourceFile { path: "a.rs".into(), text: text.into() });
        let places: Vec<String> = found.into_iter().map(|finding| finding.place).collect();
        let expected: Vec<String> = lines.iter().map(|line| format!("a.rs:{line}")).collect();
        assert_eq!(places, expected, "{text}");
    }

    #[test]
    fn unfinished_code_is_found_in_any_brackets() {
        check("fn f() {\n    todo!()\n}", &[2]);
        check("fn f() { unimplemented!(\"later\") }\n\nfn g() { dbg![1]; }", &[1, 3]);
        check("fn f() { std::dbg!(1); }", &[1]);
    }

    #[test]
    fn words_alone_are_fine() {
        check("// todo!()\nfn todo() -> &'static str { \"dbg!(x)\" }", &[]);
        check("fn f(todo: bool) -> bool { todo != true }", &[]);
    }
}
