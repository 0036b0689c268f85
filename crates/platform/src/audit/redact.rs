//! Keeping secrets out of the audit, by the names under which they stand.
//!
//! It goes by names alone: a secret in running text, or under an innocent name, is not found. Where a name is in doubt
//! (`country_code`) the value goes too: an audit that says too little is better than one that gives a key away.

use serde_json::Value;

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";
/// What stands in place of what is nested too deeply to be read back: readers of JSON stop at 128 levels.
const TOO_DEEP: &str = "[nested too deeply]";
/// The most levels that are kept.
const DEPTH: usize = 64;

/// Names of secrets as words of their own: `apiKey`, `backup-codes`, but not `keyword`.
const WORDS: &[&str] = &[
    "key", "keys", "code", "codes", "pin", "pins", "otp", "totp", "salt", "mac", "pwd", "pass", "auth",
    "bearer", "jwt",
];
/// Names of secrets wherever they stand, letters and digits alone: `newPassword2`, `set-cookie`.
const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "cookie",
    "authorization",
    "authorisation",
    "credential",
    "apikey",
    "privatekey",
    "signature",
    "sessionid",
];

/// Replaces secrets by `[redacted]`: the values, of any form, of all keys that are named like one (password, secret, token,
/// key, code, cookie, authorization and the like; in any case, at any depth). What is nested deeper than 64 levels goes
/// too.
///
/// ```
/// use marquee_platform::redact;
/// use serde_json::json;
///
/// let mut value = json!({"name": "ruth", "login": [{"newPassword": "hunter2", "API-Key": [1, 2]}]});
/// redact(&mut value);
/// let wanted = json!({"name": "ruth", "login": [{"newPassword": "[redacted]", "API-Key": "[redacted]"}]});
/// assert_eq!(value, wanted);
/// ```
pub fn redact(value: &mut Value) {
    // A list of what waits and not a recursion: no nesting can exhaust the stack.
    let mut waiting = vec![(value, 0)];
    while let Some((value, depth)) = waiting.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if depth == DEPTH => *value = TOO_DEEP.into(),
            Value::Array(items) => waiting.extend(items.iter_mut().map(|item| (item, depth + 1))),
            Value::Object(fields) => {
                for (name, value) in fields {
                    if names_a_secret(name) {
                        *value = REDACTED.into();
                    } else {
                        waiting.push((value, depth + 1));
                    }
                }
            }
            _ => {}
        }
    }
}

fn names_a_secret(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    PARTS.iter().any(|part| letters.contains(part))
        || words(name).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// The words of a name, in lower case: `API-Key`, `api_key` and `apiKey` have the same two. What stands between two marks is
/// a word of its own too, however its letters are written: `kEy`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        if !letter.is_alphabetic() || (letter.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphabetic()) {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.extend(name.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const ASKED: [&str; 7] = ["password", "secret", "token", "key", "code", "cookie", "authorization"];

    fn check(name: &str, secret: bool) {
        assert_eq!(names_a_secret(name), secret, "{name}");
    }

    #[test]
    fn names_of_secrets_are_known_in_each_spelling() {
        for name in ["apiKey", "API_KEY", "KEY", "backup-codes", "kEy", "Set-Cookie", "clientSecret"] {
            check(name, true);
        }
        for name in
            ["accessToken", "TOTP", "key2", "Proxy-Authorization", "x.token", "pass", "recoverycode_key"]
        {
            check(name, true);
        }
        for name in ["keyword", "monkey", "name", "role", "decoded", "", "compass", "author", "machine"] {
            check(name, false);
        }
    }

    #[test]
    fn what_could_not_be_read_back_is_left_out() {
        let mut value = json!("deep");
        for _ in 0..120 {
            value = json!({"a": [value]});
        }
        redact(&mut value);
        let text = value.to_string();
        assert!(text.contains(TOO_DEEP) && !text.contains("deep\""), "{text}");
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }

    /// Each letter of a name in either case.
    fn in_any_case(name: &'static str) -> impl Strategy<Value = String> {
        prop::collection::vec(any::<bool>(), name.len()).prop_map(move |upper| {
            let letters = name.chars().zip(upper);
            letters.map(|(c, up)| if up { c.to_ascii_uppercase() } else { c }).collect()
        })
    }

    /// JSON in which everything under the name of a secret holds `hunter2`, and nothing else does.
    fn json_with_secrets() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "[a-g]{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            let secret = prop::sample::select(&ASKED[..]).prop_flat_map(in_any_case);
            let hidden = prop_oneof![Just(json!("hunter2")), Just(json!({"a": ["hunter2"]}))];
            let fields = prop::collection::btree_map("[a-d]{1,3}", inner.clone(), 0..4);
            let with_secret = (fields, secret, hidden).prop_map(|(fields, name, hidden)| {
                let mut object = Value::Object(fields.into_iter().collect());
                object[name.as_str()] = hidden;
                object
            });
            prop_oneof![prop::collection::vec(inner, 0..4).prop_map(Value::from), with_secret]
        })
    }

    proptest! {
        #[test]
        fn no_secret_is_left(mut value in json_with_secrets()) {
            redact(&mut value);
            let once = value.clone();
            prop_assert!(!value.to_string().contains("hunter2"));
            redact(&mut value);
            prop_assert_eq!(value, once);
        }

        #[test]
        fn what_is_no_secret_stays(fields in prop::collection::btree_map("[a-d]{1,8}", any::<i64>(), 0..6)) {
            let value = json!({"rows": [fields]});
            let mut redacted = value.clone();
            redact(&mut redacted);
            prop_assert_eq!(redacted, value);
        }
    }
}
