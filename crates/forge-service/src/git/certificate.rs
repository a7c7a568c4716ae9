//! Whether a push certificate is to be believed: it repeats a nonce of ours, names this repository, and is signed with a key
//! that its pusher has on record for signing.
//!
//! Each of these is asked before the pack is read. Whether the key still stands and the nonce is new is asked again in the
//! transaction that moves the refs: see [`crate::refs::Signature`].

use forge_auth::push_nonce::{self, BadNonce};
use forge_git::receive::Certificate;
use forge_git::signature::{Keys, SignatureKind, SignatureState};
use forge_store::public_keys;
use forge_store::push_certificates::{self, PushCertificate};
use forge_types::public_key::PublicKeyUse;
use forge_types::repository::{Repository, RepositoryAccess};
use forge_types::{Error, Result, Timestamp};
use url::{Host, Url};

use crate::app::Settings;
use crate::context::RequestContext;
use crate::refs::{REPLAYED, Signature, UNKNOWN_KEY};

/// Returns the nonce that a push of the caller's to this repository may be signed over; none for whoever has no account.
///
/// # Errors
/// `Internal` if the keys are not whole.
pub(super) fn nonce(ctx: &RequestContext, repository: &Repository) -> Result<Option<String>> {
    let Some(account) = ctx.account_id() else { return Ok(None) };
    let place = (repository.id, account);
    let issued = push_nonce::issue(&ctx.app().keys, place, ctx.now(), |buffer| ctx.app().random.fill(buffer));
    issued.map(Some).map_err(Error::internal)
}

/// Finds out what a certificate is worth.
///
/// # Errors
/// `Unavailable` if the database is.
pub(super) async fn check(
    ctx: &RequestContext,
    found: &RepositoryAccess,
    certificate: Option<&Certificate>,
) -> Result<Signature> {
    let Some(certificate) = certificate else { return Ok(Signature::None) };
    match believe(ctx, &found.repository, certificate).await? {
        Ok(good) => Ok(Signature::Good(Box::new(good))),
        Err(reason) => Ok(Signature::Refused(reason)),
    }
}

async fn believe(
    ctx: &RequestContext,
    repository: &Repository,
    certificate: &Certificate,
) -> Result<Result<PushCertificate, String>> {
    let refused = |reason: &str| Ok(Err(reason.to_owned()));
    let account = ctx.account()?.id;
    let Some(nonce) = certificate.nonce() else { return refused("the push certificate has no nonce") };
    let checked = push_nonce::check(&ctx.app().keys, (repository.id, account), ctx.now(), nonce);
    let nonce_issued_at: Timestamp = match checked.map_err(Error::internal)? {
        Ok(issued) => issued,
        Err(BadNonce::Foreign) => {
            return refused("the nonce of the push certificate was not given out for this push");
        }
        Err(BadNonce::Stale) => return refused("the nonce of the push certificate is too old, push again"),
    };
    if certificate.pushee().is_some_and(|pushee| !is_ours(ctx.settings(), repository, pushee)) {
        return refused("the push certificate is for another repository");
    }
    if certificate.kind() != SignatureKind::Ssh {
        return refused("the push certificate is not signed with an SSH key; set `gpg.format` to `ssh`");
    }
    let Some(fingerprint) = certificate.claimed_key() else {
        return refused("the signature of the push certificate does not read");
    };
    let mut conn = ctx.read().await?;
    let key = public_keys::find_by_fingerprint(&mut conn, account, PublicKeyUse::Signing, &fingerprint);
    let Some(key) = key.await? else { return refused(UNKNOWN_KEY) };
    if push_certificates::is_used(&mut conn, repository.id, nonce).await? {
        return refused(REPLAYED);
    }
    drop(conn);
    match certificate.verify(Keys { ssh: &[&key.key], openpgp: &[] }) {
        SignatureState::Valid { .. } => Ok(Ok(PushCertificate {
            certificate: certificate.text().to_owned(),
            key_fingerprint: fingerprint,
            nonce: nonce.to_owned(),
            nonce_issued_at,
        })),
        _ => refused("the signature of the push certificate is wrong"),
    }
}

/// Is this the repository's address, under a name of the forge's? On loopback any port will do: there a proxy on the pusher's own
/// machine passes requests on, and what it is told is the machine's own business.
fn is_ours(settings: &Settings, repository: &Repository, pushee: &str) -> bool {
    let Ok(url) = Url::parse(pushee) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let origins = [&settings.origin, &settings.people_origin];
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_here = is_loopback || origins.iter().any(|origin| origin.origin() == url.origin());
    let path = url.path().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    is_web
        && is_here
        && url.query().is_none()
        && url.fragment().is_none()
        && path.eq_ignore_ascii_case(&repository.full_name())
}

#[cfg(test)]
mod tests {
    use forge_types::account::{AccountKind, AccountRef};
    use forge_types::id::{AccountId, RepositoryId};
    use forge_types::repository::{RepositorySettings, Visibility};

    use super::*;

    fn repository() -> Repository {
        let owner = AccountRef {
            id: AccountId(1),
            kind: AccountKind::Human,
            login: "alice".to_owned(),
            name: None,
            is_site_admin: false,
        };
        Repository {
            id: RepositoryId(1),
            owner,
            name: "Project.x".to_owned(),
            visibility: Visibility::Private,
            default_branch: "main".to_owned(),
            settings: RepositorySettings::default(),
            parent_id: None,
            source_id: None,
            fork_count: 0,
            archived_at: None,
            size_bytes: 0,
            created_at: Timestamp::from_micros(0),
            updated_at: Timestamp::from_micros(0),
            pushed_at: None,
        }
    }

    #[test]
    fn a29_only_the_addresses_of_this_repository_are_its_own() {
        let mut settings = Settings::for_origin(Url::parse("https://forge.example").unwrap());
        settings.people_origin = Url::parse("https://forge.example:8443").unwrap();
        let is_ours = |pushee: &str| is_ours(&settings, &repository(), pushee);
        for pushee in [
            "https://forge.example/alice/project.x.git",
            "https://forge.example/alice/Project.x",
            "https://forge.example:8443/Alice/project.x.git/",
            "http://127.0.0.1:4711/alice/project.x.git",
            "http://localhost:4711/alice/project.x",
            "http://[::1]:1/alice/project.x",
        ] {
            assert!(is_ours(pushee), "{pushee}");
        }
        for pushee in [
            "https://forge.example/alice/other.git",
            "https://forge.example/mallory/project.x.git",
            "https://forge.example/x/alice/project.x.git",
            "https://forge.example/alice/project.x.git.git",
            "https://forge.example/alice/project.x?a/b",
            "https://forge.example.evil/alice/project.x.git",
            "https://forge.example@evil/alice/project.x.git",
            "http://forge.example/alice/project.x.git",
            "https://forge.example:444/alice/project.x.git",
            "https://127.0.0.1.evil/alice/project.x.git",
            "ssh://127.0.0.1/alice/project.x.git",
            "git@forge.example:alice/project.x.git",
            "/alice/project.x",
            "",
        ] {
            assert!(!is_ours(pushee), "{pushee}");
        }
    }
}
