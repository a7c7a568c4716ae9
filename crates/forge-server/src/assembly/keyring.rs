//! The key file: the keys that seal and hash what the database holds.
//!
//! INVARIANT: keys are safely on disk before anything is sealed or hashed with them, and a server whose keys are
//! not those of its database does not start.

use std::path::Path;

use forge_auth::keys::Keys;
use forge_service::app::{Clock, Random};
use forge_store::{Db, settings};

use crate::config::Config;
use crate::data::write_private;
use crate::failure::{Failure, Result};

/// Where the database remembers which keys it was written with.
const FINGERPRINT: &str = "key_fingerprint";

/// Returns the keys of the database; a database that was never written to gets new ones if there are none.
pub(crate) async fn open(db: &Db, file: &Path, clock: &Clock, random: &Random) -> Result<Keys> {
    let database = |error: forge_store::StoreError| Failure::io("the database cannot be used", error);
    let mut conn = db.read().await.map_err(database)?;
    let remembered = settings::find(&mut conn, FINGERPRINT).await.map_err(database)?;
    drop(conn);
    let keys = match (read(file)?, &remembered) {
        (Some(keys), _) => keys,
        (None, None) => create(file, random)?,
        (None, Some(_)) => return Err(missing(file)),
    };
    let remembered = match remembered {
        Some(remembered) => remembered,
        None => remember(db, &keys, clock).await.map_err(database)?,
    };
    if remembered == keys.fingerprint() {
        return Ok(keys);
    }
    Err(Failure::unavailable(format!(
        "the database was written with other keys than those in `{}`",
        file.display()
    )))
}

/// Writes the fingerprint unless another process was faster; returns the one that stands.
async fn remember(db: &Db, keys: &Keys, clock: &Clock) -> forge_store::StoreResult<String> {
    let ours = keys.fingerprint();
    let mut tx = db.begin().await?;
    settings::insert_if_absent(&mut tx, FINGERPRINT, &ours, clock.now()).await?;
    let standing = settings::find(&mut tx, FINGERPRINT).await?;
    tx.commit().await?;
    Ok(standing.unwrap_or(ours))
}

fn read(file: &Path) -> Result<Option<Keys>> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::io(format_args!("key file `{}`", file.display()), error);
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    // What is wrong is not told: the text around it is secret.
    let keys: Keys = toml::from_str(&text).map_err(|_| failed(&"it is malformed"))?;
    keys.check().map_err(|error| failed(&error))?;
    Ok(Some(keys))
}

fn create(file: &Path, random: &Random) -> Result<Keys> {
    let keys = Keys::generate(|buffer| random.fill(buffer));
    write(file, &keys)?;
    Ok(keys)
}

fn write(file: &Path, keys: &Keys) -> Result<()> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::io(format_args!("key file `{}`", file.display()), error);
    let text = toml::to_string(keys).map_err(|error| failed(&error))?;
    let text = format!(
        "# Seals and hashes what the database holds. Without it the database is worth nothing: keep a copy.\n{text}"
    );
    write_private(file, text.as_bytes()).map_err(|error| failed(&error))
}

/// Returns the public keys that checkpoints of the audit log are signed with, as PEM, after making a new one if asked. The
/// key file is replaced as a whole, so that no reader ever sees a part of it.
pub(crate) fn public_keys(config: &Config, rotates: bool) -> Result<String> {
    let file = config.key_file();
    let mut keys = read(&file)?.ok_or_else(|| missing(&file))?;
    if rotates {
        keys = keys.with_new_signing_key(|buffer| Random::System.fill(buffer));
        write(&file, &keys)?;
    }
    let public = keys.public_keys().map_err(|error| Failure::unavailable(error.to_string()))?;
    Ok(public.iter().map(|key| format!("# {}\n{}", key.id(), key.pem())).collect())
}

fn missing(file: &Path) -> Failure {
    Failure::unavailable(format!(
        "the database needs its keys, and there is no key file `{}`",
        file.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use forge_store::DbOptions;

    use super::*;
    use crate::failure::Exit;

    async fn opened(db: &Db, file: &Path) -> Result<Keys> {
        open(db, file, &Clock::System, &Random::System).await
    }

    #[tokio::test]
    async fn keys_are_made_once_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&directory.path().join("a.db"), &DbOptions::default()).await.unwrap();
        let file = directory.path().join("keys.toml");
        let first = opened(&db, &file).await.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(opened(&db, &file).await.unwrap().fingerprint(), first.fingerprint());
    }

    #[tokio::test]
    async fn a_database_without_its_keys_or_with_others_does_not_start() {
        let directory = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&directory.path().join("a.db"), &DbOptions::default()).await.unwrap();
        let file = directory.path().join("keys.toml");
        opened(&db, &file).await.unwrap();

        let away = directory.path().join("away.toml");
        std::fs::rename(&file, &away).unwrap();
        let failure = opened(&db, &file).await.unwrap_err();
        assert_eq!((failure.exit, failure.message.contains("no key file")), (Exit::Unavailable, true));
        assert!(!file.exists(), "no new keys for an old database");

        let other = Db::open_sqlite(&directory.path().join("b.db"), &DbOptions::default()).await.unwrap();
        opened(&other, &file).await.unwrap();
        assert!(opened(&db, &file).await.unwrap_err().message.contains("other keys"));
    }

    #[tokio::test]
    async fn a_malformed_key_file_is_refused_without_showing_it() {
        let directory = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite(&directory.path().join("a.db"), &DbOptions::default()).await.unwrap();
        let file = directory.path().join("keys.toml");
        std::fs::write(&file, "[[generation]]\nid = \"x\"\nhash = \"SECRET\"\nseal = \"SECRET\"").unwrap();
        let failure = opened(&db, &file).await.unwrap_err();
        assert!(!failure.message.contains("SECRET"), "{failure}");
    }
}
