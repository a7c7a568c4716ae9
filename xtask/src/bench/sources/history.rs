//! The two small repositories: one of five commits, and one of as many refs as a busy forge sees.

use std::io::{Result as IoResult, Write};
use std::path::Path;

use super::import::{Commit, import};
use super::words::{Chance, Words, data};
use crate::Result;

/// Commits of the history that the many refs point into.
const CHAIN: usize = 2000;

/// Writes five commits in a few files.
pub(super) fn tiny(repository: &Path) -> Result<()> {
    import(repository, None, |out| write_tiny(out))
}

/// Writes the same five commits, another history, and branches all over it.
pub(super) fn refs(repository: &Path, count: usize) -> Result<()> {
    import(repository, None, |out| {
        write_tiny(out)?;
        let (words, mut chance) = (Words::new(), Chance::new(3));
        let chain = CHAIN.min(count);
        for number in 0..chain {
            let message = words.line(&mut chance);
            let commit = Commit {
                branch: "refs/heads/chain",
                mark: 1000 + number,
                number,
                message: message.trim(),
                from: None,
                merge: None,
            };
            commit.write(out)?;
            writeln!(out, "M 100644 inline src/part{}.txt", number % 20)?;
            data(out, words.lines(&mut chance, 30).join("\n").as_bytes())?;
        }
        // `main` and `chain` are two of them.
        for number in 0..count - 2 {
            let mark = 1000 + number % chain;
            writeln!(out, "reset refs/heads/topic/{:03}/{number:05}\nfrom :{mark}\n", number % 200)?;
        }
        Ok(())
    })
}

fn write_tiny(out: &mut dyn Write) -> IoResult<()> {
    let (words, mut chance) = (Words::new(), Chance::new(2));
    for number in 0..5 {
        let message = words.line(&mut chance);
        let (branch, mark) = ("refs/heads/main", 1 + number);
        Commit { branch, mark, number, message: message.trim(), from: None, merge: None }.write(out)?;
        for file in ["README.md".to_owned(), format!("src/file{number}.txt"), "docs/notes.txt".to_owned()] {
            writeln!(out, "M 100644 inline {file}")?;
            data(out, words.lines(&mut chance, 40).join("\n").as_bytes())?;
        }
    }
    Ok(())
}
