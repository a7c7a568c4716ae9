//! Requests that no good client sends.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use forge_testing::{TestForge, for_each_database};

use crate::bench::{Bench, ZERO, git, pack, pkt, push_body};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

for_each_database! {
    async fn broken_pkt_lines_are_refused_in_words(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        for body in [&b"0003"[..], b"zzzz", b"00", b"fff0abc", b"0010not commands", b"ffff", b"0000trailing"] {
            let answer = bench.post("git-receive-pack", body).await;
            let is_probe = body.starts_with(b"0000");
            assert_eq!(answer.status, if is_probe { 200 } else { 400 }, "{}", body.escape_ascii());
            assert!(answer.head.contains("text/plain") || is_probe, "{}", answer.head);
            let answer = bench.post_with("git-upload-pack", body, &[("git-protocol", "version=2")]).await;
            assert_eq!(answer.status, 200);
            assert!(answer.text().contains("ERR upload-pack: "), "{}: {}", body.escape_ascii(), answer.text());
        }
        assert_eq!(bench.packs(), 1);
    }

    async fn unknown_commands_and_arguments_are_refused_in_words(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        for body in [
            format!("{}0000", pkt("command=evil\n")),
            format!("{}0001{}0000", pkt("command=fetch\n"), pkt("want 12\n")),
            format!("{}0001{}0000", pkt("command=fetch\n"), pkt("want-ref refs/heads/absent\n")),
            format!("{}0001{}0000", pkt("command=ls-refs\n"), pkt("evil\n")),
        ] {
            let answer = bench.post_with("git-upload-pack", body.as_bytes(), &[("git-protocol", "version=2")]).await;
            assert!(answer.status == 200 && answer.text().contains("ERR upload-pack: "), "{body}: {}", answer.text());
        }
    }

    async fn pack_cut_short_or_altered_is_refused_in_words_and_leaves_nothing(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let whole = pack(&work, "main\n").await;
        let mut altered = whole.clone();
        *altered.last_mut().unwrap() ^= 1;
        for broken in [&b""[..], b"PACK", b"EVIL", &whole[..whole.len() / 2], &whole[..whole.len() - 1], &altered] {
            let answer = bench.post("git-receive-pack", &push_body(ZERO, &tip, "refs/heads/main", broken)).await;
            let text = answer.text();
            assert_eq!(answer.status, 200);
            assert!(text.contains("\u{2}forge: the push is refused: "), "a line behind `remote: `: {text}");
            assert!(text.contains("unpack ") && !text.contains("unpack ok"), "{text}");
            assert!(text.contains("ng refs/heads/main unpacker error"), "{text}");
        }
        assert_eq!(bench.packs(), 0);
        assert_eq!(bench.stored("refs/heads/main").await, None);
        let honest = bench.post("git-receive-pack", &push_body(ZERO, &tip, "refs/heads/main", &whole)).await;
        assert!(honest.text().contains("ok refs/heads/main"), "{}", honest.text());
    }

    async fn tip_without_its_history_is_refused_and_the_others_go(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        let whole = git(&work, ["rev-parse", "main"]).await.good();
        let lost = "1234567890123456789012345678901234567890";
        let first = format!("{ZERO} {whole} refs/heads/main\0report-status");
        let body = format!("{}{}0000", pkt(&first), pkt(&format!("{ZERO} {lost} refs/heads/lost")));
        let body = [body.as_bytes(), &pack(&work, "main\n").await].concat();
        let text = bench.post("git-receive-pack", &body).await.text();
        assert!(text.contains("ok refs/heads/main"), "{text}");
        assert!(text.contains("ng refs/heads/lost missing necessary objects"), "{text}");
    }

    async fn compressed_bodies_are_read(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let work = bench.work("work").await;
        let tip = git(&work, ["rev-parse", "main"]).await.good();
        let body = gzip(&push_body(ZERO, &tip, "refs/heads/main", &pack(&work, "main\n").await));
        let answer = bench.post_with("git-receive-pack", &body, &[("content-encoding", "gzip")]).await;
        assert!(answer.text().contains("ok refs/heads/main"), "{}", answer.text());
        let answer = bench.post_with("git-receive-pack", &body[..20], &[("content-encoding", "gzip")]).await;
        assert_eq!(answer.status, 400);
    }

    async fn compressed_bombs_are_refused_before_they_are_unpacked(forge: TestForge) {
        let bench = Bench::new(forge).await;
        let lines = pkt(&"x".repeat(60_000)).repeat(2000);
        let bomb = gzip(lines.as_bytes());
        assert!(bomb.len() < 1_000_000);
        let answer = bench
            .post_with("git-upload-pack", &bomb, &[("content-encoding", "gzip"), ("git-protocol", "version=2")])
            .await;
        assert!(answer.text().contains("ERR upload-pack: the request is too large"), "{}", answer.text());
    }

    async fn other_media_types_and_methods_are_refused(forge: TestForge) {
        let bench = Bench::new(forge).await;
        bench.pushed("work").await;
        let client = bench.forge.client_of(&bench.alice, None).await;
        let answer = client.post("/alice/project/git-receive-pack", &serde_json::json!({})).await;
        assert_eq!(answer.status, 400);
        let answer = client.get("/alice/project/git-receive-pack").await;
        assert_eq!(answer.status, 405);
    }

    async fn push_over_the_size_limit_is_refused_in_words(database: forge_testing::Database) {
        let builder = TestForge::builder(database).git_limits(|limits| limits.pack.pack_bytes = 1_000_000);
        let bench = Bench::new(builder.start().await).await;
        let work = bench.pushed("work").await;
        crate::bench::commit(&work, "noise", &crate::pushing::noise(2_000_000)).await;
        let refused = git(&work, ["push", "origin", "main"]).await.refused();
        assert!(refused.contains("remote: forge: the push is refused: the pack is over the limit"), "{refused}");
        assert_eq!(bench.packs(), 1);
    }
}
