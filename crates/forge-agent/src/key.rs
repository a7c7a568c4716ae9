//! The file with the key.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use forge_auth::jose::SigningKey;

use crate::Error;

/// Reads a key, in PEM (PKCS #8) or JWK form.
///
/// # Errors
/// If the file cannot be read, is no key, or may be read by others.
pub fn read_key(path: &Path) -> Result<SigningKey, Error> {
    let shown = path.display();
    let cannot = |error: std::io::Error| Error::because(format_args!("cannot read `{shown}`"), error);
    let mode = std::fs::metadata(path).map_err(cannot)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(Error::new(format!(
            "others may read `{shown}`: take that from them with `chmod 600 {shown}`"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(cannot)?;
    SigningKey::from_text(&text).map_err(|error| Error::because(format_args!("`{shown}`"), error))
}

/// Makes a key in a new file that nobody else may read.
///
/// # Errors
/// If there is such a file already, or it cannot be written.
pub fn new_key(path: &Path) -> Result<SigningKey, Error> {
    let shown = path.display();
    let key = SigningKey::generate_p256().map_err(|error| Error::because("cannot make a key", error))?;
    let pem = key.to_pem().ok_or_else(|| Error::new("the key cannot be written down"))?;
    let cannot = |error: std::io::Error| Error::because(format_args!("cannot write `{shown}`"), error);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(cannot)?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(cannot)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        let pem = SigningKey::generate_p256().expect("a key").to_pem().expect("a PEM");
        std::fs::write(&path, pem).expect("written");
        let mode =
            |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("changed");
        mode(0o600);
        assert!(read_key(&path).is_ok());
        mode(0o640);
        assert!(read_key(&path).is_err());
    }

    #[test]
    fn a_new_key_is_its_owners_and_replaces_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key.pem");
        let made = new_key(&path).expect("a key").public().thumbprint().to_string();
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        assert!(new_key(&path).is_err());
        assert_eq!(read_key(&path).expect("the key").public().thumbprint().to_string(), made);
    }
}
