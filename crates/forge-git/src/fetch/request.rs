//! Requests to `git-upload-pack`, of all three protocol versions.
//!
//! A request is parsed into known lines, and it is these lines that are later given to `git upload-pack`, never the bytes
//! that came: what was not understood here cannot be understood differently there.
//! See gitprotocol-v2(5) and gitprotocol-pack(5), "Packfile Negotiation".

use forge_types::{ObjectFormat, ObjectId};
use tokio::io::AsyncRead;

use crate::wire::pkt::{self, Packet, Reader};
use crate::wire::{LsRefs, Protocol};
use crate::{Error, Result};

/// How much one request may hold.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// How many bytes all pkt-lines may have.
    pub bytes: usize,
    /// How many objects may be asked for.
    pub wants: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { bytes: 16 << 20, wants: 100_000 }
    }
}

/// A parsed request.
#[derive(Clone, Debug)]
pub enum Request {
    /// Nothing is asked: the client ended the conversation.
    Empty,
    /// The refs are asked for.
    LsRefs(LsRefs),
    /// Objects are asked for.
    Fetch(Fetch),
}

/// A request for objects.
#[derive(Clone, Debug, Default)]
pub struct Fetch {
    protocol: Protocol,
    wants: Vec<ObjectId>,
    /// The request again, in pkt-lines, as `git upload-pack` is given it.
    replay: Vec<u8>,
}

impl Fetch {
    /// Returns the objects asked for.
    pub fn wants(&self) -> &[ObjectId] {
        &self.wants
    }

    /// Returns the protocol version that the request speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) fn replay(&self) -> &[u8] {
        &self.replay
    }
}

impl Request {
    /// Reads a request to its end.
    pub async fn read(
        from: &mut (impl AsyncRead + Unpin),
        protocol: Protocol,
        format: ObjectFormat,
        limits: &RequestLimits,
    ) -> Result<Self> {
        let mut reader = Reader::new(from, limits.bytes);
        let mut packets = Vec::new();
        while let Some(packet) = reader.next().await? {
            packets.push(packet);
        }
        let parser = Parser { format, limits, fetch: Fetch { protocol, ..Fetch::default() } };
        match protocol {
            Protocol::V2 => parser.version_2(&packets),
            Protocol::V0 | Protocol::V1 => parser.version_0(&packets),
        }
    }
}

struct Parser<'a> {
    format: ObjectFormat,
    limits: &'a RequestLimits,
    fetch: Fetch,
}

impl Parser<'_> {
    /// `command=…`, capabilities, delimiter, arguments, flush.
    fn version_2(mut self, packets: &[Packet]) -> Result<Request> {
        let Some((last, packets)) = packets.split_last() else {
            return Ok(Request::Empty);
        };
        if *last != Packet::Flush
            || packets.contains(&Packet::Flush)
            || packets.contains(&Packet::ResponseEnd)
        {
            return Err(Error::protocol("a request is one command that ends with a flush packet"));
        }
        let mut sections = packets.split(|packet| *packet == Packet::Delim);
        let head: Vec<&[u8]> = sections.next().unwrap_or_default().iter().filter_map(Packet::line).collect();
        let arguments: Vec<&[u8]> =
            sections.next().unwrap_or_default().iter().filter_map(Packet::line).collect();
        if sections.next().is_some() {
            return Err(Error::protocol("a request has at most one delimiter packet"));
        }
        match self.command(&head)? {
            None => Ok(Request::Empty),
            Some("ls-refs") => Ok(Request::LsRefs(LsRefs::parse(arguments)?)),
            Some("fetch") => {
                self.line("command=fetch");
                self.line(&format!("object-format={}", self.format));
                self.fetch.replay.extend_from_slice(pkt::DELIM);
                for argument in arguments {
                    self.argument(text(argument)?)?;
                }
                self.fetch.replay.extend_from_slice(pkt::FLUSH);
                Ok(Request::Fetch(self.fetch))
            }
            Some(other) => Err(Error::Protocol(format!("unknown command `{other}`"))),
        }
    }

    /// Returns the command and checks the capabilities beside it.
    fn command<'a>(&self, head: &[&'a [u8]]) -> Result<Option<&'a str>> {
        let mut command = None;
        for line in head {
            let line = text(line)?;
            match line.split_once('=').unwrap_or((line, "")) {
                ("command", name) if command.is_none() => command = Some(name),
                ("object-format", name) => self.check_format(name)?,
                ("agent" | "session-id", _) => {}
                _ => return Err(Error::Protocol(format!("unknown capability `{}`", shown(line)))),
            }
        }
        if command.is_none() && !head.is_empty() {
            return Err(Error::protocol("no command"));
        }
        Ok(command)
    }

    fn check_format(&self, name: &str) -> Result<()> {
        if name == self.format.as_str() {
            return Ok(());
        }
        Err(Error::Protocol(format!(
            "this repository has object format `{}`, not `{}`",
            self.format,
            shown(name)
        )))
    }

    /// One argument of a version 2 fetch.
    fn argument(&mut self, line: &str) -> Result<()> {
        match line {
            "thin-pack" | "no-progress" | "include-tag" | "ofs-delta" | "done" | "wait-for-done"
            | "deepen-relative" => {
                self.line(line);
                Ok(())
            }
            _ => self.shared_line(line),
        }
    }

    /// Wants with capabilities behind the first, `shallow` and `deepen`, flush, haves, flush or `done`.
    fn version_0(mut self, packets: &[Packet]) -> Result<Request> {
        for packet in packets {
            match packet {
                Packet::Flush => self.fetch.replay.extend_from_slice(pkt::FLUSH),
                Packet::Data(_) => self.version_0_line(text(packet.line().unwrap_or_default())?)?,
                Packet::Delim | Packet::ResponseEnd => {
                    return Err(Error::protocol("unexpected special packet"));
                }
            }
        }
        if self.fetch.wants.is_empty() { Ok(Request::Empty) } else { Ok(Request::Fetch(self.fetch)) }
    }

    fn version_0_line(&mut self, line: &str) -> Result<()> {
        if line == "done" {
            self.line(line);
            return Ok(());
        }
        let first_want = line.strip_prefix("want ").filter(|_| self.fetch.wants.is_empty());
        let Some((id, capabilities)) = first_want.and_then(|rest| rest.split_once(' ')) else {
            return self.shared_line(line);
        };
        let id = self.want(id)?;
        let mut line = format!("want {id}");
        for capability in capabilities.split_ascii_whitespace() {
            match capability.split_once('=').unwrap_or((capability, "")) {
                ("object-format", name) => self.check_format(name)?,
                ("agent" | "session-id", _) => {}
                (
                    "multi_ack" | "multi_ack_detailed" | "no-done" | "thin-pack" | "side-band"
                    | "side-band-64k" | "ofs-delta" | "deepen-relative" | "no-progress" | "include-tag"
                    | "filter",
                    "",
                ) => {
                    line.push(' ');
                    line.push_str(capability);
                }
                // Asking for what was not offered is common and harmless: it is not passed on.
                _ => {}
            }
        }
        line.push_str(&format!(" object-format={}", self.format));
        self.line(&line);
        Ok(())
    }

    /// The lines that all versions have.
    fn shared_line(&mut self, line: &str) -> Result<()> {
        let unexpected = || Error::Protocol(format!("unexpected line `{}`", shown(line)));
        let (word, value) = line.split_once(' ').ok_or_else(unexpected)?;
        let clean = match word {
            "want" => format!("want {}", self.want(value)?),
            "have" => format!("have {}", self.object_id(value)?),
            "shallow" => format!("shallow {}", self.object_id(value)?),
            "deepen" => format!("deepen {}", value.parse::<u32>().map_err(|_| unexpected())?),
            "deepen-since" => format!("deepen-since {}", value.parse::<u64>().map_err(|_| unexpected())?),
            "deepen-not" if !value.chars().any(char::is_control) => line.to_owned(),
            "filter" => format!("filter {}", check_filter(value)?),
            _ => return Err(unexpected()),
        };
        self.line(&clean);
        Ok(())
    }

    fn want(&mut self, hex: &str) -> Result<ObjectId> {
        let id = self.object_id(hex)?;
        if self.fetch.wants.len() >= self.limits.wants {
            return Err(Error::TooLarge(format!(
                "one fetch may ask for at most {} objects",
                self.limits.wants
            )));
        }
        self.fetch.wants.push(id);
        Ok(id)
    }

    fn object_id(&self, hex: &str) -> Result<ObjectId> {
        match hex.parse::<ObjectId>() {
            Ok(id) if id.format() == self.format => Ok(id),
            _ => Err(Error::Protocol(format!("`{}` is not an object id", shown(hex)))),
        }
    }

    fn line(&mut self, line: &str) {
        pkt::write_line(&mut self.fetch.replay, line);
    }
}

/// Lets the filters through that read no object by name: `sparse:oid` would. Their details are Git's to check.
fn check_filter(spec: &str) -> Result<&str> {
    let offered = ["blob:none", "blob:limit=", "tree:", "object:type=", "combine:"];
    let is_offered =
        |one: &str| offered.iter().any(|prefix| one.starts_with(prefix)) && !one.contains("sparse");
    if is_offered(spec) && spec.len() <= 1000 && spec.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(spec);
    }
    Err(Error::Protocol(format!("filter `{}` is not offered", shown(spec))))
}

fn text(line: &[u8]) -> Result<&str> {
    std::str::from_utf8(line).map_err(|_| Error::protocol("a line is not UTF-8"))
}

fn shown(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    fn read(bytes: &[u8], protocol: Protocol) -> Result<Request> {
        let limits = RequestLimits { bytes: 100_000, wants: 3 };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Request::read(&mut &bytes[..], protocol, ObjectFormat::Sha1, &limits))
    }

    /// `0000` and `0001` are the special packets, everything else a line.
    fn body(lines: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for line in lines {
            match *line {
                "0000" | "0001" => out.extend_from_slice(line.as_bytes()),
                line => pkt::write_line(&mut out, line),
            }
        }
        out
    }

    fn fetch(lines: &[&str], protocol: Protocol) -> Result<Fetch> {
        match read(&body(lines), protocol)? {
            Request::Fetch(fetch) => Ok(fetch),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn version_2_fetch_is_replayed_in_known_lines() {
        let want = format!("want {A}");
        let lines = [
            "command=fetch",
            "agent=git/2",
            "object-format=sha1",
            "0001",
            "thin-pack",
            &want,
            "filter blob:none",
            "done",
            "0000",
        ];
        let fetch = fetch(&lines, Protocol::V2).unwrap();
        assert_eq!(fetch.wants(), [A.parse().unwrap()]);
        let replayed = body(&[
            "command=fetch",
            "object-format=sha1",
            "0001",
            "thin-pack",
            &want,
            "filter blob:none",
            "done",
            "0000",
        ]);
        assert_eq!(fetch.replay(), replayed);
    }

    #[test]
    fn version_0_fetch_is_replayed_without_what_was_not_offered() {
        let first = format!("want {A} multi_ack_detailed evil=1 ofs-delta agent=git/2 include-tag");
        let (second, have) = (format!("want {B}"), format!("have {B}"));
        let fetch = fetch(&[&first, &second, "deepen 1", "0000", &have, "done"], Protocol::V0).unwrap();
        assert_eq!(fetch.wants().len(), 2);
        let clean = format!("want {A} multi_ack_detailed ofs-delta include-tag object-format=sha1");
        assert_eq!(fetch.replay(), body(&[&clean, &second, "deepen 1", "0000", &have, "done"]));
    }

    #[test]
    fn what_is_not_offered_is_refused_in_version_2() {
        for argument in [
            "evil",
            "want-ref refs/heads/main",
            "packfile-uris https",
            "sideband-all",
            "filter sparse:oid=x",
            "deepen x",
            "want 12",
        ] {
            let lines = ["command=fetch", "0001", argument, "0000"];
            assert!(matches!(fetch(&lines, Protocol::V2), Err(Error::Protocol(_))), "{argument}");
        }
        for lines in [
            &["command=fetch", "0001", "done"][..],
            &["command=evil", "0000"],
            &["command=fetch", "server-option=x", "0000"],
            &["command=fetch", "object-format=sha256", "0000"],
            &["agent=x", "0000"],
            &["command=ls-refs", "0001", "0001", "0000"],
            &["command=ls-refs", "0000", "command=ls-refs", "0000"],
        ] {
            assert!(matches!(read(&body(lines), Protocol::V2), Err(Error::Protocol(_))), "{lines:?}");
        }
    }

    #[test]
    fn too_many_wants_are_refused() {
        let want = format!("want {A}");
        let lines = ["command=fetch", "0001", &want, &want, &want, &want, "0000"];
        assert!(matches!(fetch(&lines, Protocol::V2), Err(Error::TooLarge(_))));
    }

    #[test]
    fn end_of_the_conversation_is_empty() {
        assert!(matches!(read(b"0000", Protocol::V2).unwrap(), Request::Empty));
        assert!(matches!(read(b"0000", Protocol::V0).unwrap(), Request::Empty));
        assert!(matches!(read(b"", Protocol::V2).unwrap(), Request::Empty));
    }

    proptest! {
        #[test]
        fn any_lines_are_a_request_or_a_clear_error(
            lines in proptest::collection::vec("(want |have |filter |deepen |command=|0001|0000)?[0-9a-f :=\\x00-\\xff]{0,60}", 0..8),
            two in any::<bool>(),
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            match read(&body(&lines), if two { Protocol::V2 } else { Protocol::V0 }) {
                Ok(_) | Err(Error::Protocol(_) | Error::TooLarge(_)) => {}
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
