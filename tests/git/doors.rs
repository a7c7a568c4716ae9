//! Every entrance of every door by which refs change: what goes through it is a push with its reflog, and the audit log names
//! the door. A door or an entrance that nobody goes through here fails the run.

use forge_service::refs::Door;
use forge_service::{Surface, admin, operations};
use forge_store::refs::Deletion;
use forge_testing::browser::submit;
use forge_testing::{Client, TestForge, for_each_database};
use forge_types::{Permission, RefName};
use serde_json::{Value, json};

use crate::bench::{Bench, commit, git};

const PROJECT: &str = "/api/v3/repos/alice/project";

struct Visitor {
    bench: Bench,
    work: std::path::PathBuf,
    alice: Client,
    root: Client,
}

impl Visitor {
    async fn new(forge: TestForge) -> Self {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let root = bench.forge.site_admin("root1").await;
        let root = bench.forge.client_of(&root, None).await;
        alice.patch(PROJECT, &json!({ "is_template": true })).await.expect(200);
        alice.post("/api/ext/v1/user/orgs", &json!({ "login": "acme" })).await.expect(201);
        Self { bench, work, alice, root }
    }

    /// Returns the newest door that the audit log names, and how many there are.
    async fn newest(&self) -> (String, usize) {
        let mut events = Vec::new();
        let mut path = "/api/ext/v1/audit-events?action=refs.updated&per_page=100".to_owned();
        loop {
            let page: Vec<Value> =
                serde_json::from_value(self.root.get(&path).await.expect(200).json()).unwrap();
            let Some(last) = page.last().map(|event| event["id"].clone()) else { break };
            events.extend(page);
            path = format!("/api/ext/v1/audit-events?action=refs.updated&per_page=100&after={last}");
        }
        let door = events.last().map(|event| event["details"]["door"].as_str().unwrap().to_owned());
        (door.unwrap_or_default(), events.len())
    }

    async fn tip(&self, branch: &str) -> String {
        let found = self.alice.get(&format!("{PROJECT}/git/ref/heads/{branch}")).await.expect(200).json();
        found["object"]["sha"].as_str().unwrap().to_owned()
    }

    /// Makes a branch anew at `main`, by a push.
    async fn branch(&self, name: &str) -> String {
        git(&self.work, ["push", "--quiet", "--force", "origin", &format!("main:{name}")]).await.good();
        self.tip(name).await
    }

    async fn mutate(&self, name: &str, input: Value) {
        let kind = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let query = format!("mutation($input: {kind}!) {{ {name}(input: $input) {{ clientMutationId }} }}");
        let answer = self.alice.graphql(&query, json!({ "input": input })).await.expect(200).json();
        assert!(answer["errors"].is_null(), "{name}: {answer}");
    }

    async fn node(&self, branch: &str) -> Value {
        let found = self.alice.get(&format!("{PROJECT}/git/ref/heads/{branch}")).await.expect(200).json();
        found["node_id"].clone()
    }

    /// Has an agent ask for a branch, and a person approve.
    async fn approve(&self, branch: &str, at: &str) {
        let forge = &self.bench.forge;
        let agent = forge.registered_agent("bot").await;
        forge.bind(&self.alice, &agent, &json!({})).await;
        let details = json!({
            "agent": agent.login, "task": "t", "resources": ["repo:alice/project"], "actions": ["create_branch"],
            "constraints": { "requires_approval": ["create_branch"] },
        });
        let grant = self.alice.post("/api/ext/v1/task-grants", &details).await.expect(201).json();
        let tasked = forge.client().with_token(&forge.task_token(&agent, &grant).await);
        let create = json!({ "ref": branch, "sha": at });
        let held = tasked.post(&format!("{PROJECT}/git/refs"), &create).await.expect(403).json();
        let carol = forge.person("carol").await;
        forge.collaborator(&self.bench.repository, &carol, Some(Permission::Write)).await;
        let page = format!("/approvals/{}", held["approval"]["id"].as_str().unwrap());
        let mut browser = forge.browser("carol").await;
        submit(&mut browser, &page, &format!("{page}/approve"), &[]).await.expect(303);
    }

    /// Goes through an entrance; returns the surface it belongs to.
    async fn go(&self, entrance: &str, number: usize) -> Surface {
        let project = self.alice.get(PROJECT).await.expect(200).json()["node_id"].take();
        let main = self.tip("main").await;
        let name = format!("b{number}");
        let full = format!("refs/heads/{name}");
        match entrance {
            "POST /{owner}/{repo}/git-receive-pack" => {
                commit(&self.work, "pushed", &name).await;
                git(&self.work, ["push", "--quiet", "origin", "main"]).await.good();
                return Surface::Git;
            }
            "forge repo restore-deleted" => {
                self.alice.delete(PROJECT).await.expect(204);
                let ctx = admin::console(self.bench.forge.app());
                operations::restore_deleted(&ctx, self.bench.id(), None).await.unwrap();
                ctx.finish().await.unwrap();
                return Surface::Console;
            }
            "forge repo import-refs" => {
                self.branch(&name).await;
                let ctx = admin::console(self.bench.forge.app());
                operations::export_refs(&ctx, None).await.unwrap();
                let (name, old) =
                    (RefName::new(full.as_str()).unwrap(), self.bench.stored(&full).await.unwrap());
                let mut tx = self.bench.forge.app().db().begin().await.unwrap();
                let lost = [Deletion { name: &name, old }];
                forge_store::refs::delete(&mut tx, self.bench.id(), &lost).await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(
                    operations::import_refs(&ctx, Some("alice/project")).await.unwrap()[0].imported,
                    1
                );
                return Surface::Console;
            }
            "POST /approvals/{id}/approve" => {
                self.approve(&full, &main).await;
                return Surface::Web;
            }
            "POST /user/repos" => {
                self.alice
                    .post("/api/v3/user/repos", &json!({ "name": name, "auto_init": true }))
                    .await
                    .expect(201);
            }
            "POST /orgs/{org}/repos" => {
                let body = json!({ "name": name, "auto_init": true });
                self.alice.post("/api/v3/orgs/acme/repos", &body).await.expect(201);
            }
            "POST /repos/{owner}/{repo}/generate" => {
                self.alice.post(&format!("{PROJECT}/generate"), &json!({ "name": name })).await.expect(201);
            }
            "POST /repos/{owner}/{repo}/git/refs" => {
                self.alice
                    .post(&format!("{PROJECT}/git/refs"), &json!({ "ref": full, "sha": main }))
                    .await
                    .expect(201);
            }
            "PATCH /repos/{owner}/{repo}/git/refs/{ref}" => {
                self.branch(&name).await;
                let first = git(&self.work, ["rev-list", "--max-parents=0", "main"]).await.good();
                let path = format!("{PROJECT}/git/refs/heads/{name}");
                self.alice.patch(&path, &json!({ "sha": first, "force": true })).await.expect(200);
            }
            "DELETE /repos/{owner}/{repo}/git/refs/{ref}" => {
                self.branch(&name).await;
                self.alice.delete(&format!("{PROJECT}/git/refs/heads/{name}")).await.expect(204);
            }
            "PUT /repos/{owner}/{repo}/contents/{path}" | "DELETE /repos/{owner}/{repo}/contents/{path}" => {
                self.branch(&name).await;
                let path = format!("{PROJECT}/contents/{name}");
                let body = json!({ "message": "x", "content": "", "branch": name });
                let made = self.alice.put(&path, &body).await.expect(201).json();
                if entrance.starts_with("DELETE") {
                    let body = json!({ "message": "x", "sha": made["content"]["sha"], "branch": name });
                    self.alice.send_json(http::Method::DELETE, &path, &body).await.expect(200);
                }
            }
            "POST /repos/{owner}/{repo}/branches/{branch}/rename" => {
                self.branch(&name).await;
                let path = format!("{PROJECT}/branches/{name}/rename");
                self.alice.post(&path, &json!({ "new_name": format!("{name}-renamed") })).await.expect(201);
            }
            "POST /repos/{owner}/{repo}/merges" | "mutation mergeBranch" => {
                self.branch(&name).await;
                let path = format!("{PROJECT}/contents/{name}");
                let body = json!({ "message": "x", "content": "", "branch": name });
                self.alice.put(&path, &body).await.expect(201);
                let target = format!("{name}-base");
                self.branch(&target).await;
                if entrance.starts_with("POST") {
                    let body = json!({ "base": target, "head": name });
                    self.alice.post(&format!("{PROJECT}/merges"), &body).await.expect(201);
                } else {
                    let input = json!({ "repositoryId": project, "base": target, "head": name });
                    self.mutate("mergeBranch", input).await;
                }
            }
            "POST /repos/{owner}/{repo}/forks" => {
                let body = json!({ "organization": "acme", "name": name });
                self.alice.post(&format!("{PROJECT}/forks"), &body).await.expect(202);
            }
            "mutation cloneTemplateRepository" => {
                let owner = self.alice.get("/api/v3/user").await.expect(200).json()["node_id"].take();
                let input = json!({ "repositoryId": project, "ownerId": owner, "name": name, "visibility": "PRIVATE" });
                self.mutate("cloneTemplateRepository", input).await;
            }
            "mutation createRef" => {
                self.mutate("createRef", json!({ "repositoryId": project, "name": full, "oid": main })).await;
            }
            "mutation updateRef" => {
                self.branch(&name).await;
                let first = git(&self.work, ["rev-list", "--max-parents=0", "main"]).await.good();
                self.mutate(
                    "updateRef",
                    json!({ "refId": self.node(&name).await, "oid": first, "force": true }),
                )
                .await;
            }
            "mutation updateRefs" => {
                let updates = json!([{ "name": full, "afterOid": main }]);
                self.mutate("updateRefs", json!({ "repositoryId": project, "refUpdates": updates })).await;
            }
            "mutation deleteRef" => {
                self.branch(&name).await;
                self.mutate("deleteRef", json!({ "refId": self.node(&name).await })).await;
            }
            "mutation createCommitOnBranch" => {
                let tip = self.branch(&name).await;
                let additions = json!([{ "path": "made", "contents": "" }]);
                let input = json!({
                    "branch": { "id": self.node(&name).await }, "expectedHeadOid": tip, "message": { "headline": "x" },
                    "fileChanges": { "additions": additions },
                });
                self.mutate("createCommitOnBranch", input).await;
            }
            other => panic!("nobody goes through `{other}`"),
        }
        if entrance.starts_with("mutation") { Surface::GraphQl } else { Surface::Rest }
    }
}

for_each_database! {
    async fn whoever_changes_refs_names_the_door_at_every_entrance(forge: TestForge) {
        let visitor = Visitor::new(forge).await;
        let mut number = 0;
        for door in Door::ALL {
            assert!(!door.entrances().is_empty(), "{door:?} has no entrance");
            for entrance in door.entrances() {
                number += 1;
                let (_, before) = visitor.newest().await;
                let surface = visitor.go(entrance, number).await;
                let (named, after) = visitor.newest().await;
                assert_eq!(named, door.seen_from(surface), "{entrance}");
                assert!(after > before, "{entrance}");
            }
        }
        let clean = operations::verify(&admin::console(visitor.bench.forge.app())).await.unwrap();
        assert!(clean.is_empty(), "{clean:?}");
        git(&visitor.bench.path("."), ["clone", "--quiet", "--mirror", &visitor.bench.url(), "mirror"]).await.good();
        git(&visitor.bench.path("mirror"), ["fsck", "--strict", "--no-progress"]).await.good();
    }

    /// A secret that was pushed, sorted into the pack that readers are served from, and taken back.
    async fn removed_history_is_not_deliverable_by_any_read(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.pushed("work").await;
        let alice = bench.forge.client_of(&bench.alice, None).await;
        let before = git(&work, ["rev-parse", "HEAD"]).await.good();
        let secret = commit(&work, "secret", "hunter2\n").await;
        git(&work, ["tag", "-a", "-m", "words", "v1"]).await.good();
        let tag = git(&work, ["rev-parse", "v1"]).await.good();
        git(&work, ["push", "--quiet", "origin", "main", "v1"]).await.good();
        operations::maintain(&admin::console(bench.forge.app()), None).await.unwrap();
        let tree = git(&work, ["rev-parse", "HEAD^{tree}"]).await.good();
        let blob = git(&work, ["rev-parse", "HEAD:secret"]).await.good();
        let paths = [
            format!("git/blobs/{blob}"), format!("git/trees/{tree}"), format!("git/trees/{secret}"), format!("git/commits/{secret}"),
            format!("git/tags/{tag}"), format!("commits/{secret}"), format!("commits/{tag}"), format!("commits?sha={secret}"),
            format!("compare/{before}...{secret}"), format!("contents/secret?ref={secret}"), format!("contents?ref={tag}"),
            format!("readme?ref={secret}"),
        ];
        for path in &paths {
            assert_eq!(alice.get(&format!("{PROJECT}/{path}")).await.status, 200, "{path}");
        }
        git(&work, ["push", "--quiet", "--force", "origin", &format!("{before}:main"), ":v1"]).await.good();
        let refused = async |when: &str| {
            for path in &paths {
                let answer = alice.get(&format!("{PROJECT}/{path}")).await;
                assert!(matches!(answer.status.as_u16(), 404 | 422), "{path}, {when}: {}", answer.text());
                assert!(!answer.text().contains("hunter2"), "{path}");
            }
            for id in [&blob, &tree, &secret, &tag] {
                let query = "query($id: GitObjectID!) { repository(owner: \"alice\", name: \"project\") { object(oid: $id) { oid } } }";
                let found = alice.graphql(query, json!({ "id": id })).await.expect(200).json();
                assert_eq!(found["data"]["repository"]["object"], Value::Null, "{when}");
                alice.post(&format!("{PROJECT}/git/refs"), &json!({ "ref": "refs/tags/back", "sha": id })).await.expect(422);
            }
            alice.post(&format!("{PROJECT}/merges"), &json!({ "base": "main", "head": secret })).await.expect(404);
        };
        refused("at once").await;
        bench.forge.run_jobs().await;
        refused("after the next jobs").await;
        operations::maintain(&admin::console(bench.forge.app()), None).await.unwrap();
        refused("after maintenance").await;
    }
}
