//! SQLite's words for tables in PostgreSQL's: one list of migrations serves both.
//!
//! A translation word by word, not a parser: migrations keep to the types INTEGER, REAL, TEXT and BLOB, in capitals. Text
//! is compared by its bytes, as SQLite does, and not by the rules of the server's language.

/// The same commands for PostgreSQL. Comments, strings and quoted names stay as they are.
pub(super) fn to_postgres(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + sql.len() / 4);
    let mut rest = sql;
    let mut before = "";
    while let Some(first) = rest.chars().next() {
        let length = length_of_token(rest, first);
        let (token, after) = rest.split_at(length);
        match token {
            "INTEGER" => out.push_str("BIGINT"),
            "REAL" => out.push_str("DOUBLE PRECISION"),
            "BLOB" => out.push_str("BYTEA"),
            "TEXT" if before != "AS" => out.push_str("TEXT COLLATE \"C\""),
            "STRICT" if before == ")" => out.truncate(out.trim_end().len()),
            other => out.push_str(other),
        }
        if !first.is_whitespace() {
            before = token;
        }
        rest = after;
    }
    out
}

/// A comment, something quoted, a word, or one character.
fn length_of_token(rest: &str, first: char) -> usize {
    if rest.starts_with("--") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if first == '\'' || first == '"' {
        return rest[1..].find(first).map_or(rest.len(), |end| end + 2);
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if is_word(first) {
        return rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    }
    first.len_utf8()
}

#[cfg(test)]
mod tests {
    use super::super::schema::MIGRATIONS;
    use super::*;

    #[test]
    fn types_are_translated_and_nothing_else() {
        let sqlite = "CREATE TABLE t ( -- REAL TEXT\n id TEXT PRIMARY KEY, n INTEGER DEFAULT 0, r REAL, \
                      b BLOB, \"TEXT\" TEXT CHECK (CAST(n AS TEXT) <> 'a ''BLOB'), INTEGERS INTEGER) STRICT;";
        let postgres = "CREATE TABLE t ( -- REAL TEXT\n id TEXT COLLATE \"C\" PRIMARY KEY, n BIGINT DEFAULT 0, r DOUBLE PRECISION, \
                        b BYTEA, \"TEXT\" TEXT COLLATE \"C\" CHECK (CAST(n AS TEXT) <> 'a ''BLOB'), INTEGERS BIGINT);";
        assert_eq!(to_postgres(sqlite), postgres);
        for torn in ["", "'", "\"é", "--", "é TEXT"] {
            assert!(to_postgres(torn).starts_with(torn.trim_end_matches("TEXT")), "{torn}");
        }
    }

    /// Opening a store on PostgreSQL runs them; this names a word that only SQLite knows without a server.
    #[test]
    fn no_migration_keeps_a_word_of_sqlite_alone() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            let version = index + 1;
            assert!(migration.starts_with(&format!("-- Version {version}:")), "{version}: {migration}");
            let translated = to_postgres(migration);
            let commands = translated.lines().map(|line| line.split("--").next().unwrap_or_default());
            for word in commands.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            {
                let alone = [
                    "INTEGER",
                    "REAL",
                    "BLOB",
                    "STRICT",
                    "ROWID",
                    "AUTOINCREMENT",
                    "PRAGMA",
                    "GLOB",
                    "DATETIME",
                ];
                assert!(!alone.contains(&&*word.to_ascii_uppercase()), "version {version} says {word}");
            }
            let tables = translated.matches("CREATE TABLE").count();
            assert_eq!(migration.matches(") STRICT;").count(), tables, "version {version} has a lax table");
        }
    }
}
