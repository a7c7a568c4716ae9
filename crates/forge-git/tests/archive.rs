//! Archives against `git archive`.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod support;

use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder};
use forge_git::Error;
use forge_git::archive::{ArchiveFormat, ArchiveRequest};
use forge_git::objects::Objects;
use forge_types::ObjectId;
use support::Bench;
use support::files::{commit, directory};
use support::random::{Random, cases, first_seed};

fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    bytes[at..at + len].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// An entry of a zip file: name, mode, bytes, time.
type Entry = (String, usize, Vec<u8>, usize);

/// Reads a zip file by the list at its end; returns its entries and its comment.
fn unzip(bytes: &[u8]) -> (Vec<Entry>, String) {
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let comment = String::from_utf8(bytes[end + 22..].to_vec()).unwrap();
    assert_eq!(number(bytes, end + 20, 2), comment.len());
    let (count, mut at) = (number(bytes, end + 10, 2), number(bytes, end + 16, 4));
    let mut entries = Vec::new();
    for _ in 0..count {
        assert_eq!(&bytes[at..at + 4], b"PK\x01\x02");
        let (name_len, extra_len) = (number(bytes, at + 28, 2), number(bytes, at + 30, 2));
        let name = String::from_utf8(bytes[at + 46..at + 46 + name_len].to_vec()).unwrap();
        let mode = number(bytes, at + 38, 4) >> 16;
        let extra = &bytes[at + 46 + name_len..at + 46 + name_len + extra_len];
        assert_eq!(&extra[..2], b"UT");
        let time = number(extra, 5, 4);
        let (packed, size) = (number(bytes, at + 20, 4), number(bytes, at + 24, 4));
        let local = number(bytes, at + 42, 4);
        assert_eq!(&bytes[local..local + 4], b"PK\x03\x04");
        assert_eq!(number(bytes, local + 26, 2), name_len);
        let begin = local + 30 + name_len + number(bytes, local + 28, 2);
        let content = &bytes[begin..begin + packed];
        let mut data = Vec::new();
        match number(bytes, at + 10, 2) {
            0 => data.extend_from_slice(content),
            8 => drop(DeflateDecoder::new(content).read_to_end(&mut data).unwrap()),
            method => panic!("{method}"),
        }
        let mut crc = flate2::Crc::new();
        crc.update(&data);
        assert_eq!((data.len(), crc.sum() as usize), (size, number(bytes, at + 16, 4)), "{name}");
        entries.push((name, mode, data, time));
        at += 46 + name_len + extra_len + number(bytes, at + 32, 2);
    }
    (entries, comment)
}

fn archive(objects: &mut Objects, format: ArchiveFormat, commit_id: ObjectId, prefix: &str) -> Vec<u8> {
    let request =
        ArchiveRequest { commit_id, prefix: prefix.to_owned(), max_entries: 10_000, max_bytes: 1 << 26 };
    let mut written = Vec::new();
    objects.archive(format, &request, &mut written).unwrap();
    written
}

/// Returns the names of the headers of an archive of small files, to show where two differ.
fn names(tar: &[u8]) -> Vec<String> {
    let headers = tar.chunks(512).filter(|record| record.get(257..262) == Some(b"ustar"));
    headers.map(|record| String::from_utf8_lossy(&record[..100]).trim_end_matches('\0').to_owned()).collect()
}

fn check(bench: &Bench, tip: &str, label: &str) {
    let mut objects = bench.objects();
    let id: ObjectId = tip.parse().unwrap();
    for prefix in ["", "name-1.0/"] {
        let git = |format: &str| {
            bench
                .work
                .pipe(&["archive", &format!("--format={format}"), &format!("--prefix={prefix}"), tip], b"")
        };
        let theirs = git("tar");
        let ours = archive(&mut objects, ArchiveFormat::Tar, id, prefix);
        assert!(ours == theirs, "{label}: {:?}\n{:?}", names(&ours), names(&theirs));
        let packed = archive(&mut objects, ArchiveFormat::TarGz, id, prefix);
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == theirs, "{label}");
        let (theirs, comment) = unzip(&git("zip"));
        let ours = unzip(&archive(&mut objects, ArchiveFormat::Zip, id, prefix));
        assert_eq!(ours.1, comment);
        // Git says nothing of the mode of plain files and directories.
        let plain = |entries: &[Entry]| -> Vec<(String, Vec<u8>, usize, bool, bool)> {
            let is = |mode: usize, bits: usize| mode & bits == bits;
            entries
                .iter()
                .map(|(name, mode, data, time)| {
                    (name.clone(), data.clone(), *time, is(*mode, 0o120_000), is(*mode, 0o100_111))
                })
                .collect()
        };
        assert_eq!(plain(&ours.0), plain(&theirs), "{label}");
    }
}

#[test]
fn archives_are_those_of_git() {
    let first = first_seed();
    for seed in first..first + cases(12) {
        let mut random = Random::new(seed);
        let bench = Bench::new();
        let mut files = directory(&mut random);
        let long = "a-rather-long-name/".repeat(6) + "file";
        files.insert(long, ("100644", b"x".to_vec()));
        let longer = format!("{}/{}", "y".repeat(120), "z".repeat(120));
        files.insert(longer, ("100755", b"y".to_vec()));
        files.insert("far".to_owned(), ("120000", "../".repeat(60).into_bytes()));
        files.insert("large".to_owned(), ("100644", vec![b'l'; random.below(200_000)]));
        let tip = commit(&bench.work, "main", 1_700_000_001, "m\n", &files, &[]);
        check(&bench, &tip, &format!("seed {seed}"));
    }
}

#[test]
fn what_attributes_exclude_is_left_out() {
    let bench = Bench::new();
    for (path, text) in [
        (
            ".gitattributes",
            "*.log export-ignore\nsecret/ export-ignore\n/top export-ignore\nkept.log -export-ignore\n",
        ),
        ("a.log", "1"),
        ("kept.log", "2"),
        ("top", "3"),
        ("d/top", "4"),
        ("d/.gitattributes", "only export-ignore\nx.txt export-ignore\n"),
        ("d/only", "5"),
        ("only", "6"),
        ("d/e/x.txt", "7"),
        ("secret/s", "8"),
        ("z/a.log", "9"),
    ] {
        bench.work.commit(path, text);
    }
    let tip = bench.work.id("HEAD").to_string();
    check(&bench, &tip, "attributes");
    let mut objects = bench.objects();
    let tar = archive(&mut objects, ArchiveFormat::Tar, tip.parse().unwrap(), "");
    let has = |name: &str| tar.chunks(512).any(|record| record.starts_with(format!("{name}\0").as_bytes()));
    assert!(has("kept.log") && has("only") && !has("d/only") && !has("secret/") && !has("z/a.log"));
}

#[test]
fn archive_ends_at_its_limits_and_with_its_reader() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let bench = Bench::new();
    bench.work.commit("a", &"long\n".repeat(1000));
    bench.work.commit("b", "1");
    let commit_id = bench.work.id("HEAD");
    let mut objects = bench.objects();
    let plenty = ArchiveRequest { commit_id, prefix: String::new(), max_entries: 10, max_bytes: 10_000 };
    for format in [ArchiveFormat::Tar, ArchiveFormat::TarGz, ArchiveFormat::Zip] {
        let mut ask = |request: &ArchiveRequest| objects.archive(format, request, &mut std::io::sink());
        assert!(ask(&plenty).is_ok());
        assert!(matches!(ask(&ArchiveRequest { max_entries: 1, ..plenty.clone() }), Err(Error::TooLarge(_))));
        assert!(matches!(ask(&ArchiveRequest { max_bytes: 99, ..plenty.clone() }), Err(Error::TooLarge(_))));
        assert!(matches!(objects.archive(format, &plenty, &mut Closed), Err(Error::Io { .. })));
    }
}
