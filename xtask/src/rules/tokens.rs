//! Rust source as a flat list of words and signs with their lines: no comments, no text inside literals.
//!
//! Rules look at tokens rather than at text, so that a macro's name in a comment or a message is not its use.

use anyhow::{Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One word or sign of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// An identifier, a one-character sign, a bracket, or `""` for a literal.
    pub(super) text: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Reads `source`; brackets become tokens of their own.
///
/// # Errors
/// Where the source is not made of Rust tokens (unbalanced brackets, an open string).
pub(super) fn read(source: &str) -> Result<Vec<Token>> {
    let stream: TokenStream = source.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    Ok(tokens)
}

/// Whether the tokens from `at` on read `words`.
pub(super) fn reads(tokens: &[Token], at: usize, words: &[&str]) -> bool {
    tokens.len() >= at + words.len()
        && words.iter().zip(&tokens[at..]).all(|(word, token)| token.text == *word)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token { text: open.into(), line });
                let close_line = group.span_close().start().line;
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.into(), line: close_line });
            }
            TokenTree::Ident(ident) => tokens.push(Token { text: ident.to_string(), line }),
            TokenTree::Punct(punct) => tokens.push(Token { text: punct.as_char().to_string(), line }),
            TokenTree::Literal(_) => tokens.push(Token { text: String::new(), line }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn comments_and_literals_hold_no_words() {
        let tokens = read("// todo!()\nfn f() { g(\"dbg!(1)\") }\n").unwrap();
        let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(words, ["fn", "f", "(", ")", "{", "g", "(", "", ")", "}"]);
        assert!(tokens.iter().all(|token| token.line == 2));
    }

    #[test]
    fn what_is_not_rust_is_refused() {
        assert!(read("fn f( {").is_err());
    }
}
