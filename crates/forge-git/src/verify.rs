//! Is what lies on disk whole? For the operator's check, not for serving.

use std::sync::atomic::AtomicBool;

use gix_pack::Bundle;

use crate::objects::hash_kind;
use crate::storage::list;
use crate::{Error, Repository, Result};

/// What belongs to a pack.
const PACK_FILES: [&str; 4] = ["pack", "rev", "mtimes", "idx"];

impl Repository {
    /// Returns the names of the packs in the directory, in order; a pack without its index counts too. Blocks.
    pub fn pack_names(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = list(&self.packs())?
            .iter()
            .filter(|path| {
                path.extension().is_some_and(|found| PACK_FILES.iter().any(|known| found == *known))
            })
            .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
            .filter(|name| name.starts_with("pack-"))
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Reads a pack and its index whole and compares both with their checksums and with each other; returns how many
    /// objects the pack has. Blocks.
    pub fn verify_pack(&self, name: &str) -> Result<u64> {
        let index = self.packs().join(format!("{name}.idx"));
        let fault = |error: &dyn std::fmt::Display| Error::corrupt(index.display(), error);
        let bundle = Bundle::at(&index, hash_kind(self.format())).map_err(|error| fault(&error))?;
        let never = AtomicBool::new(false);
        let mut progress = gix::progress::Discard;
        let of_index = bundle.index.verify_checksum(&mut progress, &never);
        of_index.map_err(|error| fault(&error))?;
        let of_pack = bundle.pack.verify_checksum(&mut progress, &never);
        let of_pack = of_pack.map_err(|error| fault(&error))?;
        if bundle.index.pack_checksum() != of_pack {
            return Err(Error::Corrupt(format!("{} belongs to another pack", index.display())));
        }
        Ok(bundle.index.num_objects().into())
    }
}

#[cfg(test)]
mod tests {
    use forge_types::ObjectFormat;

    use crate::Storage;
    use crate::objects::PackBuilder;

    #[test]
    fn a_damaged_or_missing_pack_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path().join("repositories")).unwrap();
        let repository = storage.repository(1, ObjectFormat::Sha1);
        let mut builder = PackBuilder::new(ObjectFormat::Sha1);
        builder.blob(b"kept").unwrap();
        let pack = builder.write(&repository, 7).unwrap();
        assert_eq!(repository.verify_pack(&pack.name).unwrap(), 1);

        let file = repository.path().join(format!("objects/pack/{}.pack", pack.name));
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, bytes).unwrap();
        assert!(repository.verify_pack(&pack.name).is_err());
        assert!(repository.verify_pack("pack-none").is_err());
    }
}
