//! The first part of a push request: shallow lines, commands with capabilities or a certificate of them, push options.
//!
//! A command whose ref name is no ref name is kept with its reason, so that it alone is refused; anything that breaks the
//! grammar ends the request. See gitprotocol-pack(5), "Reference Update Request".

use forge_types::{InvalidRefName, ObjectFormat, ObjectId, RefName};
use tokio::io::AsyncRead;

use super::certificate::Certificate;
use crate::wire::pkt::{Packet, Reader};
use crate::{Error, Result};

/// How much one request may hold before its pack.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// How many refs one push may change.
    pub commands: usize,
    /// How many push options there may be.
    pub push_options: usize,
    /// How long one push option may be, in bytes.
    pub push_option_bytes: usize,
    /// How many bytes all pkt-lines may have.
    pub bytes: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { commands: 50_000, push_options: 32, push_option_bytes: 4096, bytes: 32 << 20 }
    }
}

/// One ref that the client wants changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The bytes of the name as the client wrote them, for the answer.
    pub raw_name: Vec<u8>,
    /// The name, or why it is none.
    pub name: std::result::Result<RefName, InvalidRefName>,
    /// What the client believes the ref to be; null for a ref to create.
    pub old: ObjectId,
    /// What the ref is to be; null for a ref to delete.
    pub new: ObjectId,
}

impl Command {
    /// Is the ref to be deleted?
    pub fn is_delete(&self) -> bool {
        self.new.is_null()
    }
}

/// What the client can do and wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It reads a report.
    pub report_status: bool,
    /// It reads a report with option lines.
    pub report_status_v2: bool,
    /// It reads side-band packets of full size.
    pub side_band_64k: bool,
    /// It wants no progress.
    pub quiet: bool,
    /// It wants all refs changed or none.
    pub atomic: bool,
    /// It sends push options.
    pub push_options: bool,
    /// What it calls itself.
    pub agent: Option<String>,
}

/// A parsed push request, up to its pack.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it can do and wants.
    pub capabilities: Capabilities,
    /// The refs to change; none is a probe that wants an empty answer.
    pub commands: Vec<Command>,
    /// What `git push -o` gave.
    pub push_options: Vec<String>,
    /// Where the client's history was cut.
    pub shallow: Vec<ObjectId>,
    /// What the client signed of it: then commands and push options are those that were signed.
    pub certificate: Option<Certificate>,
}

impl Request {
    /// Reads a request. The stream is left at the first byte of the pack.
    pub async fn read(
        from: &mut (impl AsyncRead + Unpin),
        format: ObjectFormat,
        limits: &RequestLimits,
    ) -> Result<Self> {
        let mut reader = Reader::new(from, limits.bytes);
        let mut request = Self {
            capabilities: Capabilities::default(),
            commands: Vec::new(),
            push_options: Vec::new(),
            shallow: Vec::new(),
            certificate: None,
        };
        loop {
            match reader.next().await? {
                Some(Packet::Flush) => break,
                Some(Packet::Data(line)) if is_certificate(&line) => {
                    request.read_certificate(&line, &mut reader, format, limits).await?;
                }
                Some(Packet::Data(line)) => request.add_line(&line, format, limits)?,
                Some(Packet::Delim | Packet::ResponseEnd) => {
                    return Err(Error::protocol("unexpected special packet in the commands"));
                }
                None if request.is_empty() => return Ok(request),
                None => return Err(Error::protocol("the request ends before its commands do")),
            }
        }
        if request.capabilities.push_options && !request.commands.is_empty() {
            request.read_push_options(&mut reader, limits).await?;
        }
        if request.certificate.as_ref().is_some_and(|signed| signed.push_options() != request.push_options) {
            return Err(Error::protocol("other push options were signed than sent"));
        }
        Ok(request)
    }

    /// Does the request change nothing? Clients send one to learn whether they may, before they send a large pack.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.shallow.is_empty()
    }

    /// Does a pack follow? It does unless everything is deleted.
    pub fn has_pack(&self) -> bool {
        self.commands.iter().any(|command| !command.is_delete())
    }

    fn add_line(&mut self, data: &[u8], format: ObjectFormat, limits: &RequestLimits) -> Result<()> {
        let line = data.strip_suffix(b"\n").unwrap_or(data);
        if let Some(id) = line.strip_prefix(b"shallow ") {
            self.shallow.push(object_id(id, format)?);
            return Ok(());
        }
        if self.certificate.is_some() {
            return Err(Error::protocol("there are commands beside those that were signed"));
        }
        if self.commands.len() >= limits.commands {
            return Err(Error::TooLarge(format!("one push may change at most {} refs", limits.commands)));
        }
        let (command, capabilities) = match line.iter().position(|byte| *byte == 0) {
            Some(at) => (&line[..at], Some(&line[at + 1..])),
            None => (line, None),
        };
        if let Some(capabilities) = capabilities.filter(|_| self.commands.is_empty()) {
            self.capabilities = Capabilities::parse(capabilities, format)?;
        }
        self.commands.push(Command::parse(command.strip_suffix(b"\n").unwrap_or(command), format)?);
        Ok(())
    }

    async fn read_certificate<R: AsyncRead + Unpin>(
        &mut self,
        first: &[u8],
        reader: &mut Reader<R>,
        format: ObjectFormat,
        limits: &RequestLimits,
    ) -> Result<()> {
        if self.certificate.is_some() || !self.commands.is_empty() {
            return Err(Error::protocol("there are commands beside those that were signed"));
        }
        let first = first.strip_suffix(b"\n").unwrap_or(first);
        let capabilities = first.get(ANNOUNCED.len() + 1..).unwrap_or_default();
        self.capabilities = Capabilities::parse(capabilities, format)?;
        let (certificate, commands) = Certificate::read(reader, format, limits).await?;
        (self.certificate, self.commands) = (Some(certificate), commands);
        Ok(())
    }

    async fn read_push_options<R: AsyncRead + Unpin>(
        &mut self,
        reader: &mut Reader<R>,
        limits: &RequestLimits,
    ) -> Result<()> {
        loop {
            let line = match reader.next().await? {
                Some(Packet::Flush) => return Ok(()),
                Some(Packet::Data(line)) => line,
                Some(Packet::Delim | Packet::ResponseEnd) | None => {
                    return Err(Error::protocol("the push options do not end"));
                }
            };
            let option = line.strip_suffix(b"\n").unwrap_or(&line);
            if option.len() > limits.push_option_bytes || self.push_options.len() >= limits.push_options {
                return Err(Error::TooLarge("too many or too long push options".into()));
            }
            match std::str::from_utf8(option) {
                Ok(option) if !option.chars().any(char::is_control) => {
                    self.push_options.push(option.to_owned());
                }
                _ => return Err(Error::protocol("a push option has control characters or is not UTF-8")),
            }
        }
    }
}

/// How the packet begins after which a certificate follows; capabilities stand behind a null byte.
const ANNOUNCED: &[u8] = b"push-cert";

fn is_certificate(data: &[u8]) -> bool {
    let rest = data.strip_suffix(b"\n").unwrap_or(data).strip_prefix(ANNOUNCED);
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(0)))
}

impl Command {
    pub(super) fn parse(line: &[u8], format: ObjectFormat) -> Result<Self> {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        let (Some(old), Some(new), Some(raw_name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::Protocol(format!("expected `old new ref`, got `{}`", shown(line))));
        };
        Ok(Self {
            raw_name: raw_name.to_vec(),
            name: RefName::from_bytes(raw_name),
            old: object_id(old, format)?,
            new: object_id(new, format)?,
        })
    }
}

impl Capabilities {
    fn parse(list: &[u8], format: ObjectFormat) -> Result<Self> {
        let list =
            std::str::from_utf8(list).map_err(|_| Error::protocol("the capabilities are not UTF-8"))?;
        let mut found = Self::default();
        let mut object_format = ObjectFormat::Sha1.as_str();
        for capability in list.split_ascii_whitespace() {
            match capability.split_once('=').unwrap_or((capability, "")) {
                ("report-status", _) => found.report_status = true,
                ("report-status-v2", _) => found.report_status_v2 = true,
                ("side-band-64k", _) => found.side_band_64k = true,
                ("quiet", _) => found.quiet = true,
                ("atomic", _) => found.atomic = true,
                ("push-options", _) => found.push_options = true,
                ("object-format", name) => object_format = name,
                ("agent", name) => found.agent = Some(name.chars().take(256).collect()),
                // `delete-refs`, `ofs-delta`, `session-id` need nothing; unknown ones were not offered and mean nothing.
                _ => {}
            }
        }
        if object_format != format.as_str() {
            return Err(Error::Protocol(format!(
                "this repository has object format `{format}`, not `{object_format}`"
            )));
        }
        Ok(found)
    }
}

fn object_id(hex: &[u8], format: ObjectFormat) -> Result<ObjectId> {
    match ObjectId::from_hex(hex) {
        Ok(id) if id.format() == format => Ok(id),
        _ => Err(Error::Protocol(format!("`{}` is not an object id", shown(hex)))),
    }
}

fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(100)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::pkt;

    const A: &str = "1111111111111111111111111111111111111111";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    fn read(bytes: &[u8]) -> Result<(Request, Vec<u8>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut from = bytes;
            let limits =
                RequestLimits { commands: 3, push_options: 2, push_option_bytes: 20, bytes: 100_000 };
            let request = Request::read(&mut from, ObjectFormat::Sha1, &limits).await?;
            Ok((request, from.to_vec()))
        })
    }

    fn body(lines: &[&str], rest: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in lines {
            pkt::write(&mut out, line.as_bytes());
        }
        out.extend_from_slice(pkt::FLUSH);
        out.extend_from_slice(rest);
        out
    }

    #[test]
    fn request_is_read_up_to_its_pack() {
        let first = format!(
            "{ZERO} {A} refs/heads/main\0 report-status-v2 side-band-64k atomic agent=git/2 object-format=sha1"
        );
        let (request, rest) =
            read(&body(&[&first, &format!("{A} {ZERO} refs/heads/old\n")], b"PACK")).unwrap();
        assert_eq!(rest, b"PACK");
        assert_eq!(request.commands.len(), 2);
        assert!(request.commands[1].is_delete() && request.has_pack());
        assert!(request.capabilities.atomic && request.capabilities.report_status_v2);
        assert_eq!(request.capabilities.agent.as_deref(), Some("git/2"));
    }

    #[test]
    fn push_options_follow_the_commands_only_when_announced() {
        let first = format!("{ZERO} {A} refs/heads/main\0push-options");
        let (request, rest) = read(&body(&[&first], &body(&["ci.skip", "x=1"], b"PACK"))).unwrap();
        assert_eq!(request.push_options, ["ci.skip", "x=1"]);
        assert_eq!(rest, b"PACK");
    }

    #[test]
    fn push_options_that_inject_or_flood_are_refused() {
        let first = format!("{ZERO} {A} refs/heads/main\0push-options");
        for options in [&["a\nb"][..], &["a\0b"], &["aaaaaaaaaaaaaaaaaaaaaaaaa"], &["a", "b", "c"]] {
            assert!(read(&body(&[&first], &body(options, b""))).is_err(), "{options:?}");
        }
        assert!(read(&body(&[&first], b"")).is_err(), "no options at all is a request cut short");
    }

    #[test]
    fn bad_ref_name_is_kept_with_its_reason() {
        let (request, _) = read(&body(&[&format!("{ZERO} {A} refs/heads/a..b\0")], b"")).unwrap();
        assert!(request.commands[0].name.is_err());
        assert_eq!(request.commands[0].raw_name, b"refs/heads/a..b");
    }

    #[test]
    fn broken_grammar_ends_the_request() {
        let line = format!("{ZERO} {A} refs/heads/main");
        for lines in
            [vec!["garbage"], vec!["shallow 12"], vec![&line[..60]], vec![&line, &line, &line, &line]]
        {
            assert!(read(&body(&lines, b"")).is_err(), "{lines:?}");
        }
        let wrong_format = format!("{line}\0object-format=sha256");
        assert!(read(&body(&[&wrong_format], b"")).is_err());
        assert!(read(&body(&[&line], b"")[..70]).is_err(), "cut short");
    }

    const SIGNATURE: [&str; 3] =
        ["-----BEGIN SSH SIGNATURE-----\n", "AAAA\n", "-----END SSH SIGNATURE-----\n"];

    /// Returns the packets of a certificate whose own lines are these.
    fn certified<'a>(lines: &[&'a str]) -> Vec<&'a str> {
        [&["push-cert\0report-status push-options"], lines, &SIGNATURE, &["push-cert-end\n"]].concat()
    }

    #[test]
    fn commands_and_options_of_a_certificate_are_those_that_were_signed() {
        let command = format!("{ZERO} {A} refs/heads/main\n");
        let lines =
            ["certificate version 0.1\n", "pusher key 1 +0000\n", "nonce 1-a\n", "push-option ci.skip\n"];
        let lines = certified(&[&lines[..], &["\n", &command]].concat());
        let bytes = body(&lines, &body(&["ci.skip"], b"PACK"));
        let (request, rest) = read(&bytes).unwrap();
        let certificate = request.certificate.unwrap();
        assert_eq!((rest, request.commands.len()), (b"PACK".to_vec(), 1));
        assert!(request.capabilities.report_status);
        assert_eq!((certificate.pusher(), certificate.nonce()), ("key 1 +0000", Some("1-a")));
        assert_eq!((certificate.pushee(), certificate.push_options()), (None, &["ci.skip".to_owned()][..]));
        assert_eq!(certificate.text(), lines[1..lines.len() - 1].concat());
        // What was not signed is not taken, and what was signed is not left out.
        for sent in [&["ci.skip", "other"][..], &[]] {
            assert!(read(&body(&lines, &body(sent, b"PACK"))).is_err(), "{sent:?}");
        }
    }

    #[test]
    fn a29_certificates_that_do_not_say_all_there_is_are_refused() {
        let command = format!("{ZERO} {A} refs/heads/main\n");
        let other = format!("{ZERO} {A} refs/heads/other\n");
        let head = ["certificate version 0.1\n", "pusher x 1 +0000\n"];
        let honest = certified(&[&head[..], &["\n", &command]].concat());
        let read = |lines: &[&str]| read(&body(lines, &body(&[], b"PACK")));
        assert!(read(&honest).is_ok());
        let beside_before = [&[other.as_str()], &honest[..]].concat();
        let beside_after = [&honest[..], &[other.as_str()]].concat();
        let with = |lines: &[&'static str]| certified(&[&head[..], lines, &["\n", &command]].concat());
        for lines in [
            beside_before,
            beside_after,
            [&honest[..], &honest[..]].concat(),
            honest[..honest.len() - 1].to_vec(),
            [&honest[..honest.len() - 4], &honest[honest.len() - 1..]].concat(),
            certified(&head),
            certified(&[&head[..], &["\n"]].concat()),
            certified(&[&head[..], &[&command]].concat()),
            certified(&[&head[..1], &["\n", &command]].concat()),
            certified(&["certificate version 0.2\n", head[1], "\n", &command]),
            with(&["nonce 1\n", "nonce 2\n"]),
            with(&["forced yes\n"]),
            with(&["nonce \0\n"]),
            with(&["push-option unsent\n"]),
        ] {
            assert!(read(&lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn certificate_longer_than_what_is_kept_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let line = "x".repeat(60_000);
        let lines = certified(&vec![line.as_str(); 18]);
        let bytes = body(&lines, b"");
        let (mut from, limits) = (&bytes[..], RequestLimits::default());
        let read = runtime.block_on(Request::read(&mut from, ObjectFormat::Sha1, &limits));
        assert!(matches!(read, Err(Error::TooLarge(_))));
    }

    #[test]
    fn probe_without_commands_is_empty() {
        assert!(read(b"0000").unwrap().0.is_empty());
        assert!(read(b"").unwrap().0.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_a_clear_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }

        #[test]
        fn any_lines_are_a_request_or_a_clear_error(lines in proptest::collection::vec("[0-9a-f \\x00-\\xff]{0,120}", 0..6)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            match read(&body(&lines, b"PACK")) {
                Ok(_) | Err(Error::Protocol(_) | Error::TooLarge(_)) => {}
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
