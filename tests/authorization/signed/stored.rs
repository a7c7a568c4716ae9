//! A signed push, and what is kept of it.

use std::process::{Command, Stdio};

use forge_testing::{TestForge, for_each_database};
use serde_json::Value;

use super::{Signer, pushes};
use crate::grants::{Copy, World};

/// Does `ssh-keygen` find what is kept of a push signed by this key?
fn is_verified(signer: &Signer, certificate: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let begin = certificate.find("-----BEGIN SSH SIGNATURE-----").unwrap();
    let (signed, signature) = certificate.split_at(begin);
    std::fs::write(folder.path().join("signed"), signed).unwrap();
    std::fs::write(folder.path().join("signature"), signature).unwrap();
    std::fs::write(folder.path().join("allowed"), format!("alice {}", signer.public())).unwrap();
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "verify", "-f", "allowed", "-I", "alice", "-n", "git", "-s", "signature"]);
    let signed = std::fs::File::open(folder.path().join("signed")).unwrap();
    command.current_dir(folder.path()).stdin(Stdio::from(signed)).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}

for_each_database! {
    async fn a_signed_push_is_taken_over_every_protocol_and_kept_to_the_byte(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        let signer = Signer::new();
        signer.configure(copy.path());
        signer.enrol(&world.alice).await;
        let before = pushes(&world.alice, "alice/project").await;
        assert_eq!(before[0]["signed_by"], Value::Null, "the first push was not signed");
        for version in ["0", "1", "2"] {
            copy.run(&["config", "protocol.version", version]);
            let id = copy.commit("file", version);
            let said = copy.push(&["--signed", "--push-option=ci.skip", "main"]).await;
            assert!(said.is_ok(), "{version}: {said:?}");
            let newest = pushes(&world.alice, "alice/project").await.remove(0);
            assert_eq!(newest["signed_by"], signer.fingerprint().as_str(), "{version}");
            assert_eq!(newest["actor"]["login"], "alice");
            let path = format!("/api/ext/v1/repos/alice/project/pushes/{}/certificate", newest["id"]);
            let kept = world.alice.get(&path).await.expect(200).json();
            let text = kept["certificate"].as_str().unwrap();
            assert!(text.contains(&format!(" {id} refs/heads/main\n")), "{text}");
            assert!(text.contains("\npush-option ci.skip\n"), "{text}");
            assert!(text.contains(&format!("\nnonce {}\n", kept["nonce"].as_str().unwrap())), "{text}");
            assert!(is_verified(&signer, text), "{text}");
            assert!(!is_verified(&Signer::new(), text));
        }
        // Several refs, some of them deleted, and a key of another kind of push: all in one certificate.
        let said = copy.push(&["--signed", "--atomic", "main:a", "main:b"]).await;
        assert!(said.is_ok(), "{said:?}");
        let said = copy.push(&["--signed", ":a", "main:c"]).await;
        assert!(said.is_ok(), "{said:?}");
        let events = world.alice.get("/api/ext/v1/audit-events?action=refs.updated").await.expect(200).json();
        let signed: Vec<&Value> = events.as_array().unwrap().iter().map(|event| &event["details"]["signed_by"]).collect();
        let key = Value::from(signer.fingerprint());
        assert_eq!(signed.iter().filter(|found| ***found == key).count(), 5, "{events}");
        assert!(signed.iter().any(|found| found.is_null()), "{events}");
    }

    async fn certificates_are_for_readers_of_the_repository_alone(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        let signer = Signer::new();
        signer.configure(copy.path());
        signer.enrol(&world.alice).await;
        copy.commit("file", "1");
        copy.push(&["--signed", "main"]).await.expect("signed");
        let id = pushes(&world.alice, "alice/project").await[0]["id"].clone();
        let path = format!("/api/ext/v1/repos/alice/project/pushes/{id}/certificate");
        let stranger = world.forge.client_of(&world.forge.human("mallory").await, None).await;
        for path in [path.as_str(), "/api/ext/v1/repos/alice/project/pushes"] {
            let _ = world.alice.get(path).await.expect(200);
            let _ = stranger.get(path).await.expect(404);
            let _ = world.forge.client().get(path).await.expect(404);
        }
        // Under another repository's name there is no such push.
        let _ = world.alice.get(&path.replace("project", "other")).await.expect(404);
        let unsigned = pushes(&world.alice, "alice/project").await[1]["id"].clone();
        let _ = world.alice.get(&path.replace(&id.to_string(), &unsigned.to_string())).await.expect(404);
    }

    async fn pushes_are_paged_newest_first(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        for name in ["a", "b"] {
            copy.push(&[&format!("main:{name}")]).await.expect("a push");
        }
        let ids: Vec<i64> =
            pushes(&world.alice, "alice/project").await.iter().map(|push| push["id"].as_i64().unwrap()).collect();
        assert!(ids.is_sorted_by(|a, b| a > b) && ids.len() == 3, "{ids:?}");
        let path = "/api/ext/v1/repos/alice/project/pushes?per_page=2";
        let first = world.alice.get(path).await.expect(200);
        assert!(first.header("link").unwrap().contains(&format!("before={}", ids[1])));
        let last = world.alice.get(&format!("{path}&before={}", ids[1])).await.expect(200);
        assert_eq!(last.json()[0]["id"], ids[2]);
        assert!(last.header("link").is_none());
        let _ = world.alice.get(&format!("{path}&before=x")).await.expect(422);
    }
}
