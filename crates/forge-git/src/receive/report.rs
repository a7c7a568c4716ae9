//! The report at the end of a push: whether the pack got in, and what became of each ref.

use forge_types::ObjectId;

use crate::wire::pkt;
use crate::wire::sideband::{printable, shortened};

/// The longest reason that is sent.
const MAX_REASON: usize = 400;

/// What became of the pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpack {
    /// It got in, or there was none.
    Ok,
    /// It is refused, for this reason.
    Failed(String),
}

/// What became of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandStatus {
    /// The ref is as the client wanted it.
    Ok,
    /// The ref was changed, but otherwise than the command said; told only to clients of `report-status-v2`.
    OkWith {
        /// The value it had.
        old: ObjectId,
        /// The value it has.
        new: ObjectId,
        /// Did it lose history?
        forced: bool,
    },
    /// The ref is as it was, for this reason.
    Refused(String),
}

/// Encodes the report. `results` pairs the bytes of each ref name with its status, in the order of the commands.
pub fn report_status<'a>(
    version_2: bool,
    unpack: &Unpack,
    results: impl IntoIterator<Item = (&'a [u8], &'a CommandStatus)>,
) -> Vec<u8> {
    let mut out = Vec::new();
    match unpack {
        Unpack::Ok => pkt::write_line(&mut out, "unpack ok"),
        Unpack::Failed(reason) => pkt::write_line(&mut out, &format!("unpack {}", one_line(reason))),
    }
    for (name, status) in results {
        match status {
            CommandStatus::Ok => write_result(&mut out, b"ok ", name, ""),
            CommandStatus::OkWith { old, new, forced } => {
                write_result(&mut out, b"ok ", name, "");
                if version_2 {
                    pkt::write_line(&mut out, &format!("option old-oid {old}"));
                    pkt::write_line(&mut out, &format!("option new-oid {new}"));
                    if *forced {
                        pkt::write_line(&mut out, "option forced-update");
                    }
                }
            }
            CommandStatus::Refused(reason) => {
                write_result(&mut out, b"ng ", name, &format!(" {}", one_line(reason)));
            }
        }
    }
    out.extend_from_slice(pkt::FLUSH);
    out
}

fn write_result(out: &mut Vec<u8>, word: &[u8], name: &[u8], rest: &str) {
    // The name is the client's own: with the line that it came in there was room for it, but not for any reason beside it.
    let room = pkt::MAX_DATA.saturating_sub(word.len() + name.len() + 1);
    let mut line = [word, name, shortened(rest, room).as_bytes()].concat();
    line.push(b'\n');
    pkt::write(out, &line);
}

fn one_line(text: &str) -> String {
    shortened(&printable(&text.replace('\n', "; ")), MAX_REASON).to_owned()
}

#[cfg(test)]
mod tests {
    use forge_types::ObjectFormat;

    use super::*;

    #[test]
    fn reasons_are_one_line_of_bounded_length() {
        let refused =
            CommandStatus::Refused(format!("no\nng refs/heads/x forged\u{1b}[0m {}", "é".repeat(1000)));
        let out = report_status(false, &Unpack::Ok, [(&b"refs/heads/main"[..], &refused)]);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("ng refs/heads/main no; ng refs/heads/x forged[0m"), "{text}");
    }

    #[test]
    fn reason_beside_the_longest_name_is_cut_to_what_a_packet_holds() {
        let name = vec![b'a'; pkt::MAX_DATA - 82];
        let refused = CommandStatus::Refused("é".repeat(200));
        let out = report_status(false, &Unpack::Ok, [(&name[..], &refused)]);
        let mut reader = pkt::Reader::new(&out[..], usize::MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let packets =
            runtime.block_on(async { [reader.next().await, reader.next().await, reader.next().await] });
        let packets = packets.map(|packet| packet.unwrap().unwrap());
        assert!(packets[1].line().unwrap().starts_with(&[b"ng ", &name[..], " é".as_bytes()].concat()));
        assert_eq!(packets[2], pkt::Packet::Flush);
    }

    #[test]
    fn option_lines_are_for_version_2_only() {
        let id = ObjectId::null(ObjectFormat::Sha1);
        let status = CommandStatus::OkWith { old: id, new: id, forced: true };
        let encode = |v2| String::from_utf8(report_status(v2, &Unpack::Ok, [(&b"r"[..], &status)])).unwrap();
        assert!(encode(true).contains("option forced-update") && !encode(false).contains("option"));
    }
}
