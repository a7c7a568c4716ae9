//! What a person sees before deciding.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use super::{Desk, approval_in};

for_each_database! {
    async fn the_page_shows_who_asks_for_what_under_which_task(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let (commit, id) = desk.held("let x = 1;\n").await;
        let list = desk.browser.visit("/approvals").await.expect(200).text();
        assert!(list.contains(&id) && list.contains("refs/heads/main"), "{list}");
        let page = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        let login = desk.world.agent.login.as_str();
        for shown in [login, "On behalf of", "alice", "fix the payment bug", "alice/project", &commit[..7], "src/lib.rs", "+let x = 1;"] {
            assert!(page.contains(shown), "no `{shown}`: {page}");
        }
        let home = desk.browser.visit("/").await.expect(200).text();
        assert!(home.contains("href=\"/approvals\""));
    }

    async fn a87_nothing_on_the_page_looks_like_something_else(forge: TestForge) {
        let mut desk = Desk::with(forge, &json!({
            "task": "<script>alert(1)</script>\u{202e}",
            "constraints": { "requires_approval": ["create_branch"] },
        })).await;
        std::fs::create_dir_all(desk.copy.path().join("src")).unwrap();
        std::fs::write(desk.copy.path().join("src/<b>x\u{200b}.rs"), "if ok {\u{202e} } // \u{2066}admin\n</pre><form>\n").unwrap();
        desk.copy.run(&["add", "--all"]);
        desk.copy.run(&["commit", "--quiet", "--message", "harmless\u{202e} <button>Approve</button>"]);
        let said = desk.copy.push(&["HEAD:refs/heads/a<b>"]).await.expect_err("it waits");
        let id = approval_in(&said);
        let page = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        for hidden in ['\u{202e}', '\u{2066}', '\u{200b}'] {
            assert!(!page.contains(hidden), "{hidden:?} in {page}");
        }
        for markup in ["<script>", "</pre><form>", "<b>", "<button>Approve"] {
            assert!(!page.contains(markup), "{markup} in {page}");
        }
        assert_eq!(page.matches("<form").count(), 2, "signing out and answering: {page}");
        assert!(page.contains("<mark>U+202E</mark>"), "{page}");
    }

    async fn forced_changes_and_what_is_left_out_are_said(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        let lines: String = (0..5000).map(|number| format!("line {number}\n")).collect();
        desk.copy.run(&["commit", "--quiet", "--amend", "--message", "rewritten"]);
        desk.copy.commit("long", &lines);
        let said = desk.copy.push(&["--force", "HEAD:refs/heads/main"]).await.expect_err("it waits");
        let page = desk.browser.visit(&format!("/approvals/{}", approval_in(&said))).await.expect(200).text();
        assert!(page.contains("This is forced"), "{page}");
        assert!(page.contains("cannot be shown here") || page.contains("lines of this file are not shown"), "{page}");
    }

    async fn what_has_nothing_in_common_with_what_is_there_is_shown_whole(forge: TestForge) {
        let mut desk = Desk::with(forge, &json!({ "constraints": { "requires_approval": ["create_branch"] } })).await;
        desk.copy.run(&["checkout", "--quiet", "--orphan", "other"]);
        desk.copy.commit("elsewhere", "unrelated line\n");
        let said = desk.copy.push(&["HEAD:refs/heads/other"]).await.expect_err("it waits");
        let page = desk.browser.visit(&format!("/approvals/{}", approval_in(&said))).await.expect(200).text();
        assert!(page.contains("+unrelated line") && page.contains("README.md"), "{page}");
    }

    async fn files_that_are_left_out_are_said(forge: TestForge) {
        let mut desk = Desk::new(forge).await;
        for number in 0..301 {
            std::fs::write(desk.copy.path().join(format!("file{number}")), "x\n").unwrap();
        }
        let (_, id) = desk.held("code").await;
        let page = desk.browser.visit(&format!("/approvals/{id}")).await.expect(200).text();
        assert!(page.contains("More files differ than are shown here"), "{}", &page[page.len() - 3000..]);
    }
}
