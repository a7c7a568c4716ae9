//! `ls-refs` of protocol version 2: which refs, in which detail. See gitprotocol-v2(5).

use super::{RefSnapshot, pkt};
use crate::{Error, Result};

/// More prefixes than this mean "everything": the client filters for itself.
const MAX_PREFIXES: usize = 65_536;

/// A parsed `ls-refs` request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LsRefs {
    peel: bool,
    symrefs: bool,
    unborn: bool,
    prefixes: Vec<String>,
}

impl LsRefs {
    /// Reads the arguments.
    pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut parsed = Self::default();
        for argument in arguments {
            match argument {
                b"peel" => parsed.peel = true,
                b"symrefs" => parsed.symrefs = true,
                b"unborn" => parsed.unborn = true,
                _ => parsed.add_prefix(argument)?,
            }
        }
        if parsed.prefixes.len() >= MAX_PREFIXES {
            parsed.prefixes.clear();
        }
        Ok(parsed)
    }

    fn add_prefix(&mut self, argument: &[u8]) -> Result<()> {
        let prefix = argument.strip_prefix(b"ref-prefix ").ok_or_else(|| {
            Error::Protocol(format!("unexpected argument of ls-refs: `{}`", argument.escape_ascii()))
        })?;
        // No ref here has a name that is not UTF-8, so such a prefix selects nothing; it still counts as a choice.
        self.prefixes.push(String::from_utf8_lossy(prefix).into_owned());
        Ok(())
    }

    /// Returns the prefixes asked for; none means every ref.
    pub fn prefixes(&self) -> &[String] {
        &self.prefixes
    }

    /// Returns the answer.
    pub fn answer(&self, snapshot: &RefSnapshot) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + snapshot.refs().len() * 80);
        if self.selects("HEAD") {
            self.write_head(&mut out, snapshot);
        }
        for entry in snapshot.refs().iter().filter(|entry| self.selects(entry.name.as_str())) {
            match entry.peeled.filter(|_| self.peel) {
                Some(peeled) => {
                    pkt::write_line(&mut out, &format!("{} {} peeled:{peeled}", entry.id, entry.name));
                }
                None => pkt::write_line(&mut out, &format!("{} {}", entry.id, entry.name)),
            }
        }
        out.extend_from_slice(pkt::FLUSH);
        out
    }

    fn write_head(&self, out: &mut Vec<u8>, snapshot: &RefSnapshot) {
        let target = if self.symrefs { format!(" symref-target:{}", snapshot.head()) } else { String::new() };
        match snapshot.head_id() {
            Some(id) => pkt::write_line(out, &format!("{id} HEAD{target}")),
            None if self.unborn => pkt::write_line(out, &format!("unborn HEAD{target}")),
            None => {}
        }
    }

    fn selects(&self, name: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use forge_types::{ObjectFormat, ObjectId, RefName};

    use super::*;
    use crate::wire::Ref;

    fn snapshot(names: &[&str]) -> RefSnapshot {
        let id = ObjectId::empty_tree(ObjectFormat::Sha1);
        let refs = names
            .iter()
            .map(|name| Ref {
                name: RefName::new(*name).unwrap(),
                id,
                peeled: name.contains("tags").then_some(id),
            })
            .collect();
        RefSnapshot::new(ObjectFormat::Sha1, RefName::branch("main").unwrap(), refs)
    }

    fn answer(arguments: &[&str], names: &[&str]) -> String {
        let request = LsRefs::parse(arguments.iter().map(|argument| argument.as_bytes())).unwrap();
        String::from_utf8(request.answer(&snapshot(names))).unwrap()
    }

    #[test]
    fn prefixes_select_and_head_is_one_of_the_names() {
        let names = ["refs/heads/main", "refs/heads/other", "refs/tags/v1"];
        let all = answer(&[], &names);
        assert_eq!(all.matches("refs/").count(), 3);
        assert!(all.contains(" HEAD\n"));
        let heads = answer(&["ref-prefix refs/heads/"], &names);
        assert!(!heads.contains("HEAD\n") && !heads.contains("tags") && heads.contains("refs/heads/other"));
        let head = answer(&["ref-prefix HEAD", "symrefs"], &names);
        assert!(head.contains("HEAD symref-target:refs/heads/main") && !head.contains("other"), "{head}");
    }

    #[test]
    fn unborn_head_is_told_only_to_those_who_ask() {
        assert_eq!(answer(&["symrefs"], &[]), "0000");
        assert_eq!(
            answer(&["symrefs", "unborn"], &[]),
            "002eunborn HEAD symref-target:refs/heads/main\n0000"
        );
    }

    #[test]
    fn peeled_ids_are_told_only_to_those_who_ask() {
        assert!(answer(&["peel"], &["refs/tags/v1"]).contains("refs/tags/v1 peeled:4b825dc"));
        assert!(!answer(&[], &["refs/tags/v1"]).contains("peeled"));
    }

    #[test]
    fn unknown_argument_is_refused() {
        assert!(LsRefs::parse([&b"evil"[..]]).is_err());
        assert!(LsRefs::parse([&b"ref-prefix"[..]]).is_err());
    }
}
