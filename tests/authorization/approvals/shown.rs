//! Whoever approves sees all that happens; what cannot be seen is named, and takes a word of its own.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use forge_testing::browser::submit;
use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use super::{Desk, approval_in};
use crate::grants::EXT;

impl Desk {
    /// Pushes what waits; returns the id of its approval and its page.
    async fn shown(&mut self, refs: &[&str]) -> (String, String) {
        let said = self.copy.push(refs).await.expect_err("it waits");
        let id = approval_in(&said);
        let page = self.page(&id).await;
        (id, page)
    }

    async fn page(&mut self, id: &str) -> String {
        self.browser.visit(&format!("/approvals/{id}")).await.expect(200).text()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.copy.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Commits everything, whoever says to have written it.
    fn commit_all(&self, message: &str) {
        self.copy.run(&["add", "--all"]);
        self.copy.run(&["commit", "--quiet", "--message", message]);
    }
}

/// Panics unless a page has all these texts.
fn has(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "no `{text}`: {page}");
    }
}

for_each_database! {
    async fn what_an_approved_force_push_loses_is_listed_commits_and_lines(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let lost = desk.copy.run(&["rev-parse", "HEAD"]).trim().to_owned();
        desk.write("README.md", b"other");
        desk.copy.run(&["commit", "--quiet", "--all", "--amend", "--message", "rewritten"]);
        let (_, page) = desk.shown(&["--force", "HEAD:refs/heads/main"]).await;
        has(&page, &[
            "wants to overwrite the branch main, the default branch, of alice/project",
            "1 commit leaves this ref", "1 commit is lost: no ref reaches it any more", &lost[..7], "<del>-first</del>", "<ins>+other</ins>",
            "<li>forced</li>", "<li>default branch</li>",
        ]);
        // Another branch that has it keeps it.
        desk.copy.push(&[&format!("{lost}:refs/heads/kept")]).await.expect("needs nobody");
        desk.copy.run(&["commit", "--quiet", "--amend", "--message", "rewritten again"]);
        let (_, page) = desk.shown(&["--force", "HEAD:refs/heads/main"]).await;
        has(&page, &["No commit is lost: other refs have all of them", "<del>-first</del>"]);
    }

    async fn what_goes_with_a_ref_that_an_approval_deletes_is_listed(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let gone = desk.copy.commit("src/only-here.rs", "let gone = 1;\n");
        desk.copy.push(&["HEAD:refs/heads/side"]).await.expect("needs nobody");
        let (_, page) = desk.shown(&[":refs/heads/side"]).await;
        has(&page, &[
            "wants to delete the branch side of alice/project", "<li>deletion</li>",
            "1 commit is lost", &gone[..7], "src/only-here.rs", "<del>-let gone = 1;</del>",
        ]);
        assert!(!page.contains("README.md</code>"), "what the default branch has stays: {page}");
    }

    async fn an_approval_shows_links_executables_submodules_and_modes(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let folder = desk.copy.path().to_owned();
        std::os::unix::fs::symlink("/etc/passwd", folder.join("link")).unwrap();
        desk.write("run.sh", b"#!/bin/sh\n");
        desk.write("empty", b"");
        for name in ["run.sh", "README.md"] {
            std::fs::set_permissions(folder.join(name), PermissionsExt::from_mode(0o755)).unwrap();
        }
        desk.copy.run(&["add", "--all"]);
        let commit = "1234567890123456789012345678901234567890";
        desk.copy.run(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendored")]);
        desk.copy.run(&["commit", "--quiet", "--message", "modes"]);
        let (_, page) = desk.shown(&["HEAD:refs/heads/main"]).await;
        has(&page, &[
            "new symbolic link, mode 120000", "new executable file, mode 100755",
            "file → executable file, mode 100644 → 100755", "Only its mode changes",
            &format!("new submodule at commit {commit}, mode 160000"), "It is empty.",
        ]);
        assert!(!page.contains("looked_elsewhere"), "all of it is shown: {page}");
    }

    async fn what_an_approval_cannot_show_is_named_and_takes_a_tick(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let before = desk.tip("heads/main").await;
        desk.write("image.bin", b"\0\x01\x02");
        let lines: String = (0..60_000).map(|number| format!("line {number}\n")).collect();
        desk.write("long.txt", lines.as_bytes());
        desk.commit_all("unseen");
        let object = desk.copy.run(&["rev-parse", "HEAD:image.bin"]).trim().to_owned();
        let long = desk.copy.run(&["rev-parse", "HEAD:long.txt"]).trim().to_owned();
        let (id, page) = desk.shown(&["HEAD:refs/heads/main"]).await;
        has(&page, &[
            "Not all that you would approve is shown", "it is binary", "3 bytes, object", &object,
            "60000 changed lines are too many", &format!("{} bytes, object", lines.len()), &long,
            "I have looked at what is not shown here by other means", "<li>not all is shown</li>",
        ]);
        // The form could be sent without what HTML requires.
        for fields in [&[][..], &[("looked_elsewhere", "no")][..]] {
            let path = format!("/approvals/{id}");
            let refused = submit(&mut desk.browser, &path, &format!("{path}/approve"), fields).await.expect(422).text();
            has(&refused, &["Not all of this is shown"]);
        }
        assert_eq!(desk.approval(&id).await["status"], "pending");
        assert_eq!(desk.tip("heads/main").await, before);
        let path = format!("/approvals/{id}");
        submit(&mut desk.browser, &path, &format!("{path}/approve"), &[("looked_elsewhere", "yes")]).await.expect(303);
        assert_eq!(desk.approval(&id).await["status"], "consumed");
    }

    async fn what_an_approval_does_not_show_is_denied_without_a_tick(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        desk.write("latin1.txt", b"caf\xe9\n");
        desk.commit_all("no UTF-8");
        let (id, page) = desk.shown(&["HEAD:refs/heads/main"]).await;
        has(&page, &["some of its bytes are no text in UTF-8"]);
        let _ = desk.answer(&id, "deny", "").await.expect(303);
        assert_eq!(desk.approval(&id).await["status"], "denied");
    }

    async fn an_approval_shows_whole_messages_and_who_says_to_have_written_them(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        desk.write("a", b"1\n");
        desk.copy.run(&["add", "--all"]);
        let body = "Reviewed by everybody\u{202e} <b>";
        desk.copy.run(&["commit", "--quiet", "--message", "subject", "--message", body, "--author", "Linus <linus@example.org>"]);
        let (id, page) = desk.shown(&["HEAD:refs/heads/main"]).await;
        has(&page, &[
            "subject\n\nReviewed by everybody<mark>U+202E</mark> &lt;b&gt;", "author Linus &lt;linus@example.org&gt;, committer ",
            "what the commits say; nobody checked them",
        ]);
        assert!(!page.contains("looked_elsewhere"), "{page}");
        let long = "x".repeat(20_000);
        desk.copy.run(&["commit", "--quiet", "--amend", "--message", &long]);
        let (other, page) = desk.shown(&["HEAD:refs/heads/main"]).await;
        assert_ne!(id, other);
        has(&page, &["its end is not shown", "looked_elsewhere"]);
    }

    async fn the_title_of_an_approval_says_what_is_wanted_and_marks_what_matters(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        desk.copy.commit("a", "1");
        desk.copy.commit(".GitHub/workflows/ci.yml", "on: push\n");
        let (id, page) = desk.shown(&["HEAD:refs/heads/main"]).await;
        let title = format!("{} wants to push 2 commits to main, the default branch, of alice/project", desk.world.agent.login);
        has(&page, &[
            &format!("<h1>{title}</h1>"), "<li>default branch</li>", "<li>changes .github/workflows</li>",
            "Task, in its words", "<blockquote>fix the payment bug</blockquote>",
            "The grant lets this be done only when a person agrees, each time.", "<code>approval.grant</code>",
            "a later one takes away again", "2 files", "href=\"#file-0-0\"", "<details class=\"file\" id=\"file-0-0\" open>",
        ]);
        let list = desk.browser.visit("/approvals").await.expect(200).text();
        has(&list, &[&format!("<a href=\"/approvals/{id}\">push to main, the default branch, of alice/project</a>"), "waits for a decision"]);
        desk.approve(&id).await;
        has(&desk.page(&id).await, &["wanted to push", "approved and done"]);
        has(&desk.browser.visit("/approvals?all=true").await.expect(200).text(), &["approved and done"]);
    }

    async fn an_approval_that_can_no_longer_succeed_says_so_before_it_is_answered(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (_, id) = desk.held("code").await;
        let page = desk.page(&id).await;
        has(&page, &["class=\"answers\"", "Exactly what is shown above happens"]);
        assert!(!page.contains("This can no longer be done"), "{page}");
        let scope = format!("agent:{}", desk.world.agent.login);
        let stop = json!({ "scope": scope, "reason": "test" });
        let stop = desk.world.alice.post(&format!("{EXT}/kill-switches"), &stop).await.expect(201).json();
        let page = desk.page(&id).await;
        has(&page, &["This can no longer be done", "kill switch"]);
        assert!(!page.contains("Exactly what is shown above happens"), "{page}");
        let lifted = format!("{EXT}/kill-switches/{}", stop["id"].as_str().unwrap());
        desk.world.alice.delete(&lifted).await.expect(204);
        assert!(!desk.page(&id).await.contains("This can no longer be done"));
        let put = json!({ "message": "m", "content": "eA==", "branch": "main" });
        desk.world.alice.put("/api/v3/repos/alice/project/contents/elsewhere", &put).await.expect(201);
        has(&desk.page(&id).await, &["This can no longer be done", "somebody moved it meanwhile"]);
    }

    async fn signing_in_again_for_an_approval_says_what_for(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        desk.world.forge.advance(Duration::from_secs(6 * 60));
        let asked = desk.browser.visit("/login?confirm=true&return_to=%2Fapprovals%2Fapr_1").await.expect(200).text();
        has(&asked, &["You are about to decide about what an agent asks for"]);
        assert!(!asked.contains("gives somebody access"), "{asked}");
        let other = desk.browser.visit("/login?confirm=true&return_to=%2Fsettings%2Ftokens").await.expect(200).text();
        has(&other, &["gives somebody access"]);
    }

    async fn an_approval_of_a_branch_at_an_old_commit_says_that_nothing_is_added(forge: TestForge) {
        let mut desk = Desk::with(forge, &json!({ "constraints": { "requires_approval": ["create_branch"] } })).await;
        desk.copy.commit("a", "1");
        desk.copy.push(&["HEAD:refs/heads/main"]).await.expect("needs nobody");
        let (_, page) = desk.shown(&["HEAD~1:refs/heads/old"]).await;
        has(&page, &["wants to create the branch old of alice/project", "No commit is added: the default branch has all of them already", "No file differs"]);
        assert!(!page.contains("not in it"), "{page}");
    }

    async fn an_approval_of_a_tag_shows_what_the_tag_says(forge: TestForge) {
        let mut desk = Desk::with(forge, &json!({
            "actions": ["read_code", "create_branch", "create_tag"],
            "constraints": { "requires_approval": ["create_tag"] },
        })).await;
        desk.copy.run(&["tag", "--annotate", "v1", "--message", "approved by the board"]);
        let (_, page) = desk.shown(&["v1"]).await;
        has(&page, &["wants to create the tag v1 of alice/project", "approved by the board", "tagger "]);
    }
}
