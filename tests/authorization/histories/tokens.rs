//! I1, I2, I6, I7, I14, I15 and I19: how long each token lasts, what it came from, and when it opens nothing any more.

use forge_auth::token::Secret;
use forge_store::credentials::Authentication;
use forge_types::account::AccountStatus;
use forge_types::credential::CredentialKind;
use forge_types::grant::GrantState;
use serde_json::json;

use super::History;
use crate::grants::EXT;

impl History {
    /// I14, I15 and I19: what is over opens nothing from the very moment on, and what is not opens what it did.
    pub(super) async fn check_life(&self, token: &Secret, found: &Authentication) {
        let stands = self.stands(found);
        let status = self.forge.client().with_token(token).get("/api/v3/user").await.status.as_u16();
        let expected = if stands { 200 } else { 401 };
        // A kill switch or a narrow grant may forbid what a token that stands asks for, but never with 401.
        assert!(
            status == expected || (stands && status == 403),
            "{} {:?}: {status}, not {expected}",
            token.fingerprint(),
            found.credential.kind
        );
    }

    /// The rows say it: written down here once more, apart from how the forge does it.
    pub(super) fn stands(&self, found: &Authentication) -> bool {
        let (now, credential) = (self.forge.now(), &found.credential);
        let is_kept = credential.revoked_at.is_none() && credential.consumed_at.is_none();
        let has_time = credential.expires_at.is_none_or(|expiry| now < expiry);
        let acts = |status: Option<AccountStatus>| status == Some(AccountStatus::Active);
        let is_bound = found.acting.as_ref().is_none_or(|acting| found.owner_id == Some(acting.id));
        let grants = found.chain.iter().all(|link| {
            link.life.state(now) == GrantState::Active && link.delegator_status == AccountStatus::Active
        });
        let lender = found.on_behalf_of.as_ref().filter(|_| found.chain.is_empty());
        is_kept
            && has_time
            && acts(Some(found.status))
            && (found.acting.is_none() || (acts(found.acting_status) && is_bound))
            && grants
            && lender.is_none_or(|(_, status)| acts(Some(*status)))
    }

    /// I1: the kind of a credential says how long it can last.
    pub(super) fn check_lifetime(&self, found: &Authentication) {
        let credential = &found.credential;
        if let Some(longest) = credential.kind.max_lifetime() {
            let expires_at = credential.expires_at.expect("such a credential ends");
            let began = if credential.kind == CredentialKind::Switch {
                self.forge.now()
            } else {
                credential.created_at
            };
            let latest = began.max(credential.created_at).plus(longest);
            assert!(expires_at <= latest, "{:?} lasts past its kind", credential.kind);
        }
        if let Some(link) = found.chain.first() {
            assert!(credential.expires_at <= Some(link.life.expires_at), "a token outlasts its grant");
        }
    }

    /// I2: what was derived is within what it came from.
    pub(super) async fn check_derived(&self, found: &Authentication) {
        let credential = &found.credential;
        let Some(parent) = credential.parent_id else { return };
        let mut conn = self.forge.app().db().read().await.unwrap();
        let parent =
            forge_store::credentials::find_with_bearer(&mut conn, parent).await.unwrap().unwrap().credential;
        if let Some(until) = parent.expires_at {
            assert!(
                credential.expires_at.is_some_and(|expiry| expiry <= until),
                "a token outlasts its parent"
            );
        }
        if let Some(scopes) = &parent.scopes {
            assert!(
                credential.scopes.as_ref().is_some_and(|own| scopes.includes(own)),
                "a token has more scopes"
            );
        }
        assert!(parent.cnf_jkt.is_none() || credential.cnf_jkt == parent.cnf_jkt, "a token lost its key");
    }

    /// I6 and I7: a switch session lives by its binding, and changes nothing about whom the forge trusts.
    pub(super) async fn check_switch(&self, token: &Secret, found: &Authentication) {
        if found.credential.kind != CredentialKind::Switch || !self.stands(found) {
            return;
        }
        let acting = found.acting.as_ref().expect("a switch session is somebody's");
        assert_eq!(found.owner_id, Some(acting.id), "a switch session outlived its binding");
        let client = self.forge.client().with_token(token);
        for (path, body) in [
            ("user/tokens".to_owned(), json!({ "name": "mine" })),
            ("agent-bindings/confirm".to_owned(), json!({ "invite_token": "fgei_none" })),
            (format!("agents/{}/keys", found.account.login), json!({})),
        ] {
            let status = client.post(&format!("{EXT}/{path}"), &body).await.status.as_u16();
            assert!(status >= 400, "a switch session did {path}: {status}");
        }
    }
}
