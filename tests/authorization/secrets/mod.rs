//! Secrets of the forge's own in what is stored: refused at every door while they are live.

mod doors;
mod pushed;

use forge_auth::token::{INVITE_LETTER, Secret, TokenPrefix, mint_lettered};
use forge_testing::agents::secret;
use forge_types::credential::CredentialKind;
use serde_json::json;

use crate::grants::{EXT, World};

/// Returns a token of the human's that somebody could use.
pub(crate) async fn live(world: &World) -> Secret {
    world.forge.token(&world.human, CredentialKind::Personal, None).await
}

pub(crate) async fn revoke(world: &World, token: &Secret) {
    let fields = [("token", token.expose())];
    world.alice.clone().submit("/login/oauth/revoke", &fields).await.expect(200);
}

/// Returns secrets of other kinds that somebody could use, with what each is.
pub(crate) async fn others(world: &World) -> Vec<(&'static str, Secret)> {
    let grant = world.grant(&json!({})).await;
    let invite = world.alice.post(&format!("{EXT}/agent-invites"), &json!({})).await.expect(201).json();
    let session = format!("{EXT}/agent-bindings/{}/switch-session", world.agent.login);
    let session = world.alice.post(&session, &json!({})).await.expect(200).json();
    vec![
        ("standing token", world.agent.token.clone()),
        ("task token", world.task_token(&grant).await),
        ("switch session", secret(&session["token"]["token"])),
        ("invite", secret(&invite["invite_token"])),
        ("registration key", world.forge.registration_key().await),
    ]
}

/// Returns what has the form and the checksum of a secret and is none.
pub(crate) fn nobodys(seed: u8) -> Secret {
    let mut next = seed;
    mint_lettered(&TokenPrefix::default(), INVITE_LETTER, move |buffer| {
        for byte in buffer {
            next = next.wrapping_mul(31).wrapping_add(11);
            *byte = next;
        }
    })
}
