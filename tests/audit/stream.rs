//! Following the log: every event once, in order, to whoever may see it, for as long as their token is good.

use std::time::Duration;

use forge_auth::token::Secret;
use forge_testing::{Client, Listening, TestForge, for_each_database};
use forge_types::credential::CredentialKind;
use http::HeaderName;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{busy, labels};

const STREAM: &str = "/api/ext/v1/audit-events/stream";

/// Returns id and name of each event of a stream that has ended.
fn events(text: &str) -> Vec<(i64, String)> {
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default().to_owned()
    };
    let all = text.split("\n\n").filter(|event| field(event, "event") == "audit");
    all.map(|event| {
        let data: Value = serde_json::from_str(&field(event, "data")).unwrap();
        let id = field(event, "id").parse().unwrap();
        assert_eq!(data["position"].as_i64(), Some(id));
        (id, data["action"].as_str().unwrap().to_owned())
    })
    .collect()
}

async fn read(client: &Client, query: &str) -> Vec<(i64, String)> {
    events(&client.get(&format!("{STREAM}{query}")).await.expect(200).text())
}

/// A stream over a real connection.
struct Open(TcpStream);

impl Open {
    async fn new(listening: &Listening, token: &Secret) -> Self {
        let address = listening.url().strip_prefix("http://").unwrap().to_owned();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let request = format!(
            "GET {STREAM} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            token.expose()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Reads until the text holds these words, or to the end.
    async fn until(&mut self, words: &str) -> String {
        let mut text = String::new();
        let reading = async {
            let mut buffer = [0; 4096];
            while !text.contains(words) {
                match self.0.read(&mut buffer).await.unwrap() {
                    0 => break,
                    count => text += &String::from_utf8_lossy(&buffer[..count]),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reading).await.expect("the stream goes on");
        text
    }
}

for_each_database! {
    async fn a_reader_who_comes_back_misses_none_and_sees_none_twice(forge: TestForge) {
        let client = busy(&forge, 3).await;
        let first = read(&client, "").await;
        assert_eq!(first.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3]);
        labels(&client, "unsealed", 2).await;
        let last = HeaderName::from_static("last-event-id");
        let again = client.clone().with_header(last.clone(), "2");
        assert_eq!(read(&again, "").await, [(3, "label.created".to_owned())], "what is not sealed is not there yet");
        forge.run_jobs().await;
        assert_eq!(read(&again, "").await.len(), 3);
        assert_eq!(read(&client, "?after=4").await.len(), 1);
        assert_eq!(read(&client, "?after=99").await, []);
        let _ = client.with_header(last, "x").get(STREAM).await.expect(422);
    }

    async fn a_reader_sees_what_they_may_list(forge: TestForge) {
        busy(&forge, 3).await;
        let bob = forge.human_client("bob").await;
        bob.post("/api/ext/v1/user/tokens", &serde_json::json!({ "name": "x" })).await.expect(201);
        forge.run_jobs().await;
        assert_eq!(read(&bob, "").await, [(4, "credential.created".to_owned())]);
        let root = forge.site_admin("root").await;
        let root = forge.client_of(&root, None).await;
        assert_eq!(read(&root, "").await.len(), 4);
        assert_eq!(read(&root, "?action=credential.created&decision=allow").await.len(), 1);
        assert_eq!(read(&root, "?task=none").await, []);
        let _ = bob.get(&format!("{STREAM}?repository=alice/work")).await.expect(404);
    }
}

async fn lasting(database: forge_testing::Database) -> TestForge {
    let builder = TestForge::builder(database);
    builder.settings(|settings| settings.audit.stream_lifetime = Duration::from_secs(3600)).start().await
}

for_each_database! {
    async fn a_stream_goes_on_with_the_log_and_ends_with_its_token(database: forge_testing::Database) {
        let forge = lasting(database).await;
        let client = busy(&forge, 2).await;
        let alice = forge.find_account("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let listening = forge.listen().await;
        let mut stream = Open::new(&listening, &token).await;
        let begun = stream.until("id: 2\n").await;
        assert!(begun.contains("text/event-stream"), "{begun}");
        labels(&client, "later", 1).await;
        forge.run_jobs().await;
        assert!(stream.until("id: 3\n").await.contains("label.created"));
        let list = client.get("/api/ext/v1/user/tokens").await.expect(200).json();
        for one in list.as_array().unwrap() {
            let id = &one["id"];
            if one["tail"] == token.tail() {
                client.delete(&format!("/api/ext/v1/user/tokens/{id}")).await.expect(204);
            }
        }
        let end = stream.until("nothing ever says this").await;
        assert!(end.contains("event: end\ndata: {\"code\":\"unauthenticated\""), "{end}");
    }

    async fn one_account_has_so_many_streams_and_no_more(database: forge_testing::Database) {
        let forge = lasting(database).await;
        let client = busy(&forge, 1).await;
        let alice = forge.find_account("alice").await;
        let token = forge.token(&alice, CredentialKind::Personal, None).await;
        let listening = forge.listen().await;
        let mut open = Vec::new();
        for _ in 0..4 {
            let mut stream = Open::new(&listening, &token).await;
            stream.until("id: 1\n").await;
            open.push(stream);
        }
        let refused = client.get(STREAM).await.expect(429);
        assert_eq!(refused.header("retry-after"), Some("30"));
        // When the server stops, they end; then there is room again.
        forge.app().end_streams();
        for mut stream in open {
            assert!(stream.until("event: end").await.contains("\"code\":\"unavailable\""));
        }
    }
}
