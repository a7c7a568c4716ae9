//! What a token has to be to open a session, and what the session says of where it came from.

use std::time::Duration;

use forge_testing::agents::secret;
use forge_testing::proofs::Prover;
use forge_testing::{TestForge, for_each_database};
use http::Method;
use serde_json::{Value, json};

use super::{ISSUER, Issuer, MAIN, World, refusal};
use crate::grants::{EXT, TOKEN, exchange, swap};

const EVENTS: &str = "/api/ext/v1/audit-events?per_page=100";

for_each_database! {
    async fn a70_a_workload_opens_a_session_once_with_each_token(forge: TestForge) {
        let world = World::new(forge).await;
        world.bound(&json!({ "max_ttl": 600 })).await;
        let token = world.issuer.sign(&world.issuer.claims(&world.forge));
        let session = world.show(&token).await.expect(200).json();
        assert_eq!((&session["expires_in"], &session["token_type"]), (&json!(600), &json!("bearer")));
        let client = world.forge.client().with_token(&secret(&session["access_token"]));
        assert_eq!(client.get("/api/v3/user").await.expect(200).json()["login"], world.agent.login);
        refusal(world.show(&token).await);
        // The same words in an exchange, and the same session.
        let token = world.issuer.sign(&world.issuer.claims(&world.forge));
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", token.as_str()),
            ("client_id", world.agent.login.as_str()),
        ];
        let exchanged = world.submit(&fields).await.expect(200).json();
        assert_eq!(exchanged["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        refusal(world.submit(&fields).await);
        refusal(world.show(&token).await);
        world.forge.advance(Duration::from_secs(600));
        let _ = client.get("/api/v3/user").await.expect(401);
    }

    async fn a60_a70_nothing_that_only_looks_alike_opens_a_session_and_all_are_told_the_same(forge: TestForge) {
        let world = World::new(forge).await;
        world.bound(&json!({ "subject": "repo:acme/*:ref:refs/heads/main", "claims": { "repository": "acme/app" } })).await;
        let _ = world.ask(&json!({})).await.expect(200);
        let now = world.forge.now().as_seconds();
        let said = refusal(world.ask(&json!({ "sub": "repo:acme-evil/app:ref:refs/heads/main" })).await);
        for change in [
            json!({ "sub": "repo:acme/app/more:ref:refs/heads/main" }),
            json!({ "sub": "repo:acme/app:pull_request" }),
            json!({ "sub": "repo:acme/app:ref:refs/heads/main:x" }),
            json!({ "event_name": "pull_request_target" }),
            json!({ "event_name": "pull_request" }),
            json!({ "pipeline_source": "merge_request_event" }),
            json!({ "repository": "mallory/app" }),
            json!({ "repository": null }),
            json!({ "iss": "https://runs.example/" }),
            json!({ "iss": "https://evil.example" }),
            json!({ "iss": null }),
            json!({ "aud": "https://github.com/acme" }),
            json!({ "aud": [forge_testing::ORIGIN, "https://other.example"] }),
            json!({ "aud": format!("{}/", forge_testing::ORIGIN) }),
            json!({ "aud": null }),
            json!({ "exp": now - 61 }),
            json!({ "exp": null }),
            json!({ "exp": now + 90_000 }),
            json!({ "nbf": now + 120 }),
            json!({ "iat": now + 120 }),
        ] {
            assert_eq!(refusal(world.ask(&change).await), said, "{change}");
        }
        let claims = world.issuer.claims(&world.forge);
        assert_eq!(refusal(world.show(&Issuer::new().sign(&claims)).await), said);
        assert_eq!(refusal(world.show("x.y.z").await), said);
        // Nor does whoever asks learn which agents there are, or have anything of this kind.
        let token = world.issuer.sign(&claims);
        let other = world.forge.registered_agent("other").await;
        for login in ["nobody", "alice", other.login.as_str()] {
            let fields = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("client_id", login),
                ("assertion", token.as_str()),
            ];
            assert_eq!(refusal(world.submit(&fields).await), said, "{login}");
        }
        assert_eq!(refusal(world.submit(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", token.as_str())]).await), said);
        let _ = world.show(&token).await.expect(200);
    }

    async fn a70_the_ref_of_a_tag_and_the_proposal_of_a_fork_are_not_the_branch_of_gitlab(forge: TestForge) {
        let world = World::new(forge).await;
        let subject = "project_path:acme/*:ref_type:branch:ref:main";
        let claims = json!({ "ref": "main", "ref_type": "branch", "ref_protected": "true" });
        world.bound(&json!({ "subject": subject, "claims": claims, "audience": "forge" })).await;
        let honest = json!({
            "sub": "project_path:acme/app:ref_type:branch:ref:main", "aud": "forge", "ref": "main",
            "ref_type": "branch", "ref_protected": "true", "pipeline_source": "push", "event_name": null,
        });
        let _ = world.ask(&honest).await.expect(200);
        for (name, value) in [
            ("sub", json!("project_path:acme/app:ref_type:tag:ref:main")),
            ("sub", json!("project_path:acme/sub/app:ref_type:branch:ref:main")),
            ("ref_type", json!("tag")),
            ("ref", json!(["main"])),
            ("ref_protected", json!("false")),
            ("pipeline_source", json!("merge_request_event")),
            ("aud", json!(forge_testing::ORIGIN)),
        ] {
            let mut change = honest.clone();
            change[name] = value.clone();
            refusal(world.ask(&change).await);
        }
    }

    async fn a_session_of_a_workload_and_all_that_comes_of_it_name_the_runtime(forge: TestForge) {
        let world = World::new(forge).await;
        world.bound(&json!({})).await;
        let session = world.session().await;
        let runtime = json!(format!("by-binding:{ISSUER} {MAIN}"));
        let named = async |action: &str| {
            let events = world.alice.get(&format!("{EVENTS}&action={action}")).await.expect(200).json();
            events.as_array().unwrap().last().unwrap()["runtime"].clone()
        };
        assert_eq!(named("agent.workload_exchanged").await, runtime);
        let label = async |client: &forge_testing::Client, name: &str| {
            let path = format!("/api/v3/repos/{}/bot-home/labels", world.agent.login);
            client.post(&path, &json!({ "name": name, "color": "ff0000" })).await
        };
        let _ = label(&world.agent.client, "own").await.expect(201);
        assert_eq!(named("label.created").await, Value::Null);
        let _ = label(&world.forge.client().with_token(&session), "there").await.expect(201);
        assert_eq!(named("label.created").await, runtime);
        // A token for a task, and one for Git of that.
        let work = json!({ "name": "work", "private": true, "auto_init": true });
        let _ = world.alice.post("/api/v3/user/repos", &work).await.expect(201);
        let details = json!({
            "agent": world.agent.login, "task": "t", "resources": ["repo:alice/work"],
            "actions": ["read_code", "create_branch", "push_branch"],
        });
        let grant = world.alice.post(&format!("{EXT}/task-grants"), &details).await.expect(201).json();
        let task = secret(&exchange(&world.forge, &session, &grant, &[]).await.expect(200).json()["access_token"]);
        let main = world.alice.get("/api/v3/repos/alice/work/git/ref/heads/main").await.expect(200).json();
        let branch = json!({ "ref": "refs/heads/made", "sha": main["object"]["sha"] });
        let client = world.forge.client().with_token(&task);
        let _ = client.post("/api/v3/repos/alice/work/git/refs", &branch).await.expect(201);
        assert_eq!(named("refs.updated").await, runtime);
        let place = format!("{}/alice/work.git", forge_testing::ORIGIN);
        let more = [("requested_token_type", "urn:forge:token-type:git"), ("resource", place.as_str())];
        let _ = swap(&world.forge, &task, &more).await.expect(200);
        assert_eq!(named("token.exchanged").await, runtime);
        let created = json!({ "name": "kept" });
        let kept = world.forge.client().with_token(&session).post(&format!("{EXT}/user/tokens"), &created).await;
        let kept = secret(&kept.expect(201).json()["token"]);
        let _ = label(&world.forge.client().with_token(&kept), "later").await.expect(201);
        assert_eq!(named("label.created").await, runtime);
    }

    async fn an_agent_that_takes_bound_tokens_only_needs_a_proof_beside(forge: TestForge) {
        let world = World::new(forge).await;
        world.bound(&json!({})).await;
        let path = format!("{EXT}/agents/{}", world.agent.login);
        let _ = world.alice.patch(&path, &json!({ "bound_only": true })).await.expect(200);
        let _ = world.ask(&json!({})).await.expect(400);
        let prover = Prover::default();
        let proof = prover.proof(&world.forge, "POST", TOKEN, None);
        let token = world.issuer.sign(&world.issuer.claims(&world.forge));
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("client_id", world.agent.login.as_str()),
            ("assertion", token.as_str()),
        ];
        let mut client = world.forge.client().with_header(http::header::ACCEPT, "application/json");
        client = client.with_header(forge_testing::proofs::PROOF, &proof);
        let session = client.submit(TOKEN, &fields).await.expect(200).json();
        assert_eq!(session["token_type"], "DPoP");
        let session = secret(&session["access_token"]);
        let _ = prover.send(&world.forge, &session, Method::GET, "/api/v3/user", None).await.expect(200);
        let _ = world.forge.client().with_token(&session).get("/api/v3/user").await.expect(401);
    }

    async fn a_policy_forbids_what_one_issuer_does_not_run(forge: TestForge) {
        let world = World::new(forge).await;
        world.bound(&json!({})).await;
        let organization = json!({ "login": "acme" });
        let _ = world.alice.post(&format!("{EXT}/user/orgs"), &organization).await.expect(201);
        let work = json!({ "name": "work", "private": true, "auto_init": true });
        let _ = world.alice.post("/api/v3/orgs/acme/repos", &work).await.expect(201);
        let path = format!("/api/v3/repos/acme/work/collaborators/{}", world.agent.login);
        let _ = world.alice.put(&path, &json!({ "permission": "push" })).await;
        let invited = world.agent.client.get("/api/v3/repos/acme/work").await;
        assert_eq!(invited.status, 200, "{}", invited.text());
        let label = async |client: &forge_testing::Client, name: &str| {
            let body = json!({ "name": name, "color": "ff0000" });
            client.post("/api/v3/repos/acme/work/labels", &body).await.status.as_u16()
        };
        let run = world.forge.client().with_token(&world.session().await);
        assert_eq!((label(&world.agent.client, "1").await, label(&run, "2").await), (201, 201));
        let policy = r#"
            @reason("agents work where runs.example runs them")
            forbid (principal is Agent, action, resource)
            unless { context has runtime && context.runtime like "https://runs.example *" };
        "#;
        let policies = format!("{EXT}/orgs/acme/policies");
        let _ = world.alice.post(&policies, &json!({ "name": "runs", "policy": policy })).await.expect(201);
        // Whoever made this binding gave the keys with it, and that is not the issuer's word.
        assert_eq!((label(&world.agent.client, "3").await, label(&run, "4").await), (403, 403));
        let _ = world.alice.delete(&format!("{policies}/runs")).await.expect(204);
        let trusting = policy.replace("\"https://", "\"by-binding:https://");
        let _ = world.alice.post(&policies, &json!({ "name": "runs", "policy": trusting })).await.expect(201);
        assert_eq!((label(&world.agent.client, "3").await, label(&run, "4").await), (403, 201));
        let _ = world.alice.delete(&format!("{policies}/runs")).await.expect(204);
        assert_eq!(label(&world.agent.client, "5").await, 201);
    }
}
