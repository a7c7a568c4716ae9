//! Our own live secrets in what is to be stored: whoever reads a repository must not find what opens the forge.
//!
//! What has the form and the checksum of a secret of this forge is found without the database; only that is looked up, by its keyed
//! hash. What is dead passes, and so does what was encoded or cut apart: this keeps accidents from becoming public, not people
//! from telling secrets.
//!
//! INVARIANT: objects reach a repository by a push (`git::push`) or by [`crate::git::keep`] alone, and both ask [`check`] while
//! the objects are in quarantine. No value is logged or told: of each its tail and its fingerprint.

use std::collections::{HashMap, HashSet};

use forge_auth::keys::Keys;
use forge_auth::token::{
    INVITE_LETTER, REGISTRATION_LETTER, TokenPrefix, recognise_letter, sightings, without_secrets,
};
use forge_git::PackSet;
use forge_git::objects::ObjectKind;
use forge_git::receive::Quarantine;
use forge_types::id::RepositoryId;
use forge_types::{Error, Event, ObjectId, Result};

use crate::agents::INVITE_PURPOSE;
use crate::app::key_fault;
use crate::audit;
use crate::context::RequestContext;
use crate::git::fault;
use crate::{Secret, registration_key};

/// Objects of more bytes are not looked through.
const LOOKED_THROUGH: u64 = 16 << 20;

/// So many different texts with the form and checksum of a secret may come at once: none is passed over unseen.
const LOOKED_UP: usize = 1_000;

/// So many places are told one by one.
const TOLD: usize = 5;

/// Where what may be a live secret was seen first.
struct Sighting {
    secret: Secret,
    id: ObjectId,
    kind: ObjectKind,
    line: usize,
}

/// What was seen in the objects of a quarantine.
#[derive(Default)]
struct Search {
    /// Where in `seen` each stands.
    known: HashMap<String, usize>,
    seen: Vec<Sighting>,
    are_too_many: bool,
    former: Option<PackSet>,
}

impl Search {
    fn look(
        &mut self,
        (prefix, quarantine): (&TokenPrefix, &Quarantine),
        (id, kind, data): (ObjectId, ObjectKind, &[u8]),
    ) -> Result<(), forge_git::Error> {
        let (mut line, mut counted) = (1, 0);
        for (at, secret) in sightings(prefix, data) {
            if self.former(quarantine)?.contains(id) {
                return Ok(());
            }
            line += data[counted..at].iter().filter(|byte| **byte == b'\n').count();
            counted = at;
            self.note(Sighting { secret, id, kind, line });
        }
        Ok(())
    }

    /// Returns what the repository had before: an object of it that only completes the pack is not new.
    fn former(&mut self, quarantine: &Quarantine) -> Result<&PackSet, forge_git::Error> {
        let former = match self.former.take() {
            Some(former) => former,
            None => quarantine.former()?,
        };
        Ok(self.former.insert(former))
    }

    /// Of the same secret the place stays that is found most easily, so that the same push is told the same.
    fn note(&mut self, new: Sighting) {
        if let Some(at) = self.known.get(new.secret.expose()) {
            let known = &mut self.seen[*at];
            if (rank(new.kind), new.id) < (rank(known.kind), known.id) {
                *known = new;
            }
        } else if self.seen.len() == LOOKED_UP {
            self.are_too_many = true;
        } else {
            self.known.insert(new.secret.expose().to_owned(), self.seen.len());
            self.seen.push(new);
        }
    }
}

const fn rank(kind: ObjectKind) -> u8 {
    match kind {
        ObjectKind::Blob => 0,
        ObjectKind::Tree => 1,
        ObjectKind::Tag => 2,
        ObjectKind::Commit => 3,
    }
}

/// Returns the quarantine, or why what is in it is not to be stored: a sentence for whoever sent it. A refusal is in the audit log
/// when this returns.
///
/// # Errors
/// `Unavailable` if the database or the file system is.
pub(crate) async fn check(
    ctx: &RequestContext,
    repository: RepositoryId,
    quarantine: Quarantine,
) -> Result<Result<Quarantine, String>> {
    let prefix = ctx.app().token_prefix.clone();
    let look = move || {
        let mut search = Search::default();
        let place = (&prefix, &quarantine);
        quarantine
            .each_brought(LOOKED_THROUGH, &mut |id, kind, data| search.look(place, (id, kind, data)))?;
        Ok((quarantine, search.seen, search.are_too_many))
    };
    let looked = tokio::task::spawn_blocking(look).await.map_err(Error::internal)?;
    let (quarantine, seen, are_too_many) = looked.map_err(fault)?;
    if are_too_many {
        let reason = format!("more than {LOOKED_UP} texts look like tokens of this forge");
        return refuse(ctx, repository, &[], reason).await;
    }
    if seen.is_empty() {
        return Ok(Ok(quarantine));
    }
    let live = live(ctx, seen).await?;
    if live.is_empty() {
        return Ok(Ok(quarantine));
    }
    let (live, reason) = explain(ctx, quarantine, live).await?;
    refuse(ctx, repository, &live, reason).await
}

/// Keeps those that somebody could use.
async fn live(ctx: &RequestContext, seen: Vec<Sighting>) -> Result<Vec<Sighting>> {
    let (keys, prefix) = (&ctx.app().keys, &ctx.app().token_prefix);
    let mut conn = ctx.read().await?;
    let mut hashes: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut is_live = vec![false; seen.len()];
    let mut registration: Option<Option<Secret>> = None;
    for (at, sighting) in seen.iter().enumerate() {
        if recognise_letter(prefix, sighting.secret.expose()) == Some(REGISTRATION_LETTER) {
            if registration.is_none() {
                registration = Some(registration_key::find(ctx, &mut conn).await?);
            }
            is_live[at] = registration.iter().flatten().any(|key| key.matches(&sighting.secret));
            continue;
        }
        hashes.extend(candidates(keys, prefix, &sighting.secret)?.map(|hash| (hash.to_vec(), at)));
    }
    let asked: Vec<[u8; 32]> = hashes.keys().filter_map(|hash| hash.as_slice().try_into().ok()).collect();
    for hash in forge_store::credentials::list_live_among(&mut conn, &asked, ctx.now()).await? {
        if let Some(at) = hashes.get(&hash) {
            is_live[*at] = true;
        }
    }
    Ok(seen.into_iter().zip(is_live).filter(|(_, is_live)| *is_live).map(|(sighting, _)| sighting).collect())
}

fn candidates(keys: &Keys, prefix: &TokenPrefix, secret: &Secret) -> Result<impl Iterator<Item = [u8; 32]>> {
    let purpose = match recognise_letter(prefix, secret.expose()) {
        Some(INVITE_LETTER) => INVITE_PURPOSE,
        _ => "credential",
    };
    let hashes = keys.candidate_hashes(purpose, secret.expose().as_bytes()).map_err(key_fault)?;
    Ok(hashes.into_iter())
}

/// Says where the first of them are, by the names of files where those can be found.
async fn explain(
    ctx: &RequestContext,
    quarantine: Quarantine,
    mut live: Vec<Sighting>,
) -> Result<(Vec<Sighting>, String)> {
    let prefix = ctx.app().token_prefix.clone();
    live.sort_by_key(|sighting| (rank(sighting.kind), sighting.id, sighting.line));
    let explain = move || {
        let wanted: HashSet<ObjectId> = live.iter().take(TOLD).map(|sighting| sighting.id).collect();
        let paths = quarantine.paths_to(&wanted)?;
        let place = |sighting: &Sighting| {
            let path = paths.get(&sighting.id).map(|path| without_secrets(&prefix, path));
            format!("{} holds a live token (…{})", sighting.place(path), sighting.secret.tail())
        };
        let mut places: Vec<String> = live.iter().take(TOLD).map(place).collect();
        if live.len() > TOLD {
            places.push(format!("and {} more", live.len() - TOLD));
        }
        let reason = format!("{}; revoke it or remove it from every commit", places.join(", "));
        Ok((live, reason))
    };
    tokio::task::spawn_blocking(explain).await.map_err(Error::internal)?.map_err(fault)
}

impl Sighting {
    fn place(&self, path: Option<String>) -> String {
        let (id, line) = (self.id, self.line);
        match (self.kind, path) {
            (ObjectKind::Blob, Some(path)) => format!("{path}:{line}"),
            (ObjectKind::Blob, None) => format!("file {id}:{line}"),
            (ObjectKind::Tree, Some(path)) if !path.is_empty() => format!("the name of a file in {path}"),
            (ObjectKind::Tree, _) => "the name of a file".to_owned(),
            (ObjectKind::Commit, _) => format!("commit {id}:{line}"),
            (ObjectKind::Tag, _) => format!("tag {id}:{line}"),
        }
    }
}

async fn refuse(
    ctx: &RequestContext,
    repository: RepositoryId,
    live: &[Sighting],
    reason: String,
) -> Result<Result<Quarantine, String>> {
    let fingerprints: Vec<String> =
        live.iter().take(LOOKED_UP).map(|sighting| sighting.secret.fingerprint()).collect();
    let event = Event::new("secrets.refused").repository(repository).with("fingerprints", fingerprints);
    let mut tx = ctx.begin().await?;
    audit::record_refused(ctx, &mut tx, event, &reason).await?;
    tx.commit().await?;
    Ok(Err(reason))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Whatever makes objects part of a repository has to look through them first.
    #[test]
    fn a96_objects_are_published_where_they_are_looked_through_and_nowhere_else() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut publishing = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("a source file");
                let is_this = path.ends_with("src/secrets.rs");
                if !is_this
                    && [".publish()", "pack.write(", "builder.write("].iter().any(|call| text.contains(call))
                {
                    assert!(text.contains("secrets::check("), "{}", path.display());
                    publishing.push(path.strip_prefix(&root).expect("below").to_string_lossy().into_owned());
                }
            }
        }
        publishing.sort();
        assert_eq!(publishing, ["git/keep.rs", "git/push.rs"]);
    }
}
