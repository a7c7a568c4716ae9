//! <https://docs.github.com/rest/branches/branches#get-a-branch>: what was pushed, as REST shows it.

use std::path::Path;
use std::process::Stdio;

use forge_testing::{TestForge, fixtures, for_each_database};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::bench::{Bench, commit, git};

impl Bench {
    async fn branch(&self, name: &str) -> Value {
        let client = self.forge.client_of(&self.alice, Some("repo")).await;
        client.get(&format!("/api/v3/repos/alice/project/branches/{name}")).await.expect(200).json()
    }
}

/// Writes a commit with exactly this text and returns its id.
async fn written(work: &Path, text: &str) -> String {
    let mut command = Command::from(fixtures::git(work));
    command
        .args(["hash-object", "-t", "commit", "-w", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

for_each_database! {
    async fn a_list_of_refs_names_its_last_page(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["push", "-q", "origin", "HEAD:refs/heads/two", "HEAD:refs/heads/three", "HEAD:refs/tags/v1"]).await.good();
        let client = bench.forge.client_of(&bench.alice, Some("repo")).await;
        for list in ["branches", "git/matching-refs/heads/"] {
            let path = format!("/api/v3/repos/alice/project/{list}");
            let first = client.get(&format!("{path}?per_page=1")).await.expect(200);
            let link = first.header("link").unwrap_or_default();
            let last = format!("<https://forge.example{path}?per_page=1&page=3>; rel=\"last\"");
            assert!(link.contains(&last), "{link}");
            assert_eq!(client.get(&path).await.expect(200).json().as_array().map(Vec::len), Some(3));
        }
    }

    async fn a_branch_is_shown_with_its_newest_commit(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let first = git(&work, ["rev-parse", "HEAD"]).await.good();
        let tree = git(&work, ["rev-parse", "HEAD^{tree}"]).await.good();
        let second = commit(&work, "b.txt", "b\n").await;
        git(&work, ["push", "--quiet", "origin", "main:feature/x#1"]).await.good();

        let main = bench.branch("main").await;
        assert_eq!((&main["name"], &main["protected"]), (&json!("main"), &json!(false)));
        assert_eq!(main["commit"]["sha"], first);
        assert_eq!(main["commit"]["commit"]["tree"]["sha"], tree);
        assert_eq!(main["commit"]["commit"]["author"]["email"], "test@forge.example");
        assert_eq!(main["commit"]["commit"]["message"], "change README.md");
        assert_eq!(main["commit"]["parents"], json!([]));
        let unsigned = json!({ "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null });
        assert_eq!(main["commit"]["commit"]["verification"], unsigned);

        let feature = bench.branch("feature%2Fx%231").await;
        assert_eq!((&feature["name"], &feature["commit"]["sha"]), (&json!("feature/x#1"), &json!(second)));
        assert_eq!(feature["commit"]["parents"][0]["sha"], first);
        let own = feature["_links"]["self"].as_str().unwrap().to_owned();
        let client = bench.forge.client_of(&bench.alice, None).await;
        let again = client.get(own.strip_prefix("https://forge.example").unwrap()).await.expect(200).json();
        assert_eq!(again, feature, "the address it gives leads back to it");
        let by_id = format!("/api/v3/repositories/{}", bench.id());
        client.get(&by_id).await.expect(200);
    }

    async fn a_branch_that_is_absent_or_hidden_is_not_found(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        git(&work, ["tag", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "v1"]).await.good();
        let alice = bench.forge.client_of(&bench.alice, None).await;
        for name in ["none", "v1", "refs%2Fheads%2Fmain", "..%2Fmain", "ma%00in", "main%2Fbelow"] {
            alice.get(&format!("/api/v3/repos/alice/project/branches/{name}")).await.expect(404);
        }
        let path = "/api/v3/repos/alice/project/branches/main";
        let mallory = bench.forge.human_client("mallory").await;
        mallory.get(path).await.expect(404);
        bench.forge.client().get(path).await.expect(404);
        alice.get(path).await.expect(200);
    }

    /// Anybody can write anybody's name and address into a commit. What is known is who pushed it.
    async fn a32_a_commit_that_names_somebody_else_is_not_shown_as_theirs(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let victim = bench.forge.human("victor").await;
        let author = format!("--author=victor <{}>", victim.email.unwrap());
        git(&work, ["commit", "--quiet", "--allow-empty", "-m", "forged", &author]).await.good();
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        let shown = bench.branch("main").await["commit"].clone();
        assert_eq!(shown["commit"]["author"]["name"], "victor", "the claim is shown as what the commit says");
        assert_eq!((&shown["author"], &shown["committer"]), (&Value::Null, &Value::Null));
        assert_eq!(shown["commit"]["verification"]["verified"], false);
    }

    async fn a_signature_is_shown_and_not_vouched_for(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let tree = git(&work, ["rev-parse", "HEAD^{tree}"]).await.good();
        let who = "A <a@forge.example> 1700000000 +0200";
        let unsigned = format!("tree {tree}\nauthor {who}\ncommitter {who}\n");
        let signature = "-----BEGIN PGP SIGNATURE-----\n\nnonsense\n-----END PGP SIGNATURE-----";
        let text = format!("{unsigned}gpgsig {}\n\nsigned\n", signature.replace('\n', "\n "));
        let id = written(&work, &text).await;
        git(&work, ["push", "--quiet", "origin", &format!("{id}:refs/heads/signed")]).await.good();
        let shown = bench.branch("signed").await["commit"]["commit"].clone();
        let verification = &shown["verification"];
        assert_eq!((&verification["verified"], &verification["reason"]), (&json!(false), &json!("gpgverify_unavailable")));
        assert_eq!(verification["signature"], signature);
        assert_eq!(verification["payload"], format!("{unsigned}\nsigned\n"));
        assert_eq!(shown["author"]["date"], "2023-11-14T22:13:20Z");
    }
}
