//! Somebody who pushes, and remembers what was said to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forge_testing::fixtures::{git, succeed};

use crate::life::Random;
use crate::records::Marks;

/// What a ref points to; none if there is no such ref.
pub(crate) type Tip = Option<String>;

/// Pushes branches of its own to one repository.
pub(crate) struct Worker {
    number: usize,
    path: PathBuf,
    random: Random,
    /// What the server has said that its branches point to.
    pub(crate) told: BTreeMap<String, Tip>,
    /// What was asked for last and not answered.
    pub(crate) open: Option<(String, Tip)>,
    /// Where that is written down, too.
    pub(crate) marks: Option<Marks>,
}

impl Worker {
    pub(crate) fn new(number: usize, folder: &Path, seed: u64) -> Self {
        let path = folder.join(format!("worker-{number}"));
        succeed(git(folder).args(["init", "--quiet", "--initial-branch=main"]).arg(&path));
        let mut worker = Self {
            number,
            path,
            random: Random::new(seed + 100 + number as u64),
            told: BTreeMap::new(),
            open: None,
            marks: None,
        };
        worker.commit();
        worker
    }

    fn commit(&mut self) -> String {
        let name = format!("file-{}", self.random.below(5));
        let text: String = (0..50).map(|_| format!("{}\n", self.random.next())).collect();
        std::fs::write(self.path.join(name), text).unwrap();
        succeed(git(&self.path).args(["add", "."]));
        succeed(git(&self.path).args(["commit", "--quiet", "--message", "change"]));
        succeed(git(&self.path).args(["rev-parse", "HEAD"])).trim().to_owned()
    }

    /// Pushes until a push is not acknowledged, or so many were.
    pub(crate) fn push(&mut self, url: &str, limit: usize) {
        for _ in 0..limit {
            let name = format!("refs/heads/w{}/{}", self.number, self.random.below(4));
            let exists = self.told.get(&name).is_some_and(Option::is_some);
            let (source, tip) = match self.random.below(8) {
                0 if exists => (String::new(), None),
                1 => {
                    succeed(git(&self.path).args(["reset", "--quiet", "--soft", "HEAD~0"]));
                    succeed(git(&self.path).args([
                        "commit",
                        "--quiet",
                        "--amend",
                        "--no-edit",
                        "--date=now",
                    ]));
                    let tip = self.commit();
                    (tip.clone(), Some(tip))
                }
                _ => {
                    let tip = self.commit();
                    (tip.clone(), Some(tip))
                }
            };
            self.open = Some((name.clone(), tip.clone()));
            if let Some(marks) = &self.marks {
                marks.asked(self.number, &name, &tip);
            }
            let pushed = git(&self.path)
                .args(["push", "--quiet", "--force", url, &format!("{source}:{name}")])
                .output()
                .unwrap();
            if !pushed.status.success() {
                return;
            }
            if let Some(marks) = &self.marks {
                marks.told(self.number);
            }
            self.open = None;
            self.told.insert(name, tip);
        }
    }

    /// Compares what the server shows with what it has said.
    pub(crate) fn compare(&mut self, shown: &BTreeMap<String, String>, context: &str) {
        let open = self.open.take();
        let names: Vec<String> = self.told.keys().chain(open.iter().map(|(name, _)| name)).cloned().collect();
        for name in names {
            let is = shown.get(&name).cloned();
            let was = self.told.get(&name).cloned().flatten();
            let may = open.as_ref().filter(|(asked, _)| *asked == name).map(|(_, tip)| tip.clone());
            assert!(
                is == was || Some(&is) == may.as_ref(),
                "{context}: {name} is {is:?}, was {was:?}, may {may:?}"
            );
            self.told.insert(name, is);
        }
    }
}
