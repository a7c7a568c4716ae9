//! The large repository: years of small edits in thousands of nested text files, some pictures, merged topics, releases.
//!
//! What it is like decides what it costs: a commit makes about four trees and three blobs, nearly all of which are deltas.

use std::io::{Result as IoResult, Write};
use std::path::Path;

use super::import::{Commit, import, person};
use super::words::{Chance, Words, data};
use crate::Result;

/// Folders in each folder, from the top.
const FOLDERS: [usize; 3] = [12, 10, 6];
const FILES: usize = 5;
const PICTURES: usize = 60;
const PICTURE_BYTES: usize = 40_000;
/// A picture is drawn anew every so many commits.
const REDRAWN_EVERY: usize = 90;
/// A topic is merged every so many commits, and left open every so many.
const MERGED_EVERY: usize = 10;
const OPEN_EVERY: usize = 18;
const TAGS_PER_REFS: usize = 10;

/// Fills a repository with so many commits on `main` and so many refs.
pub(super) fn fill(repository: &Path, commits: usize, refs: usize) -> Result<()> {
    import(repository, None, |out| Writer::new(out).history(commits, refs))
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    words: Words,
    chance: Chance,
    files: Vec<(String, Vec<String>)>,
    marks: usize,
    open_topics: usize,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        let (words, mut chance) = (Words::new(), Chance::new(4));
        let mut files = Vec::new();
        let count = FOLDERS.iter().product::<usize>() * FILES;
        for number in 0..count {
            let (file, folder) = (number % FILES, number / FILES);
            let (low, folder) = (folder % FOLDERS[2], folder / FOLDERS[2]);
            let (middle, top) = (folder % FOLDERS[1], folder / FOLDERS[1]);
            // Git looks for deltas among files whose names end alike, so each has a name of its own.
            let path = format!("area{top:02}/part{middle:02}/group{low}/{file}{number:04}.txt");
            let length = 40 + chance.below(160);
            files.push((path, words.lines(&mut chance, length)));
        }
        Self { out, words, chance, files, marks: 0, open_topics: 0 }
    }

    fn history(mut self, commits: usize, refs: usize) -> IoResult<()> {
        let mut main = self.first_commit()?;
        let mut past = vec![main];
        for number in 1..commits {
            if number.is_multiple_of(MERGED_EVERY) {
                let topic = self.commit(number, "refs/heads/merged", Some(main), None)?;
                main = self.commit(number, "refs/heads/main", Some(main), Some(topic))?;
            } else {
                main = self.commit(number, "refs/heads/main", Some(main), None)?;
            }
            past.push(main);
            if number.is_multiple_of(OPEN_EVERY) {
                let branch = format!("refs/heads/open/{number:05}");
                self.commit(number, &branch, Some(main), None)?;
                self.open_topics += 1;
            }
        }
        self.refs(&past, refs)
    }

    fn mark(&mut self) -> usize {
        self.marks += 1;
        self.marks
    }

    fn first_commit(&mut self) -> IoResult<usize> {
        let mark = self.begin(0, "refs/heads/main", None, None)?;
        for (path, lines) in &self.files {
            writeln!(self.out, "M 100644 inline {path}")?;
            data(self.out, lines.join("\n").as_bytes())?;
        }
        for picture in 0..PICTURES {
            self.draw(picture)?;
        }
        Ok(mark)
    }

    fn commit(
        &mut self,
        number: usize,
        branch: &str,
        from: Option<usize>,
        merge: Option<usize>,
    ) -> IoResult<usize> {
        let mark = self.begin(number, branch, from, merge)?;
        // Neighbours change together: mostly one folder, sometimes two.
        let first = self.chance.below(self.files.len());
        for at in 0..1 + self.chance.below(4) {
            let file = match at {
                3 => self.chance.below(self.files.len()),
                _ => (first + at) % self.files.len(),
            };
            self.edit(file)?;
        }
        if number.is_multiple_of(REDRAWN_EVERY) {
            let picture = self.chance.below(PICTURES);
            self.draw(picture)?;
        }
        Ok(mark)
    }

    fn begin(
        &mut self,
        number: usize,
        branch: &str,
        from: Option<usize>,
        merge: Option<usize>,
    ) -> IoResult<usize> {
        let mark = self.mark();
        let message = self.words.lines(&mut self.chance, 1 + number % 4).join("\n");
        let (from, merge) = (from.map(|mark| format!(":{mark}")), merge.map(|mark| format!(":{mark}")));
        let (from, merge) = (from.as_deref(), merge.as_deref());
        Commit { branch, mark, number, message: message.trim(), from, merge }.write(self.out)?;
        Ok(mark)
    }

    fn edit(&mut self, file: usize) -> IoResult<()> {
        for _ in 0..1 + self.chance.below(8) {
            let line = self.words.line(&mut self.chance);
            let lines = &mut self.files[file].1;
            let at = self.chance.below(lines.len());
            match self.chance.below(4) {
                0 if lines.len() > 30 => drop(lines.remove(at)),
                1 => lines.insert(at, line),
                _ => lines[at] = line,
            }
        }
        let (path, lines) = &self.files[file];
        writeln!(self.out, "M 100644 inline {path}")?;
        data(self.out, lines.join("\n").as_bytes())
    }

    fn draw(&mut self, picture: usize) -> IoResult<()> {
        writeln!(self.out, "M 100644 inline pictures/{picture:02}.png")?;
        data(self.out, &self.chance.bytes(PICTURE_BYTES))
    }

    /// Branches and annotated tags along the main line, beside the topics that are open.
    fn refs(mut self, past: &[usize], count: usize) -> IoResult<()> {
        let tags = count / TAGS_PER_REFS;
        for number in 0..tags {
            let at = past[number * past.len() / tags];
            writeln!(self.out, "tag v{number}\nfrom :{at}\ntagger {}", person(number))?;
            data(self.out, format!("Release {number}").as_bytes())?;
        }
        // `main` and `merged` are two of them.
        let branches = count.saturating_sub(tags + self.open_topics + 2);
        for number in 0..branches {
            let at = past[past.len() - 1 - number * past.len() / branches];
            writeln!(self.out, "reset refs/heads/topic/{number:05}\nfrom :{at}\n")?;
            self.marks += 1;
        }
        Ok(())
    }
}
