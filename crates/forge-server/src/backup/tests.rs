//! From a living forge to a backup to another forge.

use forge_service::{admin, registration_key};

use super::*;
use crate::assembly::{Forge, ForgeBuilder};

fn config(data: &Path) -> Config {
    let mut config = Config::default();
    config.server.data = data.to_owned();
    config
}

async fn living(config: &Config) -> (Forge, String) {
    let forge = ForgeBuilder::new(config.clone()).build().await.unwrap();
    let pack = config.server.data.join(REPOSITORIES).join("01/1.git/objects/pack/pack-1.pack");
    std::fs::create_dir_all(pack.parent().unwrap()).unwrap();
    std::fs::write(pack, "pack").unwrap();
    let key = key(&forge).await;
    (forge, key)
}

async fn key(forge: &Forge) -> String {
    registration_key::show(&admin::console(forge.app())).await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_restored_forge_goes_on_where_the_backup_was_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (config(&directory.path().join("old")), config(&directory.path().join("new")));
    let (forge, before) = living(&old).await;
    let target = directory.path().join("backup");
    backup(forge.app(), &old, target.clone(), true).await.unwrap();
    forge.close().await;

    restore(&new, &target).unwrap();
    let restored = ForgeBuilder::new(new.clone()).build().await.unwrap();
    assert_eq!(key(&restored).await, before, "sealed with the same keys, so it can be read");
    assert!(new.server.data.join(REPOSITORIES).join("01/1.git/objects/pack/pack-1.pack").exists());
}

#[tokio::test]
async fn the_keys_are_left_out_unless_asked_for_and_the_forge_waits_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (config(&directory.path().join("old")), config(&directory.path().join("new")));
    let (forge, before) = living(&old).await;
    let target = directory.path().join("backup");
    backup(forge.app(), &old, target.clone(), false).await.unwrap();
    assert!(!target.join(KEYS).exists());

    let told = restore(&new, &target).unwrap();
    assert!(told.contains("without the keys"), "{told}");
    assert!(ForgeBuilder::new(new.clone()).build().await.is_err());
    std::fs::copy(old.key_file(), new.key_file()).unwrap();
    let restored = ForgeBuilder::new(new).build().await.unwrap();
    assert_eq!(key(&restored).await, before);
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let old = config(&directory.path().join("old"));
    let (forge, _) = living(&old).await;
    let target = directory.path().join("backup");
    backup(forge.app(), &old, target.clone(), false).await.unwrap();
    assert!(
        backup(forge.app(), &old, target.clone(), false).await.unwrap_err().message.contains("not empty")
    );
    forge.close().await;
    assert!(restore(&old, &target).unwrap_err().message.contains("holds data already"));
}

#[test]
fn half_a_backup_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let failure = restore(&config(&directory.path().join("new")), directory.path()).unwrap_err();
    assert!(failure.message.contains("not a whole backup"), "{failure}");
    assert!(!directory.path().join("new").exists());
}
