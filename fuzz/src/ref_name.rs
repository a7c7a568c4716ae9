//! Ref names: none is accepted that git does not accept, and none that git accepts is refused but for what is documented.

use forge_git::untrusted::is_ref_name;
use forge_types::{RefKind, RefName};

pub(crate) fn run(bytes: &[u8]) {
    let is_known = is_ref_name(bytes);
    let Ok(name) = RefName::from_bytes(bytes) else {
        let is_ours = std::str::from_utf8(bytes).is_ok() && bytes.starts_with(b"refs/");
        assert!(!is_known || !is_ours, "{} is a ref name", bytes.escape_ascii());
        return;
    };
    assert!(is_known, "{} is no ref name", bytes.escape_ascii());
    assert_eq!(name.as_str().as_bytes(), bytes);
    for ancestor in name.ancestors() {
        assert!(bytes.starts_with(ancestor.as_bytes()) && bytes[ancestor.len()] == b'/');
    }
    let fold = name.fold();
    if let Ok(folded) = RefName::new(fold.as_str()) {
        assert_eq!(folded.fold(), fold, "folding twice is folding once");
    }
    let is_plain = name.check_creatable().is_ok();
    if name.as_str().is_ascii() {
        let upper = RefName::new(format!("refs/{}", name.as_str()[5..].to_ascii_uppercase()));
        // A name that ends in `.LOCK` is one, `.lock` is none.
        if let Ok(upper) = upper {
            assert_eq!(upper.fold(), fold);
        }
    }
    if is_plain && name.kind() == RefKind::Branch {
        assert_eq!(RefName::branch(name.short()).as_ref(), Ok(&name));
    }
}
