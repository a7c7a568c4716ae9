//! What a task token moves over Git, over every version of the protocol.

use forge_testing::{TestForge, for_each_database};
use serde_json::json;

use super::{Copy, PREFIX, World};

/// Refused names beside one that is within the prefix.
const OUTSIDE: [&str; 8] = [
    "refs/heads/main",
    "refs/heads/agent/task-123",
    "refs/heads/agent/task-1",
    "refs/heads/agent/task-1234/x",
    "refs/heads/Agent/Task-123/x",
    "refs/tags/v1",
    "refs/notes/commits",
    "refs/heads/agent/task-12\u{200b}3/x",
];

for_each_database! {
    async fn a15_a17_a20_a_task_token_moves_branches_below_its_prefix_alone(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        let grant = world.grant(&json!({})).await;
        copy.with(&server, &world.task_token(&grant).await);
        copy.commit("src/lib.rs", "code");
        for version in ["0", "1", "2"] {
            copy.run(&["config", "protocol.version", version]);
            for name in OUTSIDE {
                let refused = copy.push(&[&format!("HEAD:{name}")]).await.expect_err(name);
                assert!(refused.contains("remote rejected"), "{name}: {refused}");
            }
            let said = copy.push(&["HEAD:refs/heads/main"]).await.expect_err("main");
            let told = format!("grant {} allows refs/heads/{PREFIX}*", grant["id"].as_str().unwrap());
            assert!(said.contains(&told), "{said}");
            assert!(said.contains("(the ref is outside of the task's branches)"), "{said}");
            copy.commit("src/lib.rs", &format!("code of protocol {version}"));
            let honest = copy.push(&[&format!("HEAD:refs/heads/{PREFIX}fix")]).await;
            assert!(honest.is_ok(), "{honest:?}");
        }
        copy.commit("src/lib.rs", "both");
        let inside = format!("HEAD:refs/heads/{PREFIX}both");
        let atomic = copy.push(&["--atomic", &inside, "HEAD:refs/heads/main"]).await.expect_err("one is outside");
        assert!(!atomic.contains("[new branch]"), "{atomic}");
        let one_by_one = copy.push(&[&inside, "HEAD:refs/heads/main"]).await.expect_err("one is outside");
        assert!(one_by_one.contains("[new branch]"), "{one_by_one}");
        let refs = world.alice.get("/api/v3/repos/alice/project/git/matching-refs/heads").await.expect(200);
        let names: Vec<String> =
            refs.json().as_array().unwrap().iter().map(|one| one["ref"].as_str().unwrap().to_owned()).collect();
        let expected = [format!("refs/heads/{PREFIX}both"), format!("refs/heads/{PREFIX}fix"), "refs/heads/main".to_owned()];
        assert_eq!(names, expected);
    }

    async fn a16_a26_no_spelling_leads_out_of_the_prefix(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        let grant = world.grant(&json!({})).await;
        let token = world.task_token(&grant).await;
        copy.with(&server, &token);
        let id = copy.commit("a", "1");
        copy.push(&[&format!("HEAD:refs/heads/{PREFIX}caf\u{e9}")]).await.expect("an honest name");
        // What git itself would not send is sent as it is.
        let names = [
            format!("refs/heads/{PREFIX}../main"),
            format!("refs/heads/{PREFIX}./x"),
            format!("refs/heads/{PREFIX}/x"),
            format!("refs/heads/{PREFIX}x.lock"),
            format!("refs/heads/{PREFIX}x\u{200d}y"),
            format!("refs/heads/{PREFIX}\u{202e}x"),
            format!("refs/heads/{PREFIX}cafe\u{301}"),
            format!("refs/heads/{PREFIX}CAF\u{c9}"),
            format!("refs/heads/{PREFIX}-x"),
            "refs/heads/\u{ff41}gent/task-123/x".to_owned(),
            "refs/heads/agent/ta\u{17f}k-123/x".to_owned(),
            "refs/heads/agent\\task-123\\x".to_owned(),
            "refs/heads/agent%2Ftask-123%2Fx".to_owned(),
        ];
        let client = world.forge.client().with_token(&token);
        let empty = [b"PACK".as_slice(), &[0, 0, 0, 2, 0, 0, 0, 0]].concat();
        let digest = "029d08823bd8a8eab510ad6ac75c823cfd3ed31e";
        let digest = data_encoding::HEXLOWER.decode(digest.as_bytes()).unwrap();
        let client = &client;
        let push = async |name: &str| {
            let line = format!("{} {id} {name}\0report-status\n", "0".repeat(40));
            let commands = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
            let body = [commands, empty.clone(), digest.clone()].concat();
            let kind = "application/x-git-receive-pack-request";
            client.send_body(http::Method::POST, "/alice/project.git/git-receive-pack", kind, body).await.text()
        };
        for name in names {
            let said = push(&name).await;
            assert!(!said.contains(&format!("ok {name}")), "{name}: {said}");
        }
        let honest = format!("refs/heads/{PREFIX}plain");
        let said = push(&honest).await;
        assert!(said.contains(&format!("ok {honest}")), "the same push with an honest name: {said}");
        let refs = world.alice.get("/api/v3/repos/alice/project/git/matching-refs/heads/a").await.expect(200);
        assert_eq!(refs.json().as_array().unwrap().len(), 2, "{}", refs.text());
    }

    async fn a18_a19_deleting_and_forcing_take_actions_of_their_own(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        let plain = world.grant(&json!({})).await;
        let bold = json!({ "actions": ["read_code", "create_branch", "push_branch", "force_push", "delete_ref"] });
        let bold = world.grant(&bold).await;
        let branch = format!("refs/heads/{PREFIX}x");
        copy.with(&server, &world.task_token(&plain).await);
        copy.commit("a", "1");
        copy.push(&[&format!("HEAD:{branch}")]).await.expect("a new branch");
        copy.run(&["commit", "--quiet", "--amend", "--message", "rewritten"]);
        let forced = copy.push(&["--force", &format!("HEAD:{branch}")]).await.expect_err("force");
        assert!(forced.contains("this takes `force_push`"), "{forced}");
        let deleted = copy.push(&[&format!(":{branch}")]).await.expect_err("delete");
        assert!(deleted.contains("this takes `delete_ref`"), "{deleted}");
        let replaced = copy.push(&[&format!(":{branch}"), &format!("HEAD:{branch}")]).await;
        assert!(replaced.is_err(), "{replaced:?}");
        copy.with(&server, &world.task_token(&bold).await);
        copy.push(&["--force", &format!("HEAD:{branch}")]).await.expect("force is granted");
        copy.push(&[&format!(":{branch}")]).await.expect("deletion is granted");
        copy.push(&[":refs/heads/main"]).await.expect_err("main is outside");
    }

    async fn a31_denied_paths_are_refused_however_they_are_reached(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        copy.commit(".github/workflows/ci.yml", "on: push");
        copy.push(&["HEAD:main"]).await.expect("the human may");
        let base = copy.run(&["rev-parse", "HEAD"]).trim().to_owned();
        let constraints = json!({
            "branch_prefix": PREFIX,
            "paths_deny": [".github/workflows/**", "CODEOWNERS", "**/.gitmodules"],
        });
        let grant = world.grant(&json!({ "constraints": constraints })).await;
        copy.with(&server, &world.task_token(&grant).await);
        let target = |name: &str| format!("HEAD:refs/heads/{PREFIX}{name}");
        let reset = |copy: &Copy| copy.run(&["reset", "--quiet", "--hard", &base]);
        let refuse = async |copy: &Copy, how: &str| {
            let said = copy.push(&[&target(how)]).await.expect_err(how);
            assert!(said.contains("this touches") && said.contains("denies"), "{how}: {said}");
        };
        copy.commit(".github/workflows/new.yml", "on: push");
        refuse(&copy, "added").await;
        copy.run(&["rm", "--quiet", ".github/workflows/new.yml"]);
        copy.commit("later", "the file is gone again");
        refuse(&copy, "added-and-removed").await;
        reset(&copy);
        copy.run(&["mv", ".github/workflows/ci.yml", "ci.yml"]);
        copy.commit("moved", "");
        refuse(&copy, "renamed-away").await;
        reset(&copy);
        copy.commit(".GitHub/Workflows/ci.yml", "on: push");
        refuse(&copy, "other-case").await;
        reset(&copy);
        copy.run(&["rm", "-r", "--quiet", ".github"]);
        std::os::unix::fs::symlink("elsewhere", copy.path().join(".github")).unwrap();
        copy.commit("elsewhere/workflows/ci.yml", "on: push");
        refuse(&copy, "link").await;
        reset(&copy);
        copy.run(&["update-index", "--add", "--cacheinfo", &format!("160000,{base},.github/workflows/sub")]);
        copy.run(&["commit", "--quiet", "--message", "submodule"]);
        refuse(&copy, "submodule").await;
        reset(&copy);
        copy.commit("x/.gitmodules", "");
        refuse(&copy, "below").await;
        reset(&copy);
        // A merge by which the file changes though each side alone has it as it was.
        copy.run(&["checkout", "--quiet", "-b", "side"]);
        copy.commit("side", "1");
        copy.run(&["checkout", "--quiet", "-"]);
        copy.commit("here", "1");
        copy.run(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
        copy.commit(".github/workflows/ci.yml", "on: evil");
        refuse(&copy, "merge").await;
        reset(&copy);
        copy.commit("src/lib.rs", "honest");
        copy.push(&[&target("honest")]).await.expect("nothing denied is touched");
        // What is on `main` already is not touched by a branch from there.
        copy.run(&["merge", "--quiet", "--no-ff", "--message", "merge", "side"]);
        copy.push(&[&target("honest")]).await.expect("a merge of honest work");
    }

    async fn budgets_end_what_can_be_pushed(forge: TestForge) {
        let world = World::new(forge).await;
        let server = world.forge.listen().await;
        let mut copy = Copy::begin(&world, &server).await;
        let constraints = json!({ "branch_prefix": PREFIX, "budgets": { "pushes": 2 } });
        let grant = world.grant(&json!({ "constraints": constraints })).await;
        copy.with(&server, &world.task_token(&grant).await);
        for number in 0..2 {
            copy.commit("a", &number.to_string());
            copy.push(&[&format!("HEAD:refs/heads/{PREFIX}x")]).await.expect("within the budget");
        }
        // A token for the same grant has the same budget.
        copy.with(&server, &world.task_token(&grant).await);
        copy.commit("a", "2");
        let said = copy.push(&[&format!("HEAD:refs/heads/{PREFIX}x")]).await.expect_err("over the budget");
        assert!(said.contains("the budget is used up"), "{said}");
        let path = format!("{}/task-grants/{}", super::EXT, grant["id"].as_str().unwrap());
        assert_eq!(world.alice.get(&path).await.expect(200).json()["used"]["pushes"], 2);
        let small = json!({ "constraints": { "branch_prefix": PREFIX, "budgets": { "bytes": 2000 } } });
        copy.with(&server, &world.task_token(&world.grant(&small).await).await);
        copy.push(&[&format!("HEAD:refs/heads/{PREFIX}small")]).await.expect("a small push");
        let large: String = (0..5000).map(|number| format!("{number:x} {}\n", number * 7919)).collect();
        copy.commit("large", &large);
        let said = copy.push(&[&format!("HEAD:refs/heads/{PREFIX}small")]).await.expect_err("a large push");
        assert!(said.contains("the budget is used up"), "{said}");
    }
}
