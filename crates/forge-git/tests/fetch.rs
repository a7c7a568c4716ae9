//! Fetches answered to the byte, and what must not be answered.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use std::time::Duration;

use forge_git::fetch::{PackStream, Request, RequestLimits, Server, Transport};
use forge_git::wire::pkt::{Packet, Reader};
use forge_git::wire::{Protocol, RefSnapshot, pkt};
use forge_git::{Error, ProcessLimits};
use forge_types::{ObjectFormat, ObjectId};
use support::{Bench, Git};

fn version_2(arguments: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    pkt::write_line(&mut out, "command=fetch");
    out.extend_from_slice(pkt::DELIM);
    for argument in arguments {
        pkt::write_line(&mut out, argument);
    }
    out.extend_from_slice(pkt::FLUSH);
    out
}

async fn begin(
    bench: &Bench,
    snapshot: &RefSnapshot,
    protocol: Protocol,
    body: &[u8],
) -> Result<PackStream, Error> {
    let request =
        Request::read(&mut &body[..], protocol, ObjectFormat::Sha1, &RequestLimits::default()).await?;
    let Request::Fetch(fetch) = request else { panic!("{request:?}") };
    let server = Server::new(bench.processes.clone(), bench.storage.clone(), Transport::InProcess);
    server.fetch(&bench.packs(), snapshot, *fetch).await
}

async fn answer(
    bench: &Bench,
    snapshot: &RefSnapshot,
    protocol: Protocol,
    body: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut stream = begin(bench, snapshot, protocol, body).await?;
    let mut all = Vec::new();
    while let Some(chunk) = stream.next().await {
        all.extend_from_slice(&chunk?);
    }
    Ok(all)
}

/// Returns the lines before the pack and the bytes of the pack.
async fn split(answer: &[u8]) -> (Vec<String>, Vec<u8>) {
    let mut reader = Reader::new(answer, 1 << 28);
    let (mut lines, mut pack) = (Vec::new(), Vec::new());
    while let Some(packet) = reader.next().await.unwrap() {
        match packet {
            Packet::Data(data) if data[0] == 1 => pack.extend_from_slice(&data[1..]),
            Packet::Data(data) if data[0] == 2 => {}
            Packet::Data(data) => lines.push(String::from_utf8(data).unwrap().trim_end().to_owned()),
            _ => {}
        }
    }
    (lines, pack)
}

async fn fetch(
    bench: &Bench,
    snapshot: &RefSnapshot,
    arguments: &[String],
) -> Result<(Vec<String>, Vec<u8>), Error> {
    Ok(split(&answer(bench, snapshot, Protocol::V2, &version_2(arguments)).await?).await)
}

fn want(id: ObjectId) -> String {
    format!("want {id}")
}

fn done() -> String {
    "done".into()
}

/// A bench whose repository has what its working repository has.
async fn filled() -> Bench {
    let bench = Bench::new();
    bench.work.commit("a.txt", "one\n");
    bench.work.commit("b.txt", "two\n");
    let tip = bench.work.commit("a.txt", "three\n");
    bench.work.run(&["tag", "-a", "-m", "first", "v1"]);
    bench.push(&bench.work.pack(&["main", "v1"]), &[tip, bench.work.id("v1")], &[]).await.unwrap();
    bench
}

/// Unpacks into a new repository and checks that it has all of the tip.
fn unpack(bench: &Bench, pack: &[u8], tip: ObjectId) -> Git {
    let clone =
        Git::init(tempfile::Builder::new().tempdir_in(bench.directory.path()).unwrap().keep(), &["--bare"]);
    clone.pipe(&["index-pack", "--stdin"], pack);
    clone.run(&["update-ref", "refs/heads/main", &tip.to_string()]);
    clone
}

#[tokio::test]
async fn clone_in_version_2_is_whole() {
    let bench = filled().await;
    let tip = bench.work.id("main");
    let (lines, pack) = fetch(&bench, &bench.snapshot(), &[want(tip), done()]).await.unwrap();
    assert_eq!(lines, ["packfile"]);
    let clone = unpack(&bench, &pack, tip);
    clone.run(&["fsck", "--strict"]);
    assert_eq!(clone.run(&["rev-list", "--count", "main"]), "3");
    assert!(bench.leftovers().is_empty(), "the view is gone");
}

#[tokio::test]
async fn clone_in_version_0_is_whole() {
    let bench = filled().await;
    let tip = bench.work.id("main");
    for protocol in [Protocol::V0, Protocol::V1] {
        let mut body = Vec::new();
        pkt::write_line(
            &mut body,
            &format!("want {tip} multi_ack_detailed no-done side-band-64k ofs-delta agent=x"),
        );
        body.extend_from_slice(pkt::FLUSH);
        pkt::write_line(&mut body, "done");
        let all = answer(&bench, &bench.snapshot(), protocol, &body).await.unwrap();
        let (lines, pack) = split(&all).await;
        assert_eq!(lines, ["NAK"]);
        unpack(&bench, &pack, tip).run(&["fsck", "--strict"]);
    }
}

#[tokio::test]
async fn shallow_and_filtered_fetches_leave_out_what_they_should() {
    let bench = filled().await;
    let tip = bench.work.id("main");
    let (lines, pack) =
        fetch(&bench, &bench.snapshot(), &[want(tip), "deepen 1".into(), done()]).await.unwrap();
    assert_eq!(lines, ["shallow-info".to_owned(), format!("shallow {tip}"), "packfile".into()]);
    assert_eq!(u32::from_be_bytes(pack[8..12].try_into().unwrap()), 4, "commit, tree, two blobs");
    let (_, pack) =
        fetch(&bench, &bench.snapshot(), &[want(tip), "filter blob:none".into(), done()]).await.unwrap();
    assert_eq!(u32::from_be_bytes(pack[8..12].try_into().unwrap()), 6, "three commits, three trees");
}

#[tokio::test]
async fn fetch_of_a_commit_sends_what_the_client_lacks() {
    let bench = filled().await;
    let (tip, have) = (bench.work.id("main"), bench.work.id("main~1"));
    let arguments = [want(tip), format!("have {have}"), "thin-pack".into(), "ofs-delta".into(), done()];
    let (_, pack) = fetch(&bench, &bench.snapshot(), &arguments).await.unwrap();
    assert_eq!(u32::from_be_bytes(pack[8..12].try_into().unwrap()), 3);
}

#[tokio::test]
async fn commits_and_blobs_below_a_visible_tip_may_be_fetched_by_id() {
    let bench = filled().await;
    for revision in ["main~1", "main~1:a.txt", "main~2^{tree}", "v1"] {
        let id = bench.work.id(revision);
        let (_, pack) = fetch(&bench, &bench.snapshot(), &[want(id), done()]).await.unwrap();
        assert!(pack.starts_with(b"PACK"), "{revision}");
    }
}

#[tokio::test]
async fn objects_that_no_visible_ref_reaches_are_not_served() {
    let bench = filled().await;
    let before = bench.snapshot();
    let tip = bench.work.id("main");
    let secret = bench.work.commit("secret.txt", "secret\n");
    bench.push(&bench.work.pack(&["main", &format!("^{tip}")]), &[secret], &[tip]).await.unwrap();
    for revision in ["main", "main^{tree}", "main:secret.txt"] {
        let id = bench.work.id(revision);
        let error = fetch(&bench, &before, &[want(id), done()]).await.unwrap_err();
        assert!(matches!(error, Error::NotOurRef(found) if found == id), "{revision}: {error:?}");
        let error = fetch(&bench, &before, &[want(tip), want(id), done()]).await.unwrap_err();
        assert!(matches!(error, Error::NotOurRef(_)), "beside a good want");
    }
    let nowhere = "1111111111111111111111111111111111111111".parse().unwrap();
    assert!(matches!(fetch(&bench, &before, &[want(nowhere), done()]).await, Err(Error::NotOurRef(_))));
    let nothing = RefSnapshot::new(ObjectFormat::Sha1, before.head().clone(), Vec::new());
    assert!(matches!(fetch(&bench, &nothing, &[want(tip), done()]).await, Err(Error::NotOurRef(_))));
    assert!(bench.leftovers().is_empty());
}

/// Of more directories than are read here, the rest is left to `git rev-list`.
#[tokio::test]
async fn objects_of_a_wide_repository_are_found_and_told_from_others() {
    let bench = Bench::new();
    let mut history =
        "commit refs/heads/main\ncommitter Test <test@forge.example> 1700000000 +0000\ndata 0\n".to_owned();
    for number in 0..10_100 {
        let content = number.to_string();
        history.push_str(&format!("M 100644 inline d{number}/f\ndata {}\n{content}\n", content.len()));
    }
    bench.work.pipe(&["fast-import", "--quiet", "--force"], history.as_bytes());
    let tip = bench.work.id("main");
    bench.push(&bench.work.pack(&["main"]), &[tip], &[]).await.unwrap();
    let before = bench.snapshot();
    let hidden = bench.work.commit("hidden", "hidden\n");
    bench.push(&bench.work.pack(&["main", &format!("^{tip}")]), &[hidden], &[tip]).await.unwrap();
    let server = Server::new(bench.processes.clone(), bench.storage.clone(), Transport::InProcess);
    for revision in ["main~1:d0/f", "main~1:d9999/f", "main~1:d5000"] {
        server.check(&bench.packs(), &before, &[bench.work.id(revision)]).await.unwrap();
    }
    let refused = server.check(&bench.packs(), &before, &[bench.work.id("main:hidden")]).await;
    assert!(matches!(refused, Err(Error::NotOurRef(_))), "{refused:?}");
}

#[tokio::test]
async fn deepen_not_knows_visible_refs_only() {
    let bench = filled().await;
    let tip = bench.work.id("main");
    let body = version_2(&[want(tip), "deepen-not hidden".into(), done()]);
    let error = answer(&bench, &bench.snapshot(), Protocol::V2, &body).await.unwrap_err();
    assert_eq!(error.to_string(), "deepen-not is not a ref: hidden");
}

#[tokio::test]
async fn client_that_hangs_up_ends_the_process_and_frees_its_turn() {
    let limits = ProcessLimits { concurrent: 1, queue: Duration::from_secs(10), ..ProcessLimits::default() };
    let bench = Bench::with_limits(limits);
    // Large and incompressible, so that the answer does not fit into the queue.
    let mut state = 1u64;
    let noise: String = (0..3_000_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(33 + (state >> 33) as u8 % 90)
        })
        .collect();
    let tip = bench.work.commit("noise", &noise);
    bench.push(&bench.work.pack(&["main"]), &[tip], &[]).await.unwrap();
    let snapshot = bench.snapshot();
    for _ in 0..3 {
        let mut stream =
            begin(&bench, &snapshot, Protocol::V2, &version_2(&[want(tip), done()])).await.unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        drop(stream);
    }
    let (_, pack) = fetch(&bench, &snapshot, &[want(tip), done()]).await.unwrap();
    assert!(pack.len() > 2_000_000);
    assert!(bench.leftovers().is_empty());
}

#[tokio::test]
async fn client_that_stops_reading_is_cut_off() {
    let limits = ProcessLimits { stall: Duration::from_millis(100), ..ProcessLimits::default() };
    let bench = Bench::with_limits(limits);
    let noise: String =
        (0..200_000).map(|n: u64| format!("{}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let tip = bench.work.commit("noise", &noise);
    bench.push(&bench.work.pack(&["main"]), &[tip], &[]).await.unwrap();
    let mut stream =
        begin(&bench, &bench.snapshot(), Protocol::V2, &version_2(&[want(tip), done()])).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let mut total = 0;
    while let Some(Ok(chunk)) = stream.next().await {
        total += chunk.len();
    }
    assert!(total < 1_500_000, "{total} bytes were sent to a client that did not read");
    assert!(bench.leftovers().is_empty());
}
