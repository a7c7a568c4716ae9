//! Who makes bindings, what they may be, and what ends with them.

use forge_testing::{Database, TestForge, for_each_database};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{World, refusal};
use crate::grants::EXT;
use crate::policies::with_folder;

/// Answers requests over HTTP/1.1: those for `/keys` with keys, those for a description with one, others with nothing.
async fn publish(listener: TcpListener, said: Value, keys: Value) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap_or_default();
        let head = String::from_utf8_lossy(&head[..length]).into_owned();
        let (status, body) = match head.split(' ').nth(1) {
            Some("/keys") => ("200 OK", keys.to_string()),
            Some("/.well-known/openid-configuration") => ("200 OK", said.to_string()),
            _ => ("404 Not Found", String::new()),
        };
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

for_each_database! {
    async fn a70_a_human_or_an_administrator_binds_workloads_and_no_agent_does(forge: TestForge) {
        let world = World::new(forge).await;
        let path = world.path();
        let details = world.details(&json!({}));
        let mallory = world.forge.human_client("mallory").await;
        let _ = mallory.post(&path, &details).await.expect(404);
        let _ = mallory.get(&path).await.expect(404);
        let _ = world.agent.client.post(&path, &details).await.expect(403);
        let switch = format!("{EXT}/agent-bindings/{}/switch-session", world.agent.login);
        let session = world.alice.post(&switch, &json!({})).await.expect(200).json();
        let switched = forge_testing::agents::secret(&session["token"]["token"]);
        let _ = world.forge.client().with_token(&switched).post(&path, &details).await.expect(403);
        let root = world.forge.site_admin("root1").await;
        let root = world.forge.client_of(&root, None).await;
        let made = root.post(&path, &details).await.expect(201).json();
        let _ = world.bound(&json!({ "subject": "repo:acme/*:ref:refs/heads/main" })).await;
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        for client in [&mallory, &world.agent.client] {
            assert!([403, 404].contains(&client.delete(&one).await.status.as_u16()));
        }
        let listed = world.agent.client.get(&path).await.expect(200).json();
        assert_eq!(listed.as_array().unwrap().len(), 2);
        let _ = world.alice.delete(&one).await.expect(204);
        let _ = world.alice.delete(&one).await.expect(404);
        let events = root.get(&format!("{EXT}/audit-events?per_page=100")).await.expect(200).text();
        assert!(events.contains("agent.workload_bound") && events.contains("agent.workload_unbound"));
    }

    async fn a_policy_sees_which_host_a_binding_has_the_forge_speak_to(database: Database) {
        let folder = tempfile::tempdir().unwrap();
        let policy = "@id(\"issuers\") forbid (principal, action == Action::\"agent.runtime.manage\", resource) \
                      when { context.network has destination && !(context.network.destination like \"*.example\") };";
        std::fs::write(folder.path().join("issuers.cedar"), policy).unwrap();
        let forge = with_folder(database, folder.path()).await;
        let root = forge.site_admin("root1").await;
        let root = forge.client_of(&root, None).await;
        let _ = root.post("/api/ext/v1/admin/policies/reload", &json!({})).await.expect(200);
        let world = World::new(forge).await;
        let elsewhere = json!({ "issuer": "https://runs.example", "jwks": null, "jwks_uri": "https://keys.test/jwks" });
        let refused = world.alice.post(&world.path(), &world.details(&elsewhere)).await.expect(403).text();
        assert!(refused.contains("policy:issuers"), "{refused}");
        let itself = json!({ "issuer": "https://runs.test", "jwks": null });
        let _ = world.alice.post(&world.path(), &world.details(&itself)).await.expect(403);
        // Nobody is spoken to where the keys come with the binding.
        let inline = json!({ "issuer": "https://runs.test" });
        let _ = world.alice.post(&world.path(), &world.details(&inline)).await.expect(201);
        let good = json!({ "jwks": null, "jwks_uri": "https://keys.example/jwks" });
        let _ = world.alice.post(&world.path(), &world.details(&good)).await.expect(201);
    }

    async fn a70_a_binding_says_whose_workloads_it_means(forge: TestForge) {
        let world = World::new(forge).await;
        for (change, field) in [
            (json!({ "subject": "*" }), "subject"),
            (json!({ "subject": "repo:*/app:ref:refs/heads/main" }), "subject"),
            (json!({ "subject": "repo:acme*/app:ref:refs/heads/main" }), "subject"),
            (json!({ "issuer": "http://runs.example" }), "issuer"),
            (json!({ "issuer": "runs.example" }), "issuer"),
            (json!({ "issuer": "https://u:p@runs.example" }), "issuer"),
            (json!({ "issuer": "spiffe://example.org" }), "subject"),
            (json!({ "issuer": "spiffe://example.org", "subject": "spiffe://example.org.evil/x" }), "subject"),
            (json!({ "issuer": "spiffe://Example.org/x", "subject": "spiffe://Example.org/x/y" }), "issuer"),
            (json!({ "audience": "" }), "audience"),
            (json!({ "claims": { "aud": "x" } }), "claims"),
            (json!({ "claims": { "ref": "main" } }), "claims"),
            (json!({ "claims": { "a": ["x"] } }), "claims"),
            (json!({ "max_ttl": 59 }), "max_ttl"),
            (json!({ "max_ttl": 28_801 }), "max_ttl"),
            (json!({ "jwks": { "keys": [] } }), "jwks"),
            (json!({ "jwks_uri": "https://runs.example/keys" }), "jwks"),
            (json!({ "jwks": null, "jwks_uri": "ftp://runs.example/keys" }), "jwks_uri"),
        ] {
            let refused = world.alice.post(&world.path(), &world.details(&change)).await.expect(422).json();
            assert_eq!(refused["errors"][0]["field"], field, "{change} {refused}");
        }
        for number in 0..20 {
            world.bound(&json!({ "audience": format!("forge-{number}") })).await;
        }
        let _ = world.alice.post(&world.path(), &world.details(&json!({}))).await.expect(422);
    }

    async fn what_a_binding_opened_ends_with_it_with_the_human_and_with_recovery(forge: TestForge) {
        let world = World::new(forge).await;
        let opens = async |session: &forge_auth::token::Secret| {
            world.forge.client().with_token(session).get("/api/v3/user").await.status
        };
        let binding = world.bound(&json!({})).await;
        let session = world.session().await;
        assert_eq!(opens(&session).await, 200);
        let one = format!("{}/{}", world.path(), binding["id"].as_str().unwrap());
        let _ = world.alice.delete(&one).await.expect(204);
        assert_eq!(opens(&session).await, 401);
        refusal(world.ask(&json!({})).await);
        world.bound(&json!({})).await;
        let session = world.session().await;
        let agents = format!("{EXT}/agent-bindings/{}", world.agent.login);
        let _ = world.alice.post(&format!("{agents}/reset-token"), &json!({})).await.expect(200);
        assert_eq!(opens(&session).await, 401);
        refusal(world.ask(&json!({})).await);
        world.bound(&json!({})).await;
        let session = world.session().await;
        let _ = world.alice.delete(&agents).await;
        assert_eq!(opens(&session).await, 401);
        refusal(world.ask(&json!({})).await);
    }

    async fn a70_a_workload_leaves_no_key_behind(forge: TestForge) {
        let world = World::new(forge).await;
        world.bound(&json!({})).await;
        let run = world.forge.client().with_token(&world.session().await);
        let path = format!("{EXT}/agents/{}/keys", world.agent.login);
        let refused = run.post(&path, &json!({ "jwk": {} })).await;
        assert!((400..500).contains(&refused.status.as_u16()), "{}", refused.status);
        let key = run.delete(&format!("{path}/key_none")).await.expect(403).text();
        assert!(key.contains("a workload's session"), "{key}");
        let _ = world.agent.client.delete(&format!("{path}/key_none")).await.expect(404);
    }

    async fn a_suspended_agent_has_no_sessions_and_the_former_humans_undone_binding_opens_none(forge: TestForge) {
        let world = World::new(forge).await;
        world.bound(&json!({})).await;
        let account = world.forge.find_account(&world.agent.login).await;
        world.forge.suspend(&account).await;
        refusal(world.ask(&json!({})).await);
        world.forge.restore(&account).await;
        let _ = world.ask(&json!({})).await.expect(200);
        let undo = format!("{EXT}/agent-bindings/{}/undo", world.agent.login);
        let _ = world.agent.client.post(&undo, &json!({})).await.expect(200);
        refusal(world.ask(&json!({})).await);
    }

    async fn keys_are_fetched_from_where_the_issuer_or_the_binding_says(forge: TestForge) {
        let world = World::new(forge).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let address = format!("{issuer}/keys");
        let said = json!({ "issuer": issuer, "jwks_uri": address });
        tokio::spawn(publish(listener, said, world.issuer.jwks()));
        world.bound(&json!({ "jwks": null, "jwks_uri": address })).await;
        let _ = world.ask(&json!({})).await.expect(200);
        refusal(world.ask(&json!({ "iss": issuer })).await);
        world.bound(&json!({ "issuer": issuer, "jwks": null })).await;
        let _ = world.ask(&json!({ "iss": issuer })).await.expect(200);
        // What nobody publishes is nobody's.
        let gone = json!({ "issuer": format!("{issuer}/gone"), "jwks": null });
        world.bound(&gone).await;
        refusal(world.ask(&json!({ "iss": gone["issuer"] })).await);
    }

    async fn a_spiffe_token_is_believed_by_its_trust_domain(forge: TestForge) {
        let world = World::new(forge).await;
        let pattern = json!({ "issuer": "spiffe://example.org", "subject": "spiffe://example.org/ci/*" });
        world.bound(&pattern).await;
        let svid = |id: &str| json!({ "iss": null, "jti": null, "sub": id });
        let _ = world.ask(&svid("spiffe://example.org/ci/one")).await.expect(200);
        refusal(world.ask(&svid("spiffe://example.org/ci/one")).await);
        for other in ["spiffe://example.org.evil/ci/one", "spiffe://example.org/ci/one/two", "spiffe://example.org/cd/one"] {
            refusal(world.ask(&svid(other)).await);
        }
    }
}
