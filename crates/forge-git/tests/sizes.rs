//! Files that are too large for a repository.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use forge_git::Error;
use forge_git::receive::{Capabilities, IngestLimits, Quarantine, Reply};
use support::Bench;

/// Bytes that do not get smaller.
fn noise(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

async fn pushed(bench: &Bench, tip: forge_types::ObjectId, pack: &[u8], limit: u64) -> Result<(), Error> {
    let mut quarantine = Quarantine::open(&bench.packs(), bench.unique()).unwrap();
    let (reply, _body) = Reply::channel(&Capabilities::default());
    quarantine.ingest(&bench.processes, &mut &pack[..], &IngestLimits::default(), &reply).await?;
    quarantine.check_sizes(&bench.processes, &[tip], limit).await
}

#[tokio::test]
async fn file_that_is_too_large_is_refused_by_its_name() {
    let bench = Bench::new();
    bench.work.commit("small.txt", "small\n");
    let path = bench.work.path.join("art/big picture.bin");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, noise(3 << 20, 1)).unwrap();
    let tip = bench.work.commit("after.txt", "after\n");
    let pack = bench.work.pack(&[&tip.to_string()]);
    assert!(pushed(&bench, tip, &pack, 3 << 20).await.is_ok(), "as large as it may be");
    let refused = pushed(&bench, tip, &pack, (3 << 20) - 1).await.unwrap_err();
    assert!(refused.is_for_client());
    let text = refused.to_string();
    assert!(text.starts_with("`art/big picture.bin` has 3.0 MB, and a file may have 3 MB"), "{text}");
    assert!(text.contains("Git LFS"), "{text}");
}

#[tokio::test]
async fn file_that_comes_as_a_difference_is_measured_too() {
    let bench = Bench::new();
    let path = bench.work.path.join("big.bin");
    let mut bytes = noise(3 << 20, 2);
    std::fs::write(&path, &bytes).unwrap();
    let first = bench.work.commit("a", "a\n");
    let pack = bench.work.pack(&[&first.to_string()]);
    bench.push(&pack, &[first], &[]).await.unwrap();
    bytes.extend(noise(1 << 20, 3));
    std::fs::write(&path, &bytes).unwrap();
    let second = bench.work.commit("b", "b\n");
    let pack = bench.work.pack(&[&second.to_string(), &format!("^{first}")]);
    assert!(pack.len() < 2 << 20, "it is a difference: {} bytes", pack.len());
    assert!(pack.len() > 1 << 20, "and not for the way of small pushes");
    assert!(pushed(&bench, second, &pack, 5 << 20).await.is_ok());
    let refused = pushed(&bench, second, &pack, 3 << 20).await.unwrap_err().to_string();
    assert!(refused.starts_with("`big.bin` has 4.0 MB"), "{refused}");
}
