//! The file with the agent's key.

use std::os::unix::fs::PermissionsExt as _;
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
}
