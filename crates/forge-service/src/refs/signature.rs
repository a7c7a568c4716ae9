//! What a push was signed with, asked again in the transaction that relies on it and kept with the push.
//!
//! INVARIANT: a nonce moves refs once. The row of the repository is locked when it is asked whether that happened.

use forge_auth::policy::Signing;
use forge_store::push_certificates::{self, PushCertificate};
use forge_store::{Tx, public_keys};
use forge_types::Result;
use forge_types::id::{PushId, RepositoryId};
use forge_types::public_key::PublicKeyUse;

use crate::context::RequestContext;

/// Why a certificate is refused whose nonce was in another.
pub(crate) const REPLAYED: &str = "the push certificate was used before";

/// Why a certificate is refused whose key is not on record.
pub(crate) const UNKNOWN_KEY: &str =
    "the push certificate is signed with a key that is no signing key of the account";

/// Whether a push is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// It is not.
    #[default]
    None,
    /// It is, by the account that pushes.
    Good(Box<PushCertificate>),
    /// It was, when a human was asked about it.
    Before,
    /// It claims to be, and is not to be believed, for this reason.
    Refused(String),
}

impl Signature {
    /// Returns the fact for the decision.
    pub(crate) fn fact(&self) -> Signing {
        match self {
            Self::None => Signing::Unsigned,
            Self::Good(_) | Self::Before => Signing::Signed,
            Self::Refused(reason) => Signing::Refused(reason.clone()),
        }
    }

    /// Returns the key that signed the push.
    pub(super) fn signed_by(&self) -> Option<&str> {
        match self {
            Self::Good(certificate) => Some(&certificate.key_fingerprint),
            Self::None | Self::Before | Self::Refused(_) => None,
        }
    }

    /// Asks again whether the key stands and the nonce is new, and keeps the key until the transaction ends; the refusal is for
    /// the client.
    pub(super) async fn check(
        &self,
        ctx: &RequestContext,
        tx: &mut Tx,
        repository: RepositoryId,
    ) -> Result<Result<(), String>> {
        let Self::Good(certificate) = self else { return Ok(Ok(())) };
        let (account, key) = (ctx.account()?.id, &certificate.key_fingerprint);
        if !public_keys::hold(tx, account, PublicKeyUse::Signing, key).await? {
            return Ok(Err(UNKNOWN_KEY.to_owned()));
        }
        if push_certificates::is_used(tx, repository, &certificate.nonce).await? {
            return Ok(Err(REPLAYED.to_owned()));
        }
        Ok(Ok(()))
    }

    /// Keeps the certificate with its push.
    pub(super) async fn record(&self, tx: &mut Tx, repository: RepositoryId, push: PushId) -> Result<()> {
        if let Self::Good(certificate) = self {
            push_certificates::insert(tx, (repository, push), certificate).await?;
        }
        Ok(())
    }
}
