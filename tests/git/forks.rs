//! Forks: <https://docs.github.com/rest/repos/forks>. What they share with their parent, and what they must not.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use forge_service::{admin, operations};
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::account::Account;
use forge_types::credential::CredentialKind;
use forge_types::id::RepositoryId;
use forge_types::repository::Visibility;
use forge_types::{Permission, RefName};
use serde_json::{Value, json};

use crate::bench::{Bench, Done, commit, git};

const FORKS: &str = "/api/v3/repos/alice/project/forks";

/// Somebody who forks.
pub(crate) struct Forker {
    pub(crate) account: Account,
    pub(crate) client: Client,
    token: String,
}

impl Forker {
    pub(crate) async fn new(bench: &Bench, login: &str) -> Self {
        let account = bench.forge.human(login).await;
        let token = bench.forge.token(&account, CredentialKind::Personal, None).await;
        let client = bench.forge.client().with_token(&token);
        Self { account, client, token: token.expose().to_owned() }
    }

    /// Returns the address of a repository with the token in it.
    fn url(&self, bench: &Bench, path: &str) -> String {
        format!("{}/{path}.git", bench.listening.url_as(&self.account.login, &self.token))
    }

    async fn fork(&self, body: &Value) -> Value {
        self.client.post(FORKS, body).await.expect(202).json()
    }
}

async fn sort(bench: &Bench) {
    operations::maintain(&admin::console(bench.forge.app()), None).await.unwrap();
}

fn id(view: &Value) -> RepositoryId {
    RepositoryId(view["id"].as_i64().unwrap())
}

/// Returns which files the packs of a repository are.
fn files(bench: &Bench, id: RepositoryId) -> BTreeSet<u64> {
    let packs = bench.forge.app().git().repository(id).path().join("objects/pack");
    let entries = std::fs::read_dir(packs).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pack"))
        .map(|entry| entry.metadata().unwrap().ino())
        .collect()
}

async fn ls_remote(bench: &Bench, url: &str) -> String {
    git(&bench.path("."), ["ls-remote", url]).await.good()
}

/// Asks for one object by its id, as a client that knows it would.
async fn fetch(bench: &Bench, url: &str, id: &str) -> Done {
    let folder = tempfile::tempdir_in(bench.folder.path()).unwrap();
    git(folder.path(), ["init", "--quiet", "--bare", "."]).await.good();
    git(folder.path(), ["fetch", "--quiet", url, id]).await
}

async fn check(bench: &Bench, url: &str) {
    let folder = tempfile::tempdir_in(bench.folder.path()).unwrap();
    git(folder.path(), ["clone", "--quiet", "--mirror", url, "mirror"]).await.good();
    git(&folder.path().join("mirror"), ["fsck", "--strict", "--no-progress"]).await.good();
    let clean = operations::verify(&admin::console(bench.forge.app())).await.unwrap();
    assert!(clean.is_empty(), "{clean:?}");
}

/// Gives the parent an object that only a ref reaches which nobody outside sees.
async fn hide(bench: &Bench, work: &Path) -> String {
    let hidden = commit(work, "hidden", "hunter2\n").await;
    git(work, ["push", "--quiet", "origin", "HEAD:refs/heads/passing"]).await.good();
    let id = bench.stored("refs/heads/passing").await.unwrap();
    let mut tx = bench.forge.app().db().begin().await.unwrap();
    let (hidden_name, passing) =
        (RefName::new("refs/forge/held/1").unwrap(), RefName::new("refs/heads/passing").unwrap());
    let creation = forge_store::refs::Creation { name: &hidden_name, new: id, peeled: None };
    forge_store::refs::create(&mut tx, bench.id(), &[creation], bench.forge.now()).await.unwrap();
    tx.commit().await.unwrap();
    git(work, ["push", "--quiet", "origin", &format!(":{passing}")]).await.good();
    git(work, ["reset", "--quiet", "--hard", "HEAD~1"]).await.good();
    hidden
}

for_each_database! {
    async fn a_fork_has_all_that_readers_see_and_shares_the_sorted_pack(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        let work = bench.pushed("work").await;
        git(&work, ["tag", "-a", "-m", "one", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main:topic", "v1"]).await.good();
        sort(&bench).await;
        commit(&work, "later", "1\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        let bob = Forker::new(&bench, "bob").await;
        let made = bob.fork(&json!({})).await;
        assert_eq!(made["full_name"], "bob/project");
        assert_eq!((&made["fork"], &made["parent"]["full_name"]), (&json!(true), &json!("alice/project")));
        assert_eq!(made["source"]["full_name"], "alice/project");
        assert_eq!(made["has_issues"], false);
        let url = bob.url(&bench, "bob/project");
        assert_eq!(ls_remote(&bench, &url).await, ls_remote(&bench, &bench.url()).await);
        let (parents, own) = (files(&bench, bench.id()), files(&bench, id(&made)));
        assert_eq!((parents.intersection(&own).count(), own.len()), (1, 2), "the sorted pack is shared");
        check(&bench, &url).await;

        // Another ask gives the same.
        assert_eq!(bob.fork(&json!({ "name": "other" })).await["id"], made["id"]);
        let parent = bob.client.get("/api/v3/repos/alice/project").await.expect(200).json();
        assert_eq!((&parent["forks_count"], &parent["fork"]), (&json!(1), &json!(false)));
        let listed = bob.client.get(FORKS).await.expect(200).json();
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["full_name"]), (1, &json!("bob/project")));
        bob.client.get(&format!("{FORKS}?sort=oldest")).await.expect(200);
        bob.client.get(&format!("{FORKS}?sort=sideways")).await.expect(422);
        let query = "{ repository(owner: \"bob\", name: \"project\") { isFork parent { nameWithOwner forkCount } } }";
        let found = bob.client.graphql(query, json!({})).await.expect(200).json();
        let expected = json!({ "isFork": true, "parent": { "nameWithOwner": "alice/project", "forkCount": 1 } });
        assert_eq!(found["data"]["repository"], expected);

        // What each does is its own.
        let clone = bench.path("clone");
        git(&bench.path("."), ["clone", "--quiet", &url, "clone"]).await.good();
        commit(&clone, "mine", "2\n").await;
        git(&clone, ["push", "--quiet", "origin", "main", "HEAD:refs/heads/mine"]).await.good();
        sort(&bench).await;
        check(&bench, &url).await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        alice.delete("/api/v3/repos/alice/project").await.expect(204);
        bench.forge.run_jobs().await;
        check(&bench, &url).await;
        let now = bob.client.get("/api/v3/repos/bob/project").await.expect(200).json();
        assert_eq!((&now["fork"], now.get("parent")), (&json!(false), None));
    }

    async fn a_fork_of_the_default_branch_has_nothing_else(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        let work = bench.pushed("work").await;
        git(&work, ["checkout", "--quiet", "-b", "topic"]).await.good();
        let other = commit(&work, "other", "1\n").await;
        git(&work, ["push", "--quiet", "origin", "topic"]).await.good();
        sort(&bench).await;
        let bob = Forker::new(&bench, "bob").await;
        let made = bob.fork(&json!({ "default_branch_only": true, "name": "slim" })).await;
        let url = bob.url(&bench, "bob/slim");
        let refs = ls_remote(&bench, &url).await;
        assert!(refs.contains("refs/heads/main") && !refs.contains("topic"), "{refs}");
        assert!(files(&bench, bench.id()).is_disjoint(&files(&bench, id(&made))));
        fetch(&bench, &url, &other).await.refused();
        bob.client.get(&format!("/api/v3/repos/bob/slim/git/commits/{other}")).await.expect(404);
        check(&bench, &url).await;
    }

    /// A46: git itself serves any object that lies in a repository it borrows from.
    async fn a46_what_the_parent_hides_or_removed_is_in_no_fork_nor_the_other_way(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let kept = git(&work, ["rev-parse", "HEAD"]).await.good();
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let removed = commit(&work, "secret", "hunter2\n").await;
        git(&work, ["push", "--quiet", "origin", "main"]).await.good();
        sort(&bench).await;
        git(&work, ["push", "--quiet", "--force", "origin", &format!("{kept}:main")]).await.good();
        git(&work, ["reset", "--quiet", "--hard", &kept]).await.good();
        let hidden = hide(&bench, &work).await;
        let blob = json!({ "content": "hunter2 unreferenced", "encoding": "utf-8" });
        let made = alice.post("/api/v3/repos/alice/project/git/blobs", &blob).await.expect(201).json();
        let made = made["sha"].as_str().unwrap().to_owned();
        alice.get(&format!("/api/v3/repos/alice/project/git/blobs/{made}")).await.expect(200);
        let bob = Forker::new(&bench, "bob").await;
        bench.forge.collaborator(&bench.repository, &bob.account, Some(Permission::Read)).await;
        // The pack that was sorted does not hold any more; after the second sorting one does.
        for (name, sorted) in [("first", false), ("second", true)] {
            if sorted {
                sort(&bench).await;
            }
            let forked = bob.fork(&json!({ "name": name })).await;
            assert_eq!(forked["visibility"], "private");
            let url = bob.url(&bench, &format!("bob/{name}"));
            fetch(&bench, &url, &kept).await.good();
            bob.client.get(&format!("/api/v3/repos/bob/{name}/git/commits/{kept}")).await.expect(200);
            for id in [&removed, &hidden, &made] {
                fetch(&bench, &url, id).await.refused();
                for kind in ["git/commits", "git/trees", "git/blobs", "commits"] {
                    let answer = bob.client.get(&format!("/api/v3/repos/bob/{name}/{kind}/{id}")).await;
                    assert!(matches!(answer.status.as_u16(), 404 | 422), "{kind}/{id}: {}", answer.text());
                }
                let query = "query($name: String!, $id: GitObjectID!) { repository(owner: \"bob\", name: $name) { object(oid: $id) { oid } } }";
                let found = bob.client.graphql(query, json!({ "name": name, "id": id })).await.expect(200).json();
                assert_eq!(found["data"]["repository"]["object"], Value::Null, "{id}");
            }
            let stored = bench.forge.app().git().repository(RepositoryId(forked["id"].as_i64().unwrap()));
            let listed = git(stored.path(), ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).await.good();
            assert!(![&removed, &hidden, &made].iter().any(|id| listed.contains(id.as_str())), "{listed}");
            // What bob adds to the fork is nothing of the parent's.
            let folder = format!("clone-{name}");
            git(&bench.path("."), ["clone", "--quiet", &url, &folder]).await.good();
            let own = commit(&bench.path(&folder), "own", "mine\n").await;
            git(&bench.path(&folder), ["push", "--quiet", "origin", "main"]).await.good();
            fetch(&bench, &url, &own).await.good();
            fetch(&bench, &bench.url(), &own).await.refused();
            alice.get(&format!("/api/v3/repos/alice/project/git/commits/{own}")).await.expect(404);
            bob.client.delete(&format!("/api/v3/repos/bob/{name}")).await.expect(204);
        }
    }

    async fn who_may_not_read_or_make_a_repository_forks_none(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let bob = Forker::new(&bench, "bob").await;
        bob.client.post(FORKS, &json!({})).await.expect(404);
        bob.client.get(FORKS).await.expect(404);
        bench.forge.collaborator(&bench.repository, &bob.account, Some(Permission::Read)).await;
        let empty = bob.client.post(FORKS, &json!({})).await.expect(403).json();
        assert!(empty["message"].as_str().unwrap().contains("Empty repositories cannot be forked"));
        bench.pushed("work").await;
        bench.forge.client().post(FORKS, &json!({})).await.expect(404);
        alice.patch("/api/v3/repos/alice/project", &json!({ "allow_forking": false })).await.expect(200);
        bob.client.post(FORKS, &json!({})).await.expect(403);
        alice.patch("/api/v3/repos/alice/project", &json!({ "allow_forking": true })).await.expect(200);
        let public = bench.forge.client_of(&bob.account, Some("public_repo")).await;
        public.post(FORKS, &json!({})).await.expect(404);
        alice.post("/api/ext/v1/user/orgs", &json!({ "login": "acme" })).await.expect(201);
        bob.client.post(FORKS, &json!({ "organization": "acme" })).await.expect(403);
        bob.client.post(FORKS, &json!({ "organization": "nobody" })).await.expect(404);
        bob.client.post(FORKS, &json!({ "name": "a b" })).await.expect(422);
        bob.client.post(FORKS, &json!({ "name": 7 })).await.expect(422);
        bob.client.post("/api/v3/user/repos", &json!({ "name": "project" })).await.expect(201);
        bob.client.post(FORKS, &json!({ "name": "Project" })).await.expect(422);
        let forked = bob.fork(&json!({})).await;
        assert_eq!(forked["full_name"], "bob/project-1");
        // Who owns the parent has one of the network.
        assert_eq!(alice.post(FORKS, &json!({})).await.expect(202).json()["id"], bench.id().0);
        for change in [json!({ "private": false }), json!({ "visibility": "public" })] {
            bob.client.patch("/api/v3/repos/bob/project-1", &change).await.expect(422);
        }
        bob.client.get("/api/v3/repos/bob/project-1").await.expect(200);
        // Whom others may see from now on is no part of what was private.
        alice.patch("/api/v3/repos/alice/project", &json!({ "private": false })).await.expect(200);
        let now = bob.client.get("/api/v3/repos/bob/project-1").await.expect(200).json();
        assert_eq!((&now["fork"], &now["visibility"]), (&json!(false), &json!("private")));
        assert_eq!(alice.get("/api/v3/repos/alice/project").await.expect(200).json()["forks_count"], 0);
    }

    async fn a_fork_that_is_refused_leaves_nothing(forge: TestForge) {
        let bench = Bench::with(forge, Visibility::Public).await;
        bench.pushed("work").await;
        let bob = Forker::new(&bench, "bob").await;
        let directories = || {
            let fans = std::fs::read_dir(bench.forge.folder().join("repositories")).unwrap().map(Result::unwrap);
            fans.flat_map(|fan| std::fs::read_dir(fan.path()).unwrap().map(Result::unwrap)).count()
        };
        let before = directories();
        let agent = bench.forge.registered_agent("bot").await;
        bench.forge.bind(&bob.client, &agent, &json!({})).await;
        bench.forge.collaborator(&bench.repository, &bob.account, Some(Permission::Write)).await;
        let details = json!({
            "agent": agent.login, "task": "t", "resources": ["repo:alice/project"],
            "actions": ["read_code", "create_branch", "push_branch"],
        });
        let grant = bob.client.post("/api/ext/v1/task-grants", &details).await.expect(201).json();
        let tasked = bench.forge.client().with_token(&bench.forge.task_token(&agent, &grant).await);
        tasked.get("/api/v3/repos/alice/project").await.expect(200);
        let refused = tasked.post(FORKS, &json!({})).await.expect(403).json();
        assert!(refused["message"].as_str().unwrap().contains("repository.fork"), "{refused}");
        // What is found out at the end is taken back: the packs were there already.
        let alice = bench.forge.client_of(&bench.alice, None).await;
        alice.post("/api/ext/v1/user/orgs", &json!({ "login": "acme" })).await.expect(201);
        let policy = "forbid (principal, action == Action::\"branch.create\", resource);";
        let policy = json!({ "name": "no-branches", "policy": policy });
        alice.post("/api/ext/v1/orgs/acme/policies", &policy).await.expect(201);
        let refused = alice.post(FORKS, &json!({ "organization": "acme" })).await.expect(403).json();
        assert!(refused["message"].as_str().unwrap().contains("no-branches"), "{refused}");
        alice.get("/api/v3/repos/acme/project").await.expect(404);
        assert_eq!(directories(), before);
    }
}
