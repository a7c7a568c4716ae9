//! An agent whose pushes must be signed: its token alone moves no ref.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use super::{KEYS, Signer, pushes};
use crate::grants::{Copy, EXT, PREFIX, World};

for_each_database! {
    async fn a29_a_token_without_the_key_moves_no_ref_where_signatures_are_required(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        let signer = Signer::new();
        signer.enrol(&world.agent.client).await;
        signer.configure(copy.path());
        let agent = format!("{EXT}/agents/{}", world.agent.login);
        let _ = world.agent.client.patch(&agent, &json!({ "signed_only": true })).await.expect(403);
        let grant = world.grant(&json!({})).await;
        let token = world.task_token(&grant).await;
        let tasked = world.forge.client().with_token(&token);
        copy.with(&server, &token);
        let branch = format!("HEAD:refs/heads/{PREFIX}x");
        copy.commit("a", "before");
        copy.push(&[&branch]).await.expect("nothing is required yet");
        let changed = world.alice.patch(&agent, &json!({ "signed_only": true })).await.expect(200);
        assert_eq!(changed.json()["signed_only"], true);

        copy.commit("a", "unsigned");
        let said = copy.push(&[&branch]).await.expect_err("unsigned");
        assert!(said.contains("this agent's pushes must be signed"), "{said}");
        // The other doors have nothing signed to show.
        let file = json!({ "message": "x", "content": "eA==", "branch": format!("{PREFIX}x") });
        let put = tasked.put("/api/v3/repos/alice/project/contents/x", &file).await.expect(403);
        assert!(put.text().contains("must be signed"), "{}", put.text());
        let id = copy.run(&["rev-parse", "HEAD~1"]).trim().to_owned();
        let made = json!({ "ref": format!("refs/heads/{PREFIX}y"), "sha": id });
        let _ = tasked.post("/api/v3/repos/alice/project/git/refs", &made).await.expect(403);
        let own = world.agent.client.post("/api/v3/user/repos", &json!({ "name": "own", "auto_init": true })).await;
        own.expect(403);
        let kept = pushes(&world.alice, "alice/project").await;
        assert_eq!(kept.len(), 2, "{kept:?}");
        // Nor does whoever has the token enrol a key to sign with.
        let thief = Signer::new();
        let body = json!({ "title": "x", "key": thief.public() });
        let refused = world.agent.client.post(KEYS, &body).await.expect(403);
        assert!(refused.text().contains("only while its human lifts that"), "{}", refused.text());

        let said = copy.push(&["--signed", &branch]).await;
        assert!(said.is_ok(), "{said:?}");
        assert_eq!(pushes(&world.alice, "alice/project").await[0]["signed_by"], signer.fingerprint().as_str());
        // While the human lifts that, the agent may add another key.
        let _ = world.alice.patch(&agent, &json!({ "signed_only": false })).await.expect(200);
        let _ = world.agent.client.post(KEYS, &body).await.expect(201);
        let _ = world.alice.patch(&agent, &json!({ "signed_only": true })).await.expect(200);
        // The human's own pushes are as before.
        let human = forge_types::credential::CredentialKind::Personal;
        copy.with(&server, &world.forge.token(&world.human, human, None).await);
        copy.push(&["HEAD:refs/heads/of-the-human"]).await.expect("a human's push");
    }
}
