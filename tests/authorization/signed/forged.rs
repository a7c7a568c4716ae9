//! Certificates that prove nothing, each beside one that does.

use std::path::Path;
use std::process::Stdio;

use forge_testing::fixtures::{git, succeed};
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::repository::Visibility;

use super::{Draft, KEYS, PUSH, Signer, body, nonce, pushes, send};
use crate::pushes::chunked_body::streamed;

const ZERO: &str = "0000000000000000000000000000000000000000";
const PROJECT: &str = "alice/project";

/// A human with two repositories and a key, and a commit to push.
struct Desk {
    forge: TestForge,
    alice: Client,
    signer: Signer,
    key: i64,
    id: String,
    pack: Vec<u8>,
}

impl Desk {
    async fn new(forge: TestForge) -> Self {
        let human = forge.human("alice").await;
        for name in ["project", "other"] {
            forge.repository(&human, name, Visibility::Private).await;
        }
        let alice = forge.client_of(&human, None).await;
        let signer = Signer::new();
        let key = signer.enrol(&alice).await;
        let folder = tempfile::tempdir().unwrap();
        let (id, pack) = commit_and_pack(folder.path());
        Self { forge, alice, signer, key, id, pack }
    }

    fn create(&self, name: &str) -> String {
        format!("{ZERO} {} refs/heads/{name}", self.id)
    }

    /// Sends what somebody signed; returns what was answered.
    async fn push(&self, certificate: &str) -> String {
        send(&self.alice, PROJECT, certificate, &[], &self.pack).await.text()
    }

    /// Signs and sends an honest certificate that creates a branch, with what is different.
    async fn try_with(&self, name: &str, nonce: Option<&str>, pushee: Option<&str>) -> String {
        let commands = [self.create(name)];
        let text = Draft { nonce, pushee, commands: &commands }.text();
        self.push(&self.signer.sign(&text, "git")).await
    }

    async fn honest(&self, name: &str) {
        let nonce = nonce(&self.alice, PROJECT).await;
        let said = self.try_with(name, Some(&nonce), None).await;
        assert!(said.contains(&format!("ok refs/heads/{name}")), "{said}");
    }

    async fn refs(&self) -> String {
        self.alice.get("/alice/project.git/info/refs?service=git-upload-pack").await.expect(200).text()
    }
}

fn commit_and_pack(folder: &Path) -> (String, Vec<u8>) {
    succeed(git(folder).args(["init", "--quiet", "--initial-branch=main"]));
    succeed(git(folder).args(["commit", "--quiet", "--allow-empty", "--message", "first"]));
    let id = succeed(git(folder).args(["rev-parse", "HEAD"])).trim().to_owned();
    let pack = git(folder).args(["pack-objects", "--all", "--stdout", "-q"]).stdin(Stdio::null()).output();
    (id, pack.unwrap().stdout)
}

#[track_caller]
fn is_refused(said: &str, why: &str) {
    assert!(!said.contains("ok refs/") && said.contains(why), "{why}: {said}");
}

for_each_database! {
    async fn a29_a_certificate_moves_refs_once(forge: TestForge) {
        let desk = Desk::new(forge).await;
        desk.honest("main").await;
        let nonce = nonce(&desk.alice, PROJECT).await;
        let text = Draft { nonce: Some(&nonce), pushee: None, commands: &[desk.create("a")] }.text();
        let certificate = desk.signer.sign(&text, "git");
        let said = desk.push(&certificate).await;
        assert!(said.contains("ok refs/heads/a"), "{said}");
        // Somebody takes the branch back; whoever kept the certificate cannot bring it about again.
        let _ = desk.alice.delete("/api/v3/repos/alice/project/git/refs/heads/a").await.expect(204);
        is_refused(&desk.push(&certificate).await, "was used before");
        // Nor can one nonce be signed over twice.
        is_refused(&desk.try_with("b", Some(&nonce), None).await, "was used before");
        assert!(!desk.refs().await.contains("refs/heads/a"));
        desk.honest("a").await;
    }

    async fn a29_a_nonce_is_for_this_repository_account_and_time(forge: TestForge) {
        let desk = Desk::new(forge).await;
        is_refused(&desk.try_with("a", None, None).await, "has no nonce");
        let elsewhere = nonce(&desk.alice, "alice/other").await;
        is_refused(&desk.try_with("a", Some(&elsewhere), None).await, "not given out for this push");
        let bob = desk.forge.human("bob").await;
        let body = serde_json::json!({ "permission": "push" });
        let added = desk.alice.put("/api/v3/repos/alice/project/collaborators/bob", &body).await;
        assert!(added.status.is_success(), "{}", added.text());
        let bob = desk.forge.client_of(&bob, None).await;
        let of_bob = nonce(&bob, PROJECT).await;
        is_refused(&desk.try_with("a", Some(&of_bob), None).await, "not given out for this push");
        let stale = nonce(&desk.alice, PROJECT).await;
        desk.forge.advance(std::time::Duration::from_secs(601));
        is_refused(&desk.try_with("a", Some(&stale), None).await, "too old");
        let slow = nonce(&desk.alice, PROJECT).await;
        desk.forge.advance(std::time::Duration::from_secs(599));
        let said = desk.try_with("a", Some(&slow), None).await;
        assert!(said.contains("ok refs/heads/a"), "{said}");
    }

    async fn a29_a_certificate_for_another_address_is_refused(forge: TestForge) {
        let desk = Desk::new(forge).await;
        let origin = desk.forge.app().settings().origin.as_str().trim_end_matches('/').to_owned();
        let elsewhere = [
            format!("{origin}/alice/other.git"),
            "https://evil.example/alice/project.git".to_owned(),
            "http://127.0.0.1:1/mallory/project.git".to_owned(),
        ];
        for pushee in elsewhere {
            let nonce = nonce(&desk.alice, PROJECT).await;
            let said = desk.try_with("a", Some(&nonce), Some(&pushee)).await;
            is_refused(&said, "is for another repository");
        }
        let nonce = nonce(&desk.alice, PROJECT).await;
        let said = desk.try_with("a", Some(&nonce), Some(&format!("{origin}/alice/project.git"))).await;
        assert!(said.contains("ok refs/heads/a"), "{said}");
    }

    async fn a29_what_is_done_is_what_was_signed(forge: TestForge) {
        let desk = Desk::new(forge).await;
        let fresh = || nonce(&desk.alice, PROJECT);
        let first = fresh().await;
        let text = Draft { nonce: Some(&first), pushee: None, commands: &[desk.create("a")] }.text();
        let certificate = desk.signer.sign(&text, "git");
        // Commands beside those that were signed, and others in their place.
        let beside = [desk.create("evil")];
        let said = send(&desk.alice, PROJECT, &certificate, &beside, &desk.pack).await;
        assert_eq!(said.status, 400, "{}", said.text());
        is_refused(&said.text(), "beside those that were signed");
        is_refused(&desk.push(&certificate.replace("refs/heads/a", "refs/heads/evil")).await, "is wrong");
        let unsigned = certificate.replace("\n-----BEGIN", &format!("\n{}\n-----BEGIN", desk.create("evil")));
        is_refused(&desk.push(&unsigned).await, "is wrong");
        // Signed for something else than Git.
        let said = desk.push(&desk.signer.sign(&text, "file")).await;
        is_refused(&said, "is wrong");
        is_refused(&desk.push(&text).await, "is not signed");
        assert!(!desk.refs().await.contains("evil"));
        let said = desk.push(&certificate).await;
        assert!(said.contains("ok refs/heads/a"), "{said}");
    }

    async fn a29_only_keys_that_the_pusher_has_on_record_count(forge: TestForge) {
        let desk = Desk::new(forge).await;
        desk.honest("a").await;
        let unknown = Signer::new();
        let first = nonce(&desk.alice, PROJECT).await;
        let text = Draft { nonce: Some(&first), pushee: None, commands: &[desk.create("b")] }.text();
        is_refused(&desk.push(&unknown.sign(&text, "git")).await, "no signing key of the account");
        // A key of somebody else's, and one of one's own that is for signing in.
        let bob = desk.forge.client_of(&desk.forge.human("bob").await, None).await;
        let of_bob = Signer::new();
        of_bob.enrol(&bob).await;
        is_refused(&desk.push(&of_bob.sign(&text, "git")).await, "no signing key of the account");
        let body = serde_json::json!({ "title": "login", "key": unknown.public() });
        let _ = desk.alice.post("/api/v3/user/keys", &body).await.expect(201);
        is_refused(&desk.push(&unknown.sign(&text, "git")).await, "no signing key of the account");
        // A key that was withdrawn.
        let certificate = desk.signer.sign(&text, "git");
        let _ = desk.alice.delete(&format!("{KEYS}/{}", desk.key)).await.expect(204);
        is_refused(&desk.push(&certificate).await, "no signing key of the account");
        let all = pushes(&desk.alice, PROJECT).await;
        assert_eq!(all.len(), 1, "{all:?}");
        desk.signer.enrol(&desk.alice).await;
        desk.honest("b").await;
    }

    async fn a29_a_key_withdrawn_while_the_pack_arrives_signs_nothing(forge: TestForge) {
        let desk = Desk::new(forge).await;
        let first = nonce(&desk.alice, PROJECT).await;
        let text = Draft { nonce: Some(&first), pushee: None, commands: &[desk.create("a")] }.text();
        let (body, waits, send) = streamed(body(&desk.signer.sign(&text, "git"), &[]));
        let under_way = desk.alice.send_body(http::Method::POST, "/alice/project.git/git-receive-pack", PUSH, body);
        let meanwhile = async {
            waits.await.unwrap();
            let _ = desk.alice.delete(&format!("{KEYS}/{}", desk.key)).await.expect(204);
            send.send(desk.pack.clone()).unwrap();
        };
        let (answer, ()) = tokio::join!(under_way, meanwhile);
        is_refused(&answer.text(), "no signing key of the account");
        desk.signer.enrol(&desk.alice).await;
        desk.honest("a").await;
    }

    async fn a29_refused_certificates_are_in_the_audit_log(forge: TestForge) {
        let desk = Desk::new(forge).await;
        is_refused(&desk.try_with("a", Some("1-2-3"), None).await, "not given out for this push");
        let path = "/api/ext/v1/audit-events?decision=deny";
        let events = desk.alice.get(path).await.expect(200).json();
        let reason = "the nonce of the push certificate was not given out for this push";
        assert!(events.as_array().unwrap().iter().any(|event| event["reason"] == reason), "{events}");
    }
}
