//! Checkpoints in places outside: each arrives, also after a place was away, and no place that is away holds anything up.

use std::path::PathBuf;

use forge_service::audit::checkpoint::{Published, public_keys};
use forge_testing::{Database, TestForge, for_each_database};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{busy, labels, verify};

async fn forge_with(database: Database, file: Option<PathBuf>, webhook: Option<String>) -> TestForge {
    let settings = TestForge::builder(database).settings(|settings| {
        settings.audit.checkpoint_file = file;
        settings.audit.checkpoint_webhook = webhook.map(|url| url.parse().unwrap());
    });
    settings.start().await
}

fn read(text: &str) -> Vec<Published> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

for_each_database! {
    async fn a_file_has_every_checkpoint_also_those_of_when_it_was_away(database: Database) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mounted/checkpoints.jsonl");
        let forge = forge_with(database, Some(file.clone()), None).await;
        // Attack A90: the disk of the place is not there. Nothing is lost, and nobody is refused.
        let client = busy(&forge, 2).await;
        labels(&client, "more", 2).await;
        forge.run_jobs().await;
        assert_eq!((verify(&forge).await.findings, verify(&forge).await.vouched), (vec![], 4));
        assert!(!file.exists());
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        labels(&client, "still more", 1).await;
        forge.run_jobs().await;
        let published = read(&std::fs::read_to_string(&file).unwrap());
        let positions: Vec<i64> = published.iter().map(|checkpoint| checkpoint.position).collect();
        assert_eq!(positions, [2, 4, 5]);
        let keys = public_keys(forge.app()).unwrap();
        assert!(published.iter().all(|checkpoint| checkpoint.is_signed_by(&keys)));
        forge.run_jobs().await;
        assert_eq!(read(&std::fs::read_to_string(&file).unwrap()).len(), 3, "none comes twice");
    }

    async fn a90_a_place_whose_disk_is_full_loses_no_event(database: Database) {
        let forge = forge_with(database, Some("/dev/full".into()), None).await;
        let client = busy(&forge, 2).await;
        labels(&client, "more", 2).await;
        forge.run_jobs().await;
        let report = verify(&forge).await;
        assert_eq!((report.findings, report.sealed, report.checkpoints), (vec![], 4, 2));
    }

    async fn a_webhook_is_sent_every_checkpoint(database: Database) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://user:secret@{}/hook?key=secret", listener.local_addr().unwrap());
        let forge = forge_with(database, None, Some(url)).await;
        let receiver = tokio::spawn(async move {
            let mut bodies = Vec::new();
            for status in ["500 Broken", "204 No Content"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_whole(&request) {
                    let mut buffer = [0; 4096];
                    let count = stream.read(&mut buffer).await.unwrap();
                    assert!(count > 0, "the request ended early");
                    request.extend_from_slice(&buffer[..count]);
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                let text = String::from_utf8(request).unwrap();
                bodies.push(text.split_once("\r\n\r\n").unwrap().1.to_owned());
            }
            bodies
        });
        let client = busy(&forge, 2).await;
        labels(&client, "more", 1).await;
        forge.run_jobs().await;
        let bodies = receiver.await.unwrap();
        let of = |body: &str| -> Vec<i64> {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            let list = body["checkpoints"].as_array().unwrap();
            list.iter().map(|checkpoint| checkpoint["position"].as_i64().unwrap()).collect()
        };
        assert_eq!((of(&bodies[0]), of(&bodies[1])), (vec![2], vec![2, 3]), "what it did not take comes again");
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}
