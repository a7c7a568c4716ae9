//! Secrets that come by a push.

use forge_testing::{TestForge, for_each_database};

use super::{live, nobodys, others, revoke};
use crate::grants::{Copy, World};

/// Incompressible bytes, so that the pack is large.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn is_refused(said: Result<String, String>, place: &str, value: &str) -> String {
    let said = said.expect_err(place);
    let tail = &value[value.len() - 4..];
    assert!(said.contains(&format!("{place} holds a live token (…{tail})")), "{place}: {said}");
    assert!(said.contains("revoke it or remove it from every commit"), "{said}");
    assert!(!said.contains(value), "the value is told");
    said
}

for_each_database! {
    async fn a96_a_live_token_is_refused_with_its_file_and_line_until_it_is_dead(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        let token = live(&world).await;
        let value = token.expose();
        let base = copy.run(&["rev-parse", "HEAD"]).trim().to_owned();
        let reset = || copy.run(&["reset", "--quiet", "--hard", &base]);
        copy.commit("src/deep/x.rs", &format!("{}let token = \"{value}\";\n", "\n".repeat(11)));
        is_refused(copy.push(&["main"]).await, "src/deep/x.rs:12", value);
        // Taking it out again does not take it out of what is pushed.
        copy.commit("src/deep/x.rs", "nothing\n");
        is_refused(copy.push(&["main"]).await, "src/deep/x.rs:12", value);
        reset();
        // Whatever stands around it.
        for (name, text) in [("a", format!("QUJD{value}QUJD")), ("b", format!("https://x:{value}@forge/")), ("c", format!("\u{0}{value}"))] {
            copy.commit(name, &text);
            is_refused(copy.push(&["main"]).await, &format!("{name}:1"), value);
            reset();
        }
        // A merge that brings what neither side has.
        copy.run(&["checkout", "--quiet", "-b", "side"]);
        copy.commit("one", &value[..20]);
        copy.run(&["checkout", "--quiet", "main"]);
        copy.commit("two", &value[20..]);
        copy.push(&["main", "side"]).await.expect("two halves are no token");
        copy.run(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
        copy.commit("both", value);
        is_refused(copy.push(&["main"]).await, "both:1", value);
        // Dead, it is a text like any other.
        revoke(&world, &token).await;
        copy.push(&["main"]).await.expect("the token is dead");
        copy.commit("more", &nobodys(1).expose().repeat(3));
        copy.push(&["main"]).await.expect("nobody's token");
    }

    async fn a96_messages_and_names_are_looked_through_too(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        let token = live(&world).await;
        let value = token.expose();
        let base = copy.run(&["rev-parse", "HEAD"]).trim().to_owned();
        copy.run(&["commit", "--quiet", "--allow-empty", "--message", &format!("words\n\n{value}")]);
        let id = copy.run(&["rev-parse", "HEAD"]).trim().to_owned();
        let said = copy.push(&["main"]).await.expect_err("a commit message");
        assert!(said.contains(&format!("commit {id}:")) && !said.contains(value), "{said}");
        copy.run(&["reset", "--quiet", "--hard", &base]);
        copy.run(&["tag", "--annotate", "--message", value, "v1"]);
        let said = copy.push(&["v1"]).await.expect_err("a tag message");
        assert!(said.contains("tag ") && said.contains("holds a live token") && !said.contains(value), "{said}");
        let put = |text: &str| {
            std::fs::create_dir_all(copy.path().join("keys")).unwrap();
            std::fs::write(copy.path().join(format!("keys/{value}.txt")), text).unwrap();
            copy.run(&["add", "--all"]);
            copy.run(&["commit", "--quiet", "--message", "words"]);
        };
        put("x");
        let said = copy.push(&["main"]).await.expect_err("a file name");
        assert!(said.contains("the name of a file in keys holds a live token"), "{said}");
        // A name that is told is told without the secret in it.
        copy.run(&["reset", "--quiet", "--hard", &base]);
        put(value);
        let tail = token.tail();
        is_refused(copy.push(&["main"]).await, &format!("keys/…{tail}.txt:1"), value);
        revoke(&world, &token).await;
        copy.push(&["main", "v1"]).await.expect("the token is dead");
    }

    async fn a96_secrets_of_every_kind_are_refused_and_the_audit_log_names_their_fingerprints(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        let base = copy.run(&["rev-parse", "HEAD"]).trim().to_owned();
        for (kind, secret) in others(&world).await {
            copy.commit("file", secret.expose());
            let said = copy.push(&["main"]).await.expect_err(kind);
            assert!(said.contains("file:1 holds a live token"), "{kind}: {said}");
            copy.run(&["reset", "--quiet", "--hard", &base]);
            let events = world.alice.get("/api/ext/v1/audit-events?action=secrets.refused").await.expect(200);
            let events = events.json();
            let last = events.as_array().unwrap().last().unwrap();
            assert_eq!(last["details"]["fingerprints"], serde_json::json!([secret.fingerprint()]), "{kind}");
            assert_eq!((&last["decision"], &last["resource"]), (&"deny".into(), &"repo:alice/project".into()));
            assert!(!events.to_string().contains(secret.expose()));
        }
        // Several at once are told together.
        let all: Vec<String> = others(&world).await.iter().map(|(_, secret)| secret.expose().to_owned()).collect();
        copy.commit("file", &all.join("\n"));
        let said = copy.push(&["main"]).await.expect_err("all");
        assert!(all.iter().enumerate().all(|(at, _)| said.contains(&format!("file:{} holds", at + 1))), "{said}");
        let honest = copy.run(&["rev-parse", "HEAD~1"]).trim().to_owned();
        copy.push(&[&format!("{honest}:refs/heads/honest")]).await.expect("without them");
    }

    async fn a96_large_pushes_are_looked_through_up_to_the_size_that_is_documented(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        let token = live(&world).await;
        let value = token.expose();
        let write = |name: &str, bytes: &[u8]| std::fs::write(copy.path().join(name), bytes).unwrap();
        // Larger than what is judged in process, and the secret at its very end.
        let mut large = noise(3 << 20);
        large.extend_from_slice(value.as_bytes());
        write("large", &large);
        copy.commit("small", "x");
        let said = copy.push(&["main"]).await.expect_err("at the end of a large file");
        assert!(said.contains("large:") && said.contains("holds a live token") && !said.contains(value), "{said}");
        // A difference to a file that the repository has is a new file all the same.
        copy.run(&["reset", "--quiet", "--hard", "HEAD~1"]);
        write("large", &large[..3 << 20]);
        copy.commit("small", "y");
        copy.push(&["main"]).await.expect("the file without the secret");
        write("large", &large);
        copy.commit("small", "z");
        copy.push(&["main"]).await.expect_err("the same file with the secret");
        copy.run(&["reset", "--quiet", "--hard", "HEAD~1"]);
        // Beyond the documented size nobody looks.
        let mut huge = vec![b' '; 16 << 20];
        huge.extend_from_slice(value.as_bytes());
        write("huge", &huge);
        copy.commit("small", "w");
        copy.push(&["main"]).await.expect("too large to be looked through");
        write("less", &huge[1 << 20..]);
        copy.commit("small", "v");
        copy.push(&["main"]).await.expect_err("small enough to be looked through");
    }

    async fn a96_more_lookalikes_than_are_looked_up_are_refused(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let copy = Copy::begin(&world, &server).await;
        let many = |count: u16| -> String {
            let lookalike = |at: u16| {
                let mut next = u32::from(at);
                let draw = move |buffer: &mut [u8]| {
                    for byte in buffer {
                        next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        *byte = (next >> 24) as u8;
                    }
                };
                let prefix = forge_auth::token::TokenPrefix::default();
                forge_auth::token::mint_lettered(&prefix, 'p', draw).expose().to_owned() + "\n"
            };
            (0..count).map(lookalike).collect()
        };
        copy.commit("many", &many(1_000));
        copy.push(&["main"]).await.expect("a thousand are looked up");
        copy.commit("more", &many(1_001).replace('\n', " \n"));
        let said = copy.push(&["main"]).await.expect_err("more than are looked up");
        assert!(said.contains("more than 1000 texts look like tokens"), "{said}");
    }
}
