//! SSH public keys: for signing in and for signing commits. A key has one owner in the whole forge.

use forge_store::public_keys::NewPublicKey as NewRecord;
use forge_types::id::PublicKeyId;
use forge_types::page::{Page, PageRequest};
use forge_types::public_key::{PublicKey, PublicKeyUse};
use forge_types::{Action, Error, Event, FieldCode, Result};
use ssh_key::{Algorithm, HashAlg, PublicKey as SshKey};

use crate::context::RequestContext;
use crate::standing::Standing;
use crate::target::OwnAccount;

/// The longest title.
const MAX_TITLE: usize = 255;
/// RSA keys shorter than this can be broken.
const MIN_RSA_BITS: usize = 2048;

/// What may be done to keys of a use.
struct Actions {
    read: Action,
    create: Action,
    delete: Action,
}

const fn actions(usage: PublicKeyUse) -> Actions {
    match usage {
        PublicKeyUse::Authentication => Actions {
            read: Action::PublicKeyRead,
            create: Action::PublicKeyCreate,
            delete: Action::PublicKeyDelete,
        },
        PublicKeyUse::Signing => Actions {
            read: Action::SigningKeyRead,
            create: Action::SigningKeyCreate,
            delete: Action::SigningKeyDelete,
        },
    }
}

/// Returns the caller's keys.
///
/// # Errors
/// What the decision says.
pub async fn list(ctx: &RequestContext, usage: PublicKeyUse, page: PageRequest) -> Result<Page<PublicKey>> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, actions(usage).read).await?;
    Ok(forge_store::public_keys::list(&mut conn, own.id, usage, page).await?)
}

/// Returns one of the caller's keys.
///
/// # Errors
/// `NotFound` if the caller has no such key.
pub async fn find(ctx: &RequestContext, usage: PublicKeyUse, id: PublicKeyId) -> Result<PublicKey> {
    let mut conn = ctx.read().await?;
    let own = ctx.authorize(&mut conn, OwnAccount, actions(usage).read).await?;
    let key = forge_store::public_keys::find(&mut conn, own.id, usage, id).await?;
    key.ok_or_else(Error::not_found)
}

/// Returns the keys of `login`, which are public.
///
/// # Errors
/// `NotFound` if nobody has that login.
pub async fn list_of_user(
    ctx: &RequestContext,
    login: &str,
    usage: PublicKeyUse,
    page: PageRequest,
) -> Result<Page<PublicKey>> {
    let mut conn = ctx.read().await?;
    let account =
        forge_store::accounts::find_by_login(&mut conn, login).await?.ok_or_else(Error::not_found)?;
    Ok(forge_store::public_keys::list(&mut conn, account.id, usage, page).await?)
}

/// Adds a key to the caller's account.
///
/// # Errors
/// `Invalid` if it is no key, too weak, or anyone has it already.
pub async fn create(ctx: &RequestContext, usage: PublicKeyUse, title: &str, key: &str) -> Result<PublicKey> {
    let title = checked_title(title)?;
    let (key, fingerprint) = checked_key(key)?;
    let mut tx = ctx.begin().await?;
    let own = ctx.authorize(&mut tx, OwnAccount, actions(usage).create).await?;
    let _standing = Standing::of_caller(ctx, &mut tx, &[]).await?;
    let record = NewRecord { account_id: own.id, usage, title: &title, key: &key, fingerprint: &fingerprint };
    let created = match forge_store::public_keys::insert(&mut tx, &record, ctx.now()).await {
        Err(error) if error.is_duplicate() => return Err(invalid("key", "key is already in use")),
        other => other?,
    };
    let event = Event::new("public_key.created").with("fingerprint", fingerprint);
    ctx.record(&mut tx, event.with("usage", usage.as_str()).with("title", title)).await?;
    tx.commit().await?;
    Ok(created)
}

/// Removes one of the caller's keys.
///
/// # Errors
/// `NotFound` if the caller has no such key.
pub async fn delete(ctx: &RequestContext, usage: PublicKeyUse, id: PublicKeyId) -> Result<()> {
    let mut tx = ctx.begin().await?;
    let own = ctx.authorize(&mut tx, OwnAccount, actions(usage).delete).await?;
    let deleted = forge_store::public_keys::delete(&mut tx, own.id, usage, id).await?;
    let deleted = deleted.ok_or_else(Error::not_found)?;
    let event = Event::new("public_key.deleted").with("fingerprint", deleted.fingerprint);
    ctx.record(&mut tx, event.with("usage", usage.as_str())).await?;
    Ok(tx.commit().await?)
}

fn checked_title(title: &str) -> Result<String> {
    let title = title.trim();
    if title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
        return Err(invalid("title", "title is too long (maximum is 255 characters)"));
    }
    Ok(if title.is_empty() { "no title".to_owned() } else { title.to_owned() })
}

/// Returns algorithm and key without comment, and the fingerprint.
fn checked_key(text: &str) -> Result<(String, String)> {
    let refused = || invalid("key", "key is invalid. You must supply a key in OpenSSH public key format");
    let mut key: SshKey = SshKey::from_openssh(text.trim()).map_err(|_| refused())?;
    match key.algorithm() {
        Algorithm::Dsa => return Err(invalid("key", "key is too weak: DSA keys are not accepted")),
        Algorithm::Rsa { .. } if rsa_bits(&key) < MIN_RSA_BITS => {
            return Err(invalid("key", "key is too weak: RSA keys must have at least 2048 bits"));
        }
        _ => {}
    }
    key.set_comment("");
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    Ok((key.to_openssh().map_err(|_| refused())?, fingerprint))
}

fn rsa_bits(key: &SshKey) -> usize {
    let modulus = key.key_data().rsa().and_then(|key| key.n.as_positive_bytes());
    modulus
        .map_or(0, |bytes| bytes.len() * 8 - bytes.first().map_or(0, |first| first.leading_zeros() as usize))
}

fn invalid(field: &'static str, message: &str) -> Error {
    Error::invalid("PublicKey", field, FieldCode::Custom, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X someone@somewhere";

    #[test]
    fn the_comment_is_left_out_and_the_fingerprint_is_openssh() {
        let (key, fingerprint) = checked_key(ED25519).expect("a key");
        assert!(ED25519.starts_with(&key) && !key.contains('@') && !key.ends_with(' '), "{key}");
        assert!(fingerprint.starts_with("SHA256:") && fingerprint.len() == 50, "{fingerprint}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in
            ["", "ssh-ed25519", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-rsa AAAAB3"]
        {
            assert!(checked_key(text).is_err(), "{text}");
        }
    }
}
