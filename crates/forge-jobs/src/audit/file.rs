//! A file that checkpoints are appended to, a line of JSON each. Best on another machine's disk, and append-only there.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use forge_service::audit::checkpoint::Published;

/// The file.
pub(super) struct File {
    path: PathBuf,
}

impl File {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn name(&self) -> String {
        format!("file:{}", self.path.display())
    }

    /// Appends the checkpoints and waits until they are on disk.
    pub(super) async fn append(&self, checkpoints: Vec<Published>) -> Result<(), String> {
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || append(&path, &checkpoints)).await;
        written.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

fn append(path: &Path, checkpoints: &[Published]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let mut text = String::new();
    if is_torn(&mut file)? {
        // What a full disk cut off is no line; the next one must not continue it.
        text.push('\n');
    }
    for checkpoint in checkpoints {
        text += &serde_json::to_string(checkpoint)?;
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Returns whether the file ends in the middle of a line.
fn is_torn(file: &mut std::fs::File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(position: i64) -> Published {
        Published {
            chain: "ach_1".to_owned(),
            position,
            hash: "00".to_owned(),
            created_at_micros: 1,
            key_id: "k".to_owned(),
            signature: "00".to_owned(),
        }
    }

    #[test]
    fn lines_are_appended_also_after_one_that_was_cut_off() {
        let folder = std::env::temp_dir().join(format!("forge-checkpoints-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("checkpoints.jsonl");
        append(&path, &[checkpoint(1)]).expect("written");
        let mut torn = std::fs::read_to_string(&path).expect("a file");
        torn.push_str("{\"chain\":\"ac");
        std::fs::write(&path, torn).expect("written");
        append(&path, &[checkpoint(2), checkpoint(3)]).expect("written");
        let text = std::fs::read_to_string(&path).expect("a file");
        let positions: Vec<i64> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Published>(line).ok())
            .map(|checkpoint| checkpoint.position)
            .collect();
        assert_eq!(positions, [1, 2, 3]);
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let error = append(Path::new("/dev/full"), &[checkpoint(1)]).expect_err("no room");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}
