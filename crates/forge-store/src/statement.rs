//! SQL texts and their parameters. Every statement of the program stands in [`sql!`], so that a test can gather them
//! all from the source and prepare each on both databases.

/// Marks a SQL text: literals and macros without arguments that stand for one, joined.
macro_rules! sql {
    ($($text:expr),+ $(,)?) => { concat!($($text),+) };
}
pub(crate) use sql;

/// Marks a SQL text that is for PostgreSQL alone, because SQLite has no such thing.
macro_rules! postgres_sql {
    ($($text:expr),+ $(,)?) => { concat!($($text),+) };
}
pub(crate) use postgres_sql;

/// Marks a SQL text that is for SQLite alone, because PostgreSQL spells it otherwise or has no need of it.
macro_rules! sqlite_sql {
    ($($text:expr),+ $(,)?) => { concat!($($text),+) };
}
pub(crate) use sqlite_sql;

/// Marks a SQL text about what SQLite keeps in a file of its own.
macro_rules! ephemeral_sql {
    ($($text:expr),+ $(,)?) => { concat!($($text),+) };
}
pub(crate) use ephemeral_sql;

/// Collects parameters in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::row::Value::from($value)),*] };
}
pub(crate) use params;

#[cfg(test)]
pub(crate) mod gather {
    //! Finds every `sql!` in the source of this crate and expands it as the compiler does.

    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    /// One SQL text and where it stands.
    pub(crate) struct Statement {
        pub(crate) sql: String,
        pub(crate) place: String,
        pub(crate) is_for_postgres_alone: bool,
        pub(crate) is_for_sqlite_alone: bool,
        pub(crate) is_ephemeral: bool,
    }

    /// Returns every statement of the crate.
    pub(crate) fn statements() -> Vec<Statement> {
        let mut files = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let sources: Vec<(PathBuf, String)> = files
            .into_iter()
            .filter(|path| !path.ends_with("statement.rs"))
            .map(|path| {
                let text = std::fs::read_to_string(&path).expect("a readable source file");
                (path, text)
            })
            .collect();
        let fragments: BTreeMap<String, String> =
            sources.iter().flat_map(|(_, text)| fragments(text)).collect();
        sources.iter().flat_map(|(path, text)| in_file(path, text, &fragments)).collect()
    }

    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }

    /// Macros of the form `macro_rules! name { () => { … }; }` whose body is a text.
    fn fragments(source: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for part in source.split("macro_rules! ").skip(1) {
            let Some((name, rest)) = part.split_once('{') else { continue };
            let Some(body) = rest.trim_start().strip_prefix("() =>") else { continue };
            let Some(body) = body.trim_start().strip_prefix('{') else { continue };
            let body = body.trim_start();
            let body = body.strip_prefix("concat!(").unwrap_or(body);
            found.push((name.trim().to_owned(), body.to_owned()));
        }
        found
    }

    fn in_file(path: &Path, source: &str, fragments: &BTreeMap<String, String>) -> Vec<Statement> {
        let mut found = Vec::new();
        for (at, _) in source.match_indices("sql!(") {
            let line = source[..at].matches('\n').count() + 1;
            let place = format!("{}:{line}", path.display());
            let is_for_postgres_alone = source[..at].ends_with("postgres_");
            let is_for_sqlite_alone = source[..at].ends_with("sqlite_");
            let is_ephemeral = source[..at].ends_with("ephemeral_");
            let sql = expand(&source[at + 5..], fragments, &place);
            found.push(Statement { sql, place, is_for_postgres_alone, is_for_sqlite_alone, is_ephemeral });
        }
        found
    }

    /// Expands literals and `name!()` up to the closing parenthesis or brace.
    fn expand(mut rest: &str, fragments: &BTreeMap<String, String>, place: &str) -> String {
        let mut sql = String::new();
        loop {
            rest = rest.trim_start_matches(|character: char| character.is_whitespace() || character == ',');
            if let Some(literal) = rest.strip_prefix('"') {
                rest = literal_into(literal, &mut sql);
            } else if rest.starts_with([')', '}']) {
                return sql;
            } else {
                let (name, after) =
                    rest.split_once("!()").unwrap_or_else(|| panic!("unreadable statement at {place}"));
                let body = fragments.get(name).unwrap_or_else(|| panic!("unknown text `{name}` at {place}"));
                sql.push_str(&expand(body, fragments, place));
                rest = after;
            }
        }
    }

    /// Appends the literal that `text` starts with and returns what follows its closing quote.
    fn literal_into<'t>(text: &'t str, sql: &mut String) -> &'t str {
        let mut characters = text.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => return &text[at + 1..],
                '\\' => match characters.next() {
                    Some((next, '\n')) => {
                        let skip = text[next..].len() - text[next..].trim_start().len();
                        characters = text.char_indices();
                        characters.by_ref().take_while(|(index, _)| index + 1 < next + skip).for_each(drop);
                    }
                    Some((_, 'n')) => sql.push('\n'),
                    Some((_, other)) => sql.push(other),
                    None => return "",
                },
                other => sql.push(other),
            }
        }
        ""
    }
}
