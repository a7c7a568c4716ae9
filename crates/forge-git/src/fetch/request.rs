//! Requests to `git-upload-pack`, of all three protocol versions.
//!
//! A request is parsed into known lines, and it is these lines that are later given to `git upload-pack`, never the bytes
//! that came: what was not understood here cannot be understood differently there.
//! See gitprotocol-v2(5) and gitprotocol-pack(5), "Packfile Negotiation".

use forge_types::{ObjectFormat, ObjectId};
use tokio::io::AsyncRead;

use super::ObjectInfo;
use crate::walk::Filter;
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
    /// The sizes of objects are asked for.
    ObjectInfo(ObjectInfo),
    /// It is asked where bundles lie.
    BundleUri,
    /// Objects are asked for.
    Fetch(Box<Fetch>),
}

/// A request for objects.
#[derive(Clone, Debug, Default)]
pub struct Fetch {
    protocol: Protocol,
    wants: Vec<ObjectId>,
    /// Refs that are asked for by their full names, `HEAD` among them.
    pub(super) wanted_refs: Vec<String>,
    /// Where the client's history is cut now.
    pub(super) shallow: Vec<ObjectId>,
    /// Where it is to be cut.
    pub(super) deepen: Deepen,
    /// What is to be left out.
    pub(super) filter: Filter,
    /// The filter as it stood in the request.
    pub(super) filter_text: Option<String>,
    /// What the client has, in its order.
    pub(super) turns: Vec<Turn>,
    /// How it wants to be answered.
    pub(super) options: Options,
    /// The request again, in pkt-lines, as `git upload-pack` is given it.
    replay: Vec<u8>,
}

/// How much history is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deepen {
    pub(super) commits: Option<u32>,
    pub(super) since: Option<i64>,
    /// Names of refs.
    pub(super) not: Vec<String>,
    pub(super) is_relative: bool,
}

impl Deepen {
    /// Is nothing asked for?
    pub(super) fn is_empty(&self) -> bool {
        self.commits.is_none() && self.since.is_none() && self.not.is_empty()
    }
}

/// A step of the negotiation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The client has this object, and all that it reaches.
    Have(ObjectId),
    /// Before version 2: the client awaits an answer.
    Flush,
    /// The client has named all that it wants to name.
    Done,
}

/// How a client wants to be answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) thin_pack: bool,
    pub(super) no_progress: bool,
    pub(super) include_tag: bool,
    pub(super) ofs_delta: bool,
    /// The pack is to wait until the client says that it is done.
    pub(super) wait_for_done: bool,
    /// Before version 2: how haves are acknowledged.
    pub(super) acks: Acks,
    /// Before version 2: the pack may come before the client says that it is done.
    pub(super) no_done: bool,
    /// Before version 2: how many bytes a side-band packet may have; none without side-band.
    pub(super) side_band: Option<usize>,
}

/// How haves are acknowledged before version 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Acks {
    /// The first common object alone.
    #[default]
    First,
    /// Every common object.
    Multi,
    /// Every common object, and whether enough is known.
    Detailed,
}

impl Fetch {
    /// Returns the objects asked for by id.
    pub fn wants(&self) -> &[ObjectId] {
        &self.wants
    }

    /// Returns the protocol version that the request speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns the request in known lines, without what does not change the answer: equal lines of one protocol version have
    /// equal answers.
    pub fn lines(&self) -> &[u8] {
        &self.replay
    }

    /// Did the client say that it is done?
    pub(super) fn is_done(&self) -> bool {
        self.turns.contains(&Turn::Done)
    }

    /// Returns what the client has.
    pub(super) fn haves(&self) -> impl Iterator<Item = ObjectId> {
        self.turns.iter().filter_map(|turn| match turn {
            Turn::Have(id) => Some(*id),
            Turn::Flush | Turn::Done => None,
        })
    }

    /// Takes one of the words that all versions have, for options of the answer.
    fn set_option(&mut self, word: &str) -> bool {
        match word {
            "thin-pack" => self.options.thin_pack = true,
            "no-progress" => self.options.no_progress = true,
            "include-tag" => self.options.include_tag = true,
            "ofs-delta" => self.options.ofs_delta = true,
            "deepen-relative" => self.deepen.is_relative = true,
            _ => return false,
        }
        true
    }

    /// Takes one of the capabilities that only versions before 2 have.
    fn set_capability(&mut self, word: &str) -> bool {
        match word {
            "multi_ack" => self.options.acks = Acks::Multi,
            "multi_ack_detailed" => self.options.acks = Acks::Detailed,
            "no-done" => self.options.no_done = true,
            "side-band" => self.options.side_band = Some(self.options.side_band.unwrap_or(SMALL_PACKET)),
            "side-band-64k" => self.options.side_band = Some(pkt::MAX_LEN),
            "filter" => {}
            _ => return self.set_option(word),
        }
        true
    }
}

/// How long a packet of the first side-band may be, its length digits included.
const SMALL_PACKET: usize = 1000;

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
            Some("object-info") => {
                let arguments = arguments.into_iter().map(text).collect::<Result<Vec<_>>>()?;
                Ok(Request::ObjectInfo(ObjectInfo::parse(arguments, self.limits.wants)?))
            }
            Some("bundle-uri") if arguments.is_empty() => Ok(Request::BundleUri),
            Some("bundle-uri") => Err(Error::protocol("`bundle-uri` takes no arguments")),
            Some("fetch") => {
                self.line("command=fetch");
                self.line(&format!("object-format={}", self.format));
                self.fetch.replay.extend_from_slice(pkt::DELIM);
                for argument in arguments {
                    self.argument(text(argument)?)?;
                }
                self.fetch.replay.extend_from_slice(pkt::FLUSH);
                self.check_deepen()?;
                if self.fetch.wants.is_empty() && self.fetch.wanted_refs.is_empty() {
                    return Ok(Request::Empty);
                }
                Ok(Request::Fetch(Box::new(self.fetch)))
            }
            Some(other) => Err(Error::Protocol(format!("unknown command `{}`", shown(other)))),
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
            "done" => self.fetch.turns.push(Turn::Done),
            "wait-for-done" => self.fetch.options.wait_for_done = true,
            word if self.fetch.set_option(word) => {}
            _ => match line.strip_prefix("want-ref ") {
                Some(name) => self.want_ref(name)?,
                None => return self.shared_line(line),
            },
        }
        self.line(line);
        Ok(())
    }

    fn want_ref(&mut self, name: &str) -> Result<()> {
        if self.fetch.wanted_refs.len() >= self.limits.wants {
            return Err(self.too_many_wants());
        }
        self.fetch.wanted_refs.push(name.to_owned());
        Ok(())
    }

    /// Wants with capabilities behind the first, `shallow` and `deepen`, flush, haves, flush or `done`.
    fn version_0(mut self, packets: &[Packet]) -> Result<Request> {
        for packet in packets {
            match packet {
                Packet::Flush => {
                    self.fetch.turns.push(Turn::Flush);
                    self.fetch.replay.extend_from_slice(pkt::FLUSH);
                }
                Packet::Data(_) => self.version_0_line(text(packet.line().unwrap_or_default())?)?,
                Packet::Delim | Packet::ResponseEnd => {
                    return Err(Error::protocol("unexpected special packet"));
                }
            }
        }
        self.check_deepen()?;
        if self.fetch.wants.is_empty() {
            Ok(Request::Empty)
        } else {
            Ok(Request::Fetch(Box::new(self.fetch)))
        }
    }

    fn version_0_line(&mut self, line: &str) -> Result<()> {
        if line == "done" {
            self.fetch.turns.push(Turn::Done);
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
                (word, "") if self.fetch.set_capability(word) => {
                    line.push(' ');
                    line.push_str(word);
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
        let deepen = &mut self.fetch.deepen;
        let clean = match word {
            "want" => format!("want {}", self.want(value)?),
            "have" => {
                let id = self.object_id(value)?;
                self.fetch.turns.push(Turn::Have(id));
                format!("have {id}")
            }
            "shallow" => {
                let id = self.object_id(value)?;
                self.fetch.shallow.push(id);
                format!("shallow {id}")
            }
            "deepen" => {
                let number = value.parse().ok().filter(|number: &u32| *number > 0).ok_or_else(unexpected)?;
                deepen.commits = Some(number);
                format!("deepen {number}")
            }
            "deepen-since" => {
                let time = value.parse::<u32>().map_err(|_| unexpected())?;
                deepen.since = Some(time.into());
                format!("deepen-since {time}")
            }
            "deepen-not" if !value.chars().any(char::is_control) => {
                deepen.not.push(value.to_owned());
                line.to_owned()
            }
            "filter" if self.fetch.filter_text.is_none() => {
                self.fetch.filter = Filter::parse(value)?;
                self.fetch.filter_text = Some(value.to_owned());
                format!("filter {value}")
            }
            _ => return Err(unexpected()),
        };
        self.line(&clean);
        Ok(())
    }

    /// A number of commits goes with nothing else.
    fn check_deepen(&self) -> Result<()> {
        let deepen = &self.fetch.deepen;
        if deepen.commits.is_some() && (deepen.since.is_some() || !deepen.not.is_empty()) {
            return Err(Error::protocol("deepen and deepen-since (or deepen-not) cannot be used together"));
        }
        Ok(())
    }

    fn too_many_wants(&self) -> Error {
        Error::TooLarge(format!("one fetch may ask for at most {} objects", self.limits.wants))
    }

    fn want(&mut self, hex: &str) -> Result<ObjectId> {
        let id = self.object_id(hex)?;
        if self.fetch.wants.len() >= self.limits.wants {
            return Err(self.too_many_wants());
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

/// The longest line that is understood. A line is repeated to git with what it lacked, and must fit into a packet there too.
const MAX_LINE: usize = 8192;

fn text(line: &[u8]) -> Result<&str> {
    if line.len() > MAX_LINE {
        return Err(Error::protocol("a line is too long"));
    }
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
            Request::Fetch(fetch) => Ok(*fetch),
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
        assert_eq!(fetch.lines(), replayed);
    }

    #[test]
    fn version_0_fetch_is_replayed_without_what_was_not_offered() {
        let first = format!("want {A} multi_ack_detailed evil=1 ofs-delta agent=git/2 include-tag");
        let (second, have) = (format!("want {B}"), format!("have {B}"));
        let fetch = fetch(&[&first, &second, "deepen 1", "0000", &have, "done"], Protocol::V0).unwrap();
        assert_eq!(fetch.wants().len(), 2);
        let clean = format!("want {A} multi_ack_detailed ofs-delta include-tag object-format=sha1");
        assert_eq!(fetch.lines(), body(&[&clean, &second, "deepen 1", "0000", &have, "done"]));
    }

    #[test]
    fn what_is_not_offered_is_refused_in_version_2() {
        for argument in [
            "evil",
            "deepen 0",
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

    /// What was repeated to git with a line feed or a word more was longer than a packet may be.
    #[test]
    fn lines_as_long_as_a_packet_are_refused() {
        let full = |begin: &str| [begin, &"a ".repeat(pkt::MAX_DATA)[..pkt::MAX_DATA - begin.len()]].concat();
        let mut body = body(&["command=fetch", "0001", &format!("want {A}")]);
        pkt::write(&mut body, full("deepen-not ").as_bytes());
        body.extend_from_slice(pkt::FLUSH);
        assert!(matches!(read(&body, Protocol::V2), Err(Error::Protocol(_))));
        let mut first = Vec::new();
        pkt::write(&mut first, full(&format!("want {A} ofs-delta ")).as_bytes());
        assert!(matches!(read(&first, Protocol::V0), Err(Error::Protocol(_))));
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
