//! What a server says first: version, capabilities and, before version 2, all refs.
//!
//! The capability lists name exactly what [`crate::fetch`] and [`crate::receive`] do.

use forge_types::ObjectId;

use super::{AGENT, Protocol, RefSnapshot, pkt, sideband};

/// The two services of smart HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Fetch and clone.
    UploadPack,
    /// Push.
    ReceivePack,
}

impl Service {
    /// Reads the `service` parameter.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::UploadPack),
            "git-receive-pack" => Some(Self::ReceivePack),
            _ => None,
        }
    }

    /// Returns the name of the service.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// Returns the answer to `info/refs?service=git-upload-pack`. In version 2 it is the same for every repository of a format.
/// `has_bundles` says whether clients may ask for bundles; only version 2 has words for it.
pub fn advertise_upload_pack(protocol: Protocol, snapshot: &RefSnapshot, has_bundles: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + snapshot.refs().len() * 80);
    if protocol == Protocol::V2 {
        let object_format = format!("object-format={}", snapshot.format());
        let agent = format!("agent={AGENT}");
        let lines = [
            "version 2",
            &agent,
            "ls-refs=unborn",
            "fetch=shallow wait-for-done filter ref-in-want",
            "object-info",
            &object_format,
        ];
        for line in lines.into_iter().chain(has_bundles.then_some("bundle-uri")) {
            pkt::write_line(&mut out, line);
        }
        out.extend_from_slice(pkt::FLUSH);
        return out;
    }
    begin(&mut out, Service::UploadPack, protocol);
    let capabilities = upload_pack_capabilities(snapshot);
    let head = snapshot.head_id().map(|id| format!("{id} HEAD"));
    let refs = snapshot.refs().iter().flat_map(|entry| {
        let peeled = entry.peeled.map(|id| format!("{id} {}^{{}}", entry.name));
        [Some(format!("{} {}", entry.id, entry.name)), peeled]
    });
    ref_lines(&mut out, snapshot, &capabilities, std::iter::once(head).chain(refs).flatten());
    out
}

/// Returns the answer to `info/refs?service=git-receive-pack`. There is no version 2 of it. Pushes may be signed over the nonce
/// if there is one: up to 255 letters, digits and `-./+=_`.
pub fn advertise_receive_pack(protocol: Protocol, snapshot: &RefSnapshot, nonce: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + snapshot.refs().len() * 80);
    begin(&mut out, Service::ReceivePack, protocol);
    let certificates = nonce.map(|nonce| format!(" push-cert={nonce}")).unwrap_or_default();
    let capabilities = format!(
        "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options{certificates} \
         object-format={} agent={AGENT}",
        snapshot.format()
    );
    // What nobody can push is not shown to whoever pushes: a mirror would try to delete it.
    let pushable = snapshot.refs().iter().filter(|entry| entry.name.kind().is_writable_by_clients());
    let refs = pushable.map(|entry| format!("{} {}", entry.id, entry.name));
    ref_lines(&mut out, snapshot, &capabilities, refs);
    out
}

/// Returns a packet that clients print as `remote error: …` wherever they await packets of a fetch.
pub fn error_packet(message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let line = format!("ERR {}", sideband::printable(message));
    pkt::write(&mut out, sideband::shortened(&line, 1000).as_bytes());
    out
}

fn begin(out: &mut Vec<u8>, service: Service, protocol: Protocol) {
    pkt::write_line(out, &format!("# service={}", service.name()));
    out.extend_from_slice(pkt::FLUSH);
    if protocol == Protocol::V1 {
        pkt::write_line(out, "version 1");
    }
}

fn upload_pack_capabilities(snapshot: &RefSnapshot) -> String {
    let symref = match snapshot.head_id() {
        Some(_) => format!(" symref=HEAD:{}", snapshot.head()),
        None => String::new(),
    };
    format!(
        "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative \
         no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done{symref} \
         filter object-format={} agent={AGENT}",
        snapshot.format()
    )
}

/// Appends the refs, capabilities behind the first; a repository without refs has a line that holds them alone.
fn ref_lines(
    out: &mut Vec<u8>,
    snapshot: &RefSnapshot,
    capabilities: &str,
    lines: impl Iterator<Item = String>,
) {
    let mut lines = lines.peekable();
    let first =
        lines.next().unwrap_or_else(|| format!("{} capabilities^{{}}", ObjectId::null(snapshot.format())));
    pkt::write_line(out, &format!("{first}\0{capabilities}"));
    for line in lines {
        pkt::write_line(out, &line);
    }
    out.extend_from_slice(pkt::FLUSH);
}

#[cfg(test)]
mod tests {
    use forge_types::{ObjectFormat, RefName};

    use super::*;
    use crate::wire::Ref;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn snapshot(names: &[&str]) -> RefSnapshot {
        let id = ObjectId::empty_tree(ObjectFormat::Sha1);
        let refs =
            names.iter().map(|name| Ref { name: RefName::new(*name).unwrap(), id, peeled: None }).collect();
        RefSnapshot::new(ObjectFormat::Sha1, RefName::branch("main").unwrap(), refs)
    }

    #[test]
    fn version_2_names_no_ref() {
        let out = text(&advertise_upload_pack(Protocol::V2, &snapshot(&["refs/heads/main"]), true));
        assert!(out.starts_with("000eversion 2\n"), "{out}");
        assert!(!out.contains("refs/heads") && out.ends_with("0000"), "{out}");
    }

    #[test]
    fn version_0_shows_head_first_and_says_where_it_points() {
        let out =
            text(&advertise_upload_pack(Protocol::V0, &snapshot(&["refs/heads/a", "refs/heads/main"]), true));
        assert!(out.starts_with("001e# service=git-upload-pack\n0000"), "{out}");
        assert!(out.contains(" HEAD\0") && out.contains("symref=HEAD:refs/heads/main"), "{out}");
    }

    #[test]
    fn head_of_an_absent_default_branch_is_not_advertised_before_version_2() {
        let out = text(&advertise_upload_pack(Protocol::V0, &snapshot(&["refs/heads/a"]), true));
        assert!(!out.contains("HEAD"), "{out}");
    }

    #[test]
    fn empty_repository_still_tells_its_capabilities() {
        let out = text(&advertise_receive_pack(Protocol::V2, &snapshot(&[]), None));
        assert!(
            out.contains("0000000000000000000000000000000000000000 capabilities^{}\0report-status"),
            "{out}"
        );
        assert!(!out.contains("push-cert"), "{out}");
        let out = text(&advertise_receive_pack(Protocol::V0, &snapshot(&[]), Some("1-a")));
        assert!(out.contains(" push-cert=1-a object-format="), "{out}");
    }
}
