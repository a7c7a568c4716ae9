//! A commit as a mail: what `git format-patch --stdout --no-signature --no-binary` writes, and GitHub serves as `.patch`.

use forge_types::ObjectId;

use super::{DiffOptions, PatchLimits};
use crate::Result;
use crate::objects::{Objects, Signature};

/// A commit as a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// From the line `From <id>` to the end of the diff.
    pub text: Vec<u8>,
    /// Were files, hunks or lines left out?
    pub is_truncated: bool,
}

impl Objects {
    /// Returns a commit as a mail with its diff against its first parent, ids cut to so many hex digits. `number` is its
    /// place in a series and how many that has. `max_bytes` bounds the diff.
    pub fn mail(
        &mut self,
        commit_id: ObjectId,
        number: Option<(usize, usize)>,
        options: &DiffOptions,
        limits: &PatchLimits,
        digits: usize,
        max_bytes: usize,
    ) -> Result<Mail> {
        let commit = self.commit(commit_id)?;
        let diff = self.diff_commit(commit_id, options)?;
        let (subject, body) = parts(&commit.message);
        let prefix = match number {
            Some((at, of)) if of > 1 => {
                let width = of.to_string().len();
                format!("[PATCH {at:0width$}/{of}] ")
            }
            _ => "[PATCH] ".to_owned(),
        };
        let mut text = format!("From {commit_id} Mon Sep 17 00:00:00 2001\n");
        text.push_str(&sender(&commit.author));
        text.push_str(&format!("Date: {}\n", date(&commit.author)));
        text.push_str(&subject_header(&prefix, &subject));
        if !commit.message.is_ascii() {
            text.push_str("MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n");
            text.push_str("Content-Transfer-Encoding: 8bit\n");
        }
        text.push_str(&format!("\n{body}"));
        if !diff.changes.is_empty() {
            text.push_str(&format!("---\n{}\n", self.stat(&diff, limits)?));
        }
        let diff = self.diff_text(&diff, limits, digits, max_bytes)?;
        Ok(Mail { text: [text.as_bytes(), &diff.text].concat(), is_truncated: diff.is_truncated })
    }
}

/// Returns the first paragraph as one line, and the rest as it is.
fn parts(message: &str) -> (String, String) {
    let message = message.trim_start_matches('\n');
    let mut lines = message.lines();
    let subject: Vec<&str> =
        lines.by_ref().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let rest: Vec<&str> = lines.map(str::trim_end).skip_while(|line| line.is_empty()).collect();
    let mut body = rest.join("\n").trim_end().to_owned();
    if !body.is_empty() {
        body.push('\n');
    }
    (subject.join(" "), body)
}

fn date(signature: &Signature) -> String {
    let time = gix::date::Time { seconds: signature.seconds, offset: signature.offset };
    time.format(gix::date::time::format::GIT_RFC2822).unwrap_or_default()
}

/// Columns of a header line.
const HEADER_WIDTH: usize = 78;

/// Columns of a header line with encoded words.
const ENCODED_WIDTH: usize = 76;

fn needs_encoding(text: &str) -> bool {
    !text.is_ascii() || text.contains("=?")
}

fn sender(author: &Signature) -> String {
    let mut text = "From: ".to_owned();
    if needs_encoding(&author.name) {
        encode(&mut text, &author.name, |byte| byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte));
    } else if author.name.contains(|found| "()<>[]:;@\\,.\"".contains(found)) {
        text.push('"');
        for letter in author.name.chars() {
            if matches!(letter, '"' | '\\') {
                text.push('\\');
            }
            text.push(letter);
        }
        text.push('"');
    } else {
        text.push_str(&author.name);
    }
    let column = text.rsplit('\n').next().map_or(0, str::len);
    let break_or_space = if column + author.email.len() + 3 > HEADER_WIDTH { "\n " } else { " " };
    text.push_str(&format!("{break_or_space}<{}>\n", author.email));
    text
}

fn subject_header(prefix: &str, subject: &str) -> String {
    let mut text = format!("Subject: {prefix}");
    if needs_encoding(subject) {
        encode(&mut text, subject, |byte| byte.is_ascii_graphic() && !b"=?_".contains(&byte));
        text.push('\n');
        return text;
    }
    let mut column = text.len();
    for (at, word) in subject.split(' ').enumerate() {
        let space = usize::from(at > 0);
        if at > 0 && column + space + word.len() > HEADER_WIDTH {
            text.push_str("\n ");
            column = 1;
        } else if at > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
    text
}

/// Appends encoded words. See RFC 2047, "The Q encoding".
fn encode(text: &mut String, from: &str, is_plain: impl Fn(u8) -> bool) {
    const START: &str = "=?UTF-8?q?";
    let mut column = text.len() + START.len();
    text.push_str(START);
    for letter in from.chars() {
        let mut buffer = [0; 4];
        let bytes = letter.encode_utf8(&mut buffer).as_bytes();
        let encoded: String = match bytes {
            [byte] if is_plain(*byte) => char::from(*byte).to_string(),
            bytes => bytes.iter().map(|byte| format!("={byte:02X}")).collect(),
        };
        if column + encoded.len() + 2 > ENCODED_WIDTH {
            text.push_str(&format!("?=\n {START}"));
            column = START.len() + 1;
        }
        text.push_str(&encoded);
        column += encoded.len();
    }
    text.push_str("?=");
}
